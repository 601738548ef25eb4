//! Several cards decided together: each by [`decide`], with the same checks and a commit of its own, so that one that can't be
//! decided holds up no other. A list that was shown is bound to the digests of what stood on it.

use crate::{CommandError, Home, Problem, commit_with, decide::decide, queries};
use domain::{
    Digest,
    approval::{Approval, ApprovalStatus, Choice, Question, Refusal, read_handle},
    id::{ApprovalId, RunId},
    member::Member,
};
use ports::{blob::BlobError, repo};

/// What of the waiting cards is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// Those of the person's own runs.
    Own,
    Run(RunId),
    All,
}

/// A card, and what it showed; `None` where nobody says.
pub type Item = (ApprovalId, Option<Digest>);

/// What came of one card.
#[derive(Clone, PartialEq, Debug)]
pub struct Came {
    /// As it is now.
    pub approval: Approval,
    /// Why it was not decided.
    pub refused: Option<Problem>,
}

/// The waiting cards that are meant, as they are now, without the exceptions (ids or their ends).
///
/// # Errors
/// [`Problem::NotFound`] for an exception that is none of them: who names one wants it left alone.
pub async fn choose(
    home: &Home,
    member: &Member,
    which: &Which,
    except: &[&str],
) -> Result<Vec<Item>, CommandError> {
    let mut meant = queries::pending(home).await?;
    meant.retain(|approval| match which {
        Which::Own => approval.requester == member.id,
        Which::Run(run) => approval.run == *run,
        Which::All => true,
    });
    for name in except {
        let (name, _) = read_handle(name);
        let before = meant.len();
        meant.retain(|approval| name.len() < 4 || !approval.id.as_str().ends_with(name));
        if meant.len() == before {
            let (what, name) = ("approval", name.to_owned());
            return Err(Problem::NotFound { what, name }.into());
        }
    }
    Ok(meant.into_iter().map(item).collect())
}

fn item(approval: Approval) -> Item {
    (approval.id, Some(approval.digest))
}

/// Keeps what a list shows; the digest is its name.
///
/// # Errors
/// What the blob store answers.
pub async fn remember(home: &Home, shown: &[Item]) -> Result<Digest, CommandError> {
    let text = domain::canonical_json(shown)?;
    Ok(home.blobs.put(text.as_bytes()).await?)
}

/// What a list showed.
///
/// # Errors
/// What the blob store answers.
pub async fn recall(home: &Home, list: &Digest) -> Result<Vec<Item>, CommandError> {
    let bytes = home.blobs.get(list).await?;
    serde_json::from_slice(&bytes).map_err(|_| CommandError::Blob(BlobError::Damaged(list.clone())))
}

/// Decides each. What this person decided so already counts as done: a repetition says the same.
///
/// # Errors
/// What the store answers; why a single one was not decided is in its [`Came`].
pub async fn decide_all(
    home: &Home,
    member: &Member,
    items: &[Item],
    choice: &Choice,
) -> Result<Vec<Came>, CommandError> {
    let mut all = Vec::new();
    for (id, digest) in items {
        let shown = digest.as_ref().map(Digest::short);
        let decided = commit_with(home, || decide(home, member, id, choice, shown)).await;
        let refused = match decided {
            Ok(_) => None,
            Err(CommandError::Problem(problem)) => Some(problem),
            Err(error) => return Err(error),
        };
        let stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
        let Some(approval) = stored.map(|stored| stored.value) else {
            continue;
        };
        let refused = refused.filter(|_| !so_already(&approval, member, choice));
        all.push(Came { approval, refused });
    }
    Ok(all)
}

fn so_already(approval: &Approval, member: &Member, choice: &Choice) -> bool {
    let wanted = match choice {
        Choice::Approve => ApprovalStatus::Approved,
        _ => ApprovalStatus::Denied,
    };
    approval.status == wanted && approval.decided_by.as_ref() == Some(&member.id)
}

/// What waits and was not on the list: it came since, or it was changed.
///
/// # Errors
/// What the store answers.
pub async fn since(home: &Home, shown: &[Item]) -> Result<Vec<Came>, CommandError> {
    let mut pending = queries::pending(home).await?;
    pending.retain(|approval| {
        approval.question == Question::Call && !shown.iter().any(|(id, _)| *id == approval.id)
    });
    let came = |approval| Came {
        approval,
        refused: Some(Problem::Decision(Refusal::Changed)),
    };
    Ok(pending.into_iter().map(came).collect())
}

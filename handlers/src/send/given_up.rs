//! What will never arrive: who has to know, and what can't be decided or answered any more.

use super::{SendPorts, done, insist};
use crate::{HandlerError, Home, Lease, ask, decide, keep::tell, sessions};
use domain::{
    approval::{Approval, ApprovalStatus},
    id::{CallId, RunId, SessionId},
    run::Actor,
    session::{Expects, Session},
};
use ports::{
    message::{Body, Outgoing},
    present::Notice,
    repo,
    store::Op,
};

/// It will never arrive. A card that nobody can see whole is undeliverable, not denied, and a question that nobody can see is not
/// answered; the owner is told. Where it is the owner who does not get it, it is set aside for whoever looks at this machine.
/// `stands`: it is an edit of a message that arrived, which stays as it was.
pub(super) async fn give_up(
    ports: &SendPorts,
    lease: &Lease,
    message: &Outgoing,
    stands: bool,
    why: &str,
) -> Result<(), HandlerError> {
    tracing::warn!(to = %message.to, why, "a message can't be delivered");
    insist(ports, async || {
        let mut ops = given_up(&ports.home, message, stands, why).await?;
        let told =
            !ops.is_empty() || !matches!(message.body, Body::Text { .. } | Body::File { .. });
        ops.push(match told {
            true => done(lease),
            false => set_aside(lease, why),
        });
        Ok(ops)
    })
    .await
}

fn set_aside(lease: &Lease, why: &str) -> Op {
    let (job, epoch) = (lease.job.id.clone(), lease.job.epoch);
    Op::SetAside {
        job,
        epoch,
        error: why.to_owned(),
    }
}

async fn given_up(
    home: &Home,
    message: &Outgoing,
    stands: bool,
    why: &str,
) -> Result<Vec<Op>, HandlerError> {
    let mut ops = Vec::new();
    let card = match (&message.approval, &message.body) {
        (Some(_), _) => true,
        (None, Body::Text { .. } | Body::File { .. }) => false,
        (None, _) if message.question().is_some() => false,
        (None, _) => return Ok(ops),
    };
    if let Some(id) = message.approval.as_ref().filter(|_| !stands)
        && let Some(stored) = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?
        && stored.value.status == ApprovalStatus::Pending
        && !matches!(message.body, Body::Text { .. })
    {
        ops.extend(decide::undeliverable(home, stored, &message.to).await?);
    }
    if let Some(run) = message.question() {
        ops.extend(unanswered(home, message, &run).await?);
    }
    if let Some(owner) = crate::members::owner(home).await?
        && !owner.home.is_empty()
        && owner.home != message.to.as_str()
    {
        let notice = Notice::Undelivered {
            to: message.to.clone(),
            card,
            why: why.to_owned(),
        };
        let home_of_owner = SessionId::new(&*owner.home);
        ops.extend(tell(home, &home_of_owner, &notice, &owner.zone).await?);
    }
    Ok(ops)
}

/// The session at a place with its version and the call, if it waits for an answer to this run's question.
pub(super) async fn asker(
    home: &Home,
    place: &SessionId,
    run: &RunId,
) -> Result<Option<(Session, Option<u64>, CallId)>, HandlerError> {
    let (session, version) = sessions::get_or_new(home, place).await?;
    Ok(match &session.expects {
        Some(Expects::Answer { run: asks, call }) if asks == run => {
            let call = call.clone();
            Some((session, version, call))
        }
        _ => None,
    })
}

/// The run goes on without an answer, and the person's next words are not taken for one.
async fn unanswered(home: &Home, message: &Outgoing, run: &RunId) -> Result<Vec<Op>, HandlerError> {
    let Some((mut session, version, call)) = asker(home, &message.to, run).await? else {
        return Ok(Vec::new());
    };
    let event = ask::unanswered(home, run, call, "the person could not be reached").await?;
    let mut ops = ask::answered(home, Actor::System, run, event).await?;
    session.expects = None;
    session.updated_at = home.now();
    ops.push(repo::put(&home.team, &session, version)?);
    Ok(ops)
}

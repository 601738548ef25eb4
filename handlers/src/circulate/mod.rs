//! A card beyond the session in which it was asked: who else is sent it, and how those copies are kept up to date.
//!
//! Each copy is a message with a receipt of its own. They go out in a job, not in the commit that asks or decides: a card may have
//! many copies, and a batch has a limit.

mod audience;
mod escalation;

pub use audience::Audience;
pub use escalation::{escalation, set_escalation};

use crate::{HandlerError, Home, Lease, decide, draft, keep::tell, members, queries};
use domain::{
    approval::{Approval, ApprovalStatus, SentTo},
    id::{ApprovalId, MemberId},
    member::{Deed, Member, may},
};
use ports::{
    job::{self, Circulate},
    present::Notice,
    repo::{self, Stored},
    store::{ConflictReason, Op, StoreError},
};

/// Copies of one card, so that sending them fits into a batch with their files.
const COPIES: usize = 20;

/// The job of a card that was just asked, or asked anew in another form: for those who were sent it before, or who are now because
/// the requester can't decide it alone.
///
/// # Errors
/// What the store answers.
pub async fn due(home: &Home, approval: &Approval) -> Result<Option<Op>, HandlerError> {
    if approval.sent.is_empty() && !Audience::read(home).await?.concerns(approval, home.now()) {
        return Ok(None);
    }
    Ok(Some(later(home, &approval.id)?))
}

/// The job that brings the copies of a card up to date, if there are any.
///
/// # Errors
/// When the payload has no JSON form.
pub fn again(home: &Home, approval: &Approval) -> Result<Option<Op>, serde_json::Error> {
    (!approval.sent.is_empty())
        .then(|| later(home, &approval.id))
        .transpose()
}

/// Whether others than those who were sent the card so far are about to be: by the job of a new card, or when its time comes.
///
/// # Errors
/// What the store answers.
pub(crate) async fn reaches_more(home: &Home, approval: &Approval) -> Result<bool, StoreError> {
    let (audience, now) = (Audience::read(home).await?, home.now());
    let first = approval.sent.is_empty() && !audience.first(approval, now).is_empty();
    Ok(first || approval.escalate_after_s.is_some() && audience.next(approval, now).is_some())
}

fn later(home: &Home, approval: &ApprovalId) -> Result<Op, serde_json::Error> {
    let work = Circulate {
        approval: approval.clone(),
    };
    let job = job::new_job(&home.team, home.chance.id(), &work, home.now())?;
    Ok(Op::Enqueue(job))
}

/// Sends the copies that are due, or edits those that are there.
///
/// # Errors
/// [`HandlerError::LeaseLost`], or what the store answers.
pub async fn circulate(home: &Home, lease: &Lease, work: &Circulate) -> Result<(), HandlerError> {
    for _ in 0..8 {
        let stored =
            repo::get::<Approval>(&*home.store, &home.team, work.approval.as_str()).await?;
        let mut ops = match stored {
            Some(stored) => copies(home, stored).await?,
            None => Vec::new(),
        };
        let (job, epoch) = (lease.job.id.clone(), lease.job.epoch);
        ops.push(Op::Finish { job, epoch });
        match draft::commit(home, ops).await {
            // Somebody decides at the same time.
            Err(StoreError::Conflict(conflict)) if conflict.reason != ConflictReason::Fenced => {}
            other => return draft::fenced(other),
        }
    }
    let error = "the card keeps changing".to_owned();
    Err(HandlerError::Retry { after: None, error })
}

async fn copies(home: &Home, stored: Stored<Approval>) -> Result<Vec<Op>, HandlerError> {
    let approval = &stored.value;
    if approval.status == ApprovalStatus::Pending && approval.sent.is_empty() {
        let mut to = Audience::read(home).await?.first(approval, home.now());
        to.truncate(COPIES);
        return send(home, stored, to).await;
    }
    let notice = match approval.status {
        // Asked anew: with the files of what is asked now.
        ApprovalStatus::Pending if approval.change.is_some() && approval.votes.is_empty() => {
            let approval = approval.clone();
            Notice::CallModified { approval }
        }
        ApprovalStatus::Pending => Notice::ApprovalChanged {
            approval: approval.clone(),
        },
        _ => decide::settled(approval, queries::decider(home, approval).await?),
    };
    let mut ops = Vec::new();
    for sent in &approval.sent {
        // Who was taken out since, or may decide nothing any more, learns nothing more.
        let to = members::find(home, &sent.to).await?;
        if let Some(to) = to.filter(|to| may(to.role, Deed::Decide)) {
            ops.extend(tell(home, &sent.place, &notice, &to.zone).await?);
        }
    }
    Ok(ops)
}

/// The operations that send a card that waits to these, and note it.
pub(crate) async fn send(
    home: &Home,
    stored: Stored<Approval>,
    to: Vec<SentTo>,
) -> Result<Vec<Op>, HandlerError> {
    if to.is_empty() {
        return Ok(Vec::new());
    }
    let Stored { mut value, version } = stored;
    value.sent.extend(to.iter().cloned());
    let notice = Notice::ApprovalAsked {
        approval: value.clone(),
    };
    let mut ops = vec![repo::update(&home.team, &Stored { value, version })?];
    for sent in to {
        let zone = zone(home, &sent.to).await?;
        ops.extend(tell(home, &sent.place, &notice, &zone).await?);
    }
    Ok(ops)
}

async fn zone(home: &Home, member: &MemberId) -> Result<String, StoreError> {
    let member = repo::get::<Member>(&*home.store, &home.team, member.as_str()).await?;
    Ok(member.map(|member| member.value.zone).unwrap_or_default())
}

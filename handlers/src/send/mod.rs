//! The `send` handler: one stored message goes out, once as far as the surface lets anybody know.

mod given_up;

use crate::{
    HandlerError, Home, Lease, draft,
    keep::{NOTED, newest},
    sessions,
};
use domain::{
    approval::{Approval, ApprovalStatus},
    id::SessionId,
};
use ports::{
    Messenger, job,
    message::{Body, Outgoing, SendError, Sent},
    repo::{self, Stored, sent::SentMessage},
    store::{ConflictReason, Op, StoreError},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What the `send` handler needs: a way out per surface (`telegram`, `terminal`).
#[derive(Clone)]
pub struct SendPorts {
    pub home: Home,
    pub messengers: BTreeMap<String, Arc<dyn Messenger>>,
}

/// Begins a postponed job's error when the message may have arrived.
pub const UNKNOWN: &str = "fate unknown";
/// Attempts of which nobody knows whether they arrived. After that many the message may be the reason: it lets the others of its
/// place pass and is tried now and then. What surely did not arrive keeps its place for as long as it takes.
const TRIES: u32 = 12;
/// Begins the id of a job whose message lets others pass; what follows is the id that it had.
const LATE: &str = "late:";
/// Between two attempts of such a message at first, since each may be a copy; it doubles up to 32 times that, which is 5 h.
const SLOW: Duration = Duration::from_secs(600);

/// Sends one message and settles its job.
///
/// # Errors
/// [`HandlerError::LeaseLost`], or what the store answers.
pub async fn send(
    ports: &SendPorts,
    lease: &Lease,
    message: &Outgoing,
) -> Result<(), HandlerError> {
    match attempt(ports, lease, message).await {
        // Whatever kept this attempt from being made, one before it may have arrived.
        Err(HandlerError::Retry { after, error }) => Err(HandlerError::Retry {
            after,
            error: marked(lease, error),
        }),
        other => other,
    }
}

async fn attempt(ports: &SendPorts, lease: &Lease, message: &Outgoing) -> Result<(), HandlerError> {
    let home = &ports.home;
    let surface = message.to.as_str().split(':').next().unwrap_or_default();
    let Some(messenger) = ports.messengers.get(surface) else {
        return Err(HandlerError::Retry {
            after: None,
            error: format!("there is no way out to “{surface}” in this process"),
        });
    };
    if superseded(home, lease, message).await? || outlived(home, lease, message).await? {
        return finish(ports, lease, Vec::new()).await;
    }
    let before = known(home, message).await?;
    let edits = before.as_ref().map(|sent| Sent {
        message: sent.value.message.clone(),
    });
    let unknown = may_have_arrived(lease);
    // An edit made twice is made once; only a new message can arrive twice.
    let again = unknown && edits.is_none();
    if matches!(message.body, Body::Toast { .. }) && lease.job.attempts > 1 {
        return finish(ports, lease, Vec::new()).await;
    }
    let result = messenger.send(message, edits.as_ref(), again).await;
    settle(ports, lease, message, before, result).await
}

/// Whether a newer edit of the same message is stored, which shows everything that this one would.
async fn superseded(home: &Home, lease: &Lease, message: &Outgoing) -> Result<bool, StoreError> {
    let job = lease.job.id.as_str();
    let job = job.strip_prefix(LATE).unwrap_or(job);
    let id = match &message.body {
        Body::EditCard { tag, .. } if job.starts_with(NOTED) => newest(tag, &message.to),
        _ => return Ok(false),
    };
    let newest = repo::get::<SentMessage>(&*home.store, &home.team, &id).await?;
    Ok(newest.is_some_and(|newest| newest.value.message != job))
}

/// Whether a late message asks for what was decided or answered before it could be sent.
async fn outlived(home: &Home, lease: &Lease, message: &Outgoing) -> Result<bool, HandlerError> {
    if !is_late(lease) || matches!(message.body, Body::EditCard { .. }) {
        return Ok(false);
    }
    if let Some(id) = &message.approval {
        let stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
        return Ok(stored.is_some_and(|stored| stored.value.status != ApprovalStatus::Pending));
    }
    Ok(match message.question() {
        Some(run) => given_up::asker(home, &message.to, &run).await?.is_none(),
        None => false,
    })
}

fn is_late(lease: &Lease) -> bool {
    lease.job.id.as_str().starts_with(LATE)
}

/// Whether an earlier attempt may have arrived. It stays so, whatever comes of the attempts after it.
fn may_have_arrived(lease: &Lease) -> bool {
    let error = lease.job.last_error.as_deref().unwrap_or_default();
    lease.job.lost_before || error.starts_with(UNKNOWN) || is_late(lease)
}

/// The error with the mark, where an earlier attempt may have arrived.
fn marked(lease: &Lease, error: String) -> String {
    match unknowns(lease) {
        _ if error.starts_with(UNKNOWN) => error,
        0 => error,
        times => format!("{UNKNOWN} ({times}): {error}"),
    }
}

/// How many earlier attempts may have arrived.
fn unknowns(lease: &Lease) -> u32 {
    let error = lease.job.last_error.as_deref().unwrap_or_default();
    let counted = error
        .strip_prefix(UNKNOWN)
        .and_then(|rest| rest.strip_prefix(" (")?.split_once(')')?.0.parse().ok());
    counted.unwrap_or_else(|| u32::from(may_have_arrived(lease)))
}

/// The message that this one edits, or that was sent under its tag.
async fn known(home: &Home, message: &Outgoing) -> Result<Option<Stored<SentMessage>>, StoreError> {
    let tag = match &message.body {
        Body::EditCard { tag, .. } => tag,
        _ => return Ok(None),
    };
    repo::get::<SentMessage>(&*home.store, &home.team, &receipt(tag, message)).await
}

fn receipt(tag: &str, message: &Outgoing) -> String {
    format!("{tag}@{}", message.to)
}

async fn settle(
    ports: &SendPorts,
    lease: &Lease,
    message: &Outgoing,
    before: Option<Stored<SentMessage>>,
    result: Result<Option<Sent>, SendError>,
) -> Result<(), HandlerError> {
    let home = &ports.home;
    // No longer: people wait for it as soon as the surface is back.
    let later = Duration::from_secs(1 << lease.job.attempts.min(6));
    let stands = before.is_some();
    match result {
        Ok(sent) => {
            let kept = match remember(home, message, before, sent).await {
                Ok(ops) => finish(ports, lease, ops).await,
                Err(error) => Err(error),
            };
            // It arrived, and that could not be written down: who sends it again has to say so.
            kept.map_err(|error| match error {
                HandlerError::Retry { after, error } => HandlerError::Retry {
                    after,
                    error: format!("{UNKNOWN}: {error}"),
                },
                other => other,
            })
        }
        Err(_) if matches!(message.body, Body::Toast { .. }) => {
            finish(ports, lease, Vec::new()).await
        }
        Err(SendError::RetryAfter(pause)) => {
            postpone(ports, lease, pause, "told to wait", false).await
        }
        Err(SendError::Moved(to)) => follow(ports, lease, message, to).await,
        Err(SendError::Missing) => missing(ports, lease, message).await,
        // Whoever is gone can't decide at a card that arrived before either.
        Err(SendError::Gone(why)) => given_up::give_up(ports, lease, message, false, &why).await,
        Err(SendError::Refused(why)) => {
            given_up::give_up(ports, lease, message, stands, &why).await
        }
        Err(SendError::NotDelivered(why)) => {
            postpone(ports, lease, later, &format!("not delivered: {why}"), true).await
        }
        Err(SendError::Unknown(why)) => {
            let times = unknowns(lease) + 1;
            if times >= TRIES && !is_late(lease) {
                tracing::warn!(to = %message.to, why, "a message lets others pass");
                return step_aside(ports, lease, message).await;
            }
            let pause = match is_late(lease) && !stands {
                true => SLOW * (1 << lease.job.attempts.saturating_sub(1).min(5)),
                // An edit made twice is made once.
                false => later,
            };
            let error = format!("{UNKNOWN} ({times}): {why}");
            postpone(ports, lease, pause, &error, true).await
        }
    }
}

/// A new job for the message, that nothing waits for.
async fn step_aside(
    ports: &SendPorts,
    lease: &Lease,
    message: &Outgoing,
) -> Result<(), HandlerError> {
    let home = &ports.home;
    let id = format!("{LATE}{}", lease.job.id);
    let mut job = job::new_job(&home.team, id, message, home.now().plus(SLOW))?;
    job.serial = None;
    finish(ports, lease, vec![Op::Enqueue(job)]).await
}

/// The card to edit was deleted. One that still waits is sent anew: else nobody could decide.
async fn missing(ports: &SendPorts, lease: &Lease, message: &Outgoing) -> Result<(), HandlerError> {
    let home = &ports.home;
    let (Body::EditCard { tag, card }, Some(id)) = (&message.body, &message.approval) else {
        return finish(ports, lease, Vec::new()).await;
    };
    let stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
    if stored.is_none_or(|stored| stored.value.status != ApprovalStatus::Pending) {
        return finish(ports, lease, Vec::new()).await;
    }
    let anew = Outgoing {
        body: Body::Card { card: card.clone() },
        tag: Some(tag.clone()),
        rings: true,
        ..message.clone()
    };
    let job = job::new_job(&home.team, home.chance.id(), &anew, home.now())?;
    finish(ports, lease, vec![Op::Enqueue(job)]).await
}

/// The place has another id now: the message goes there, and so does the conversation.
async fn follow(
    ports: &SendPorts,
    lease: &Lease,
    message: &Outgoing,
    to: SessionId,
) -> Result<(), HandlerError> {
    let home = &ports.home;
    let there = Outgoing {
        to: to.clone(),
        ..message.clone()
    };
    insist(ports, async || {
        let mut ops = sessions::moved(home, &message.to, &to).await?;
        let job = job::new_job(&home.team, home.chance.id(), &there, home.now())?;
        ops.extend([Op::Enqueue(job), done(lease)]);
        Ok(ops)
    })
    .await
}

/// The receipt of a message that may be edited later.
async fn remember(
    home: &Home,
    message: &Outgoing,
    before: Option<Stored<SentMessage>>,
    sent: Option<Sent>,
) -> Result<Vec<Op>, HandlerError> {
    let tag = match &message.body {
        Body::EditCard { tag, .. } => Some(tag),
        _ => message.tag.as_ref(),
    };
    let (Some(tag), Some(sent)) = (tag, sent) else {
        return Ok(Vec::new());
    };
    let id = receipt(tag, message);
    let surface = message
        .to
        .as_str()
        .split(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    let before = match before {
        Some(before) => Some(before),
        None => repo::get::<SentMessage>(&*home.store, &home.team, &id).await?,
    };
    if before
        .as_ref()
        .is_some_and(|before| before.value.message == sent.message)
    {
        return Ok(Vec::new());
    }
    let value = SentMessage {
        id,
        surface,
        message: sent.message,
        at: home.now(),
    };
    Ok(vec![repo::put(
        &home.team,
        &value,
        before.map(|before| before.version),
    )?])
}

async fn finish(ports: &SendPorts, lease: &Lease, mut ops: Vec<Op>) -> Result<(), HandlerError> {
    ops.push(done(lease));
    draft::fenced(draft::commit(&ports.home, ops).await)
}

fn done(lease: &Lease) -> Op {
    let (job, epoch) = (lease.job.id.clone(), lease.job.epoch);
    Op::Finish { job, epoch }
}

async fn postpone(
    ports: &SendPorts,
    lease: &Lease,
    pause: Duration,
    error: &str,
    counted: bool,
) -> Result<(), HandlerError> {
    let error = marked(lease, error.to_owned());
    if counted {
        let job = lease.job.id.as_str();
        tracing::warn!(job, error, "a message waits for its next attempt");
    }
    let (job, epoch) = (lease.job.id.clone(), lease.job.epoch);
    let op = Op::Postpone {
        job,
        epoch,
        due: ports.home.now().plus(pause),
        error,
        counted,
    };
    draft::fenced(draft::commit(&ports.home, vec![op]).await)
}

/// Settles the job together with what others change as well: a decision, the run's audit, a session. Reads again when they do.
async fn insist<F>(ports: &SendPorts, ops: impl Fn() -> F) -> Result<(), HandlerError>
where
    F: Future<Output = Result<Vec<Op>, HandlerError>>,
{
    for _ in 0..8 {
        match draft::commit(&ports.home, ops().await?).await {
            Err(StoreError::Conflict(conflict)) if conflict.reason != ConflictReason::Fenced => {}
            other => return draft::fenced(other),
        }
    }
    let error = "the records around this message keep changing".to_owned();
    Err(HandlerError::Retry { after: None, error })
}

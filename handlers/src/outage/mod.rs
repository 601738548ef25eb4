//! Outages: a surface keeps what people do there for a while only (Telegram a tap: 150 s). When this system could not hear it
//! for longer, cards that wait there say so, in their place and with the same buttons, so that whoever tapped taps again.
//!
//! “Last heard” is a setting that the front door renews now and then. An outage is noticed by whoever hears again, in the
//! commit that says so, and done as a job: a process that dies in between changes nothing.

use crate::{
    CommandError, Draft, HandlerError, Home, Lease, commit_with, decide, draft, keep::tell,
    sessions,
};
use domain::{
    Micros,
    approval::{Approval, ApprovalStatus},
    id::{ApprovalId, SessionId},
    member::Member,
};
use ports::{
    job::{self, Outage},
    present::Notice,
    repo::{self, sent::SentMessage, settings::Setting},
    store::{Op, StoreError},
};
use std::time::Duration;

/// A surface (`telegram.<bot id>`) can be heard now. Longer than `patience` without it is an outage.
///
/// # Errors
/// What the store answers.
pub async fn heard(home: &Home, surface: &str, patience: Duration) -> Result<(), CommandError> {
    let name = format!("heard.{surface}");
    commit_with(home, async || {
        let now = home.now();
        let stored = repo::get::<Setting>(&*home.store, &home.team, &name).await?;
        let before = stored.as_ref().and_then(|s| s.value.value.as_i64());
        let setting = Setting {
            name: name.clone(),
            value: now.0.into(),
        };
        let version = stored.map(|stored| stored.version);
        let mut ops = vec![repo::put(&home.team, &setting, version)?];
        if let Some(from) = before.map(Micros)
            && now.since(from) > patience
        {
            tracing::info!(surface, away = ?now.since(from), "heard again");
            let surface = surface.split('.').next().unwrap_or_default().to_owned();
            let work = Outage {
                surface,
                from,
                to: now,
            };
            let job = job::new_job(&home.team, home.chance.id(), &work, now)?;
            ops.push(Op::Enqueue(job));
        }
        Ok(Draft::new(ops, ()))
    })
    .await
}

/// Tells the cards that waited there.
///
/// # Errors
/// What the store answers; the worker repeats it. Telling a card twice edits it twice.
pub async fn outage(home: &Home, lease: &Lease, outage: &Outage) -> Result<(), HandlerError> {
    let pending = repo::by::<Approval>(&home.team, "by_status", "pending");
    for stored in repo::collect::<Approval>(&*home.store, pending).await? {
        let id = stored.value.id;
        let told = commit_with(home, async || edits(home, &id, outage).await).await;
        told.map_err(HandlerError::from)?;
    }
    let (job, epoch) = (lease.job.id.clone(), lease.job.epoch);
    draft::fenced(draft::commit(home, vec![Op::Finish { job, epoch }]).await)
}

/// The edits of one approval's cards that were there to be tapped, if it still waits.
async fn edits(home: &Home, id: &ApprovalId, outage: &Outage) -> Result<Draft<()>, CommandError> {
    let nothing = Ok(Draft::fact(()));
    let Some(stored) = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await? else {
        return nothing;
    };
    let approval = &stored.value;
    if approval.status != ApprovalStatus::Pending || home.now() >= approval.expires_at {
        return nothing;
    }
    let notice = Notice::ApprovalOutage {
        approval: approval.clone(),
        from: outage.from,
        to: outage.to,
    };
    let mut ops = Vec::new();
    let session = (&approval.session, &approval.requester);
    let elsewhere = approval.sent.iter().map(|sent| (&sent.place, &sent.to));
    for (place, reader) in std::iter::once(session).chain(elsewhere) {
        if place.as_str().split(':').next() == Some(&*outage.surface)
            && stood(home, id, place, outage).await?
        {
            let reader = repo::get::<Member>(&*home.store, &home.team, reader.as_str()).await?;
            let zone = reader.map(|reader| reader.value.zone).unwrap_or_default();
            let told = tell(home, place, &notice, &zone).await;
            ops.extend(told.map_err(decide::presented)?);
        }
    }
    if !ops.is_empty() {
        // A decision that comes first has its own edit, and must have the last word.
        let key = repo::key::<Approval>(&home.team, id.as_str());
        let expect = ports::store::Expect::Version(stored.version);
        ops.push(Op::Check { key, expect });
    }
    Ok(Draft::new(ops, ()))
}

/// Whether the card stood there before the outage was over.
async fn stood(
    home: &Home,
    id: &ApprovalId,
    place: &SessionId,
    outage: &Outage,
) -> Result<bool, StoreError> {
    let now = sessions::place_of(home, place).await?;
    for place in [place, &now] {
        let receipt = format!("approval:{id}@{place}");
        let sent = repo::get::<SentMessage>(&*home.store, &home.team, &receipt).await?;
        if sent.is_some_and(|sent| sent.value.at < outage.to) {
            return Ok(true);
        }
    }
    Ok(false)
}

//! The tick: what is due, overdue or expired. It enqueues its own next time in the commit that finishes it.

mod escalate;
mod expire;
mod remind;
mod stuck;

use crate::{
    CommandError, Draft, HandlerError, Home, Lease, audit, budgets, commit_with, draft, keep::tell,
    members, offers, sessions,
};
use domain::{
    Micros,
    approval::Approval,
    audit::Seal,
    id::{CommitId, JobId, SessionId},
};
use ports::{
    job::{self, Tick},
    present::Notice,
    repo::{self, Entity, sent::SentMessage, settings::Setting, updates::Update},
    store::{Backlog, Batch, Claim, Job, Op, StoreError},
};
use std::time::Duration;

/// Between two ticks; expiry is late by at most this.
const EVERY: Duration = Duration::from_secs(20);
/// Received updates are remembered longer than a surface would deliver one again (Telegram: 24 h).
const REMEMBER: Duration = Duration::from_secs(72 * 3600);
/// A card is edited when it is decided, which takes days at most.
const RECEIPTS: Duration = Duration::from_secs(90 * 24 * 3600);
/// A command at the terminal that is gone this long fetches nothing any more.
const FETCHED: Duration = Duration::from_secs(24 * 3600);
/// Between two seals of an audit that grows.
const SEAL_EVERY: Duration = Duration::from_secs(600);
/// Between two seals that are posted to the owner.
const POST_EVERY: Duration = Duration::from_secs(24 * 3600);

/// What the tick needs.
#[derive(Clone)]
pub struct TickPorts {
    pub home: Home,
    /// Kept outside the database.
    pub seal_key: std::sync::Arc<[u8]>,
}

/// The job that starts the ticking, for a process that comes up; it conflicts where one is there already.
///
/// # Errors
/// When the payload has no JSON form.
pub fn first(home: &Home) -> Result<Op, serde_json::Error> {
    Ok(Op::Enqueue(job::new_job(
        &home.team,
        "tick".to_owned(),
        &Tick {},
        home.now(),
    )?))
}

/// One tick.
///
/// # Errors
/// What the store answers; the worker repeats it.
pub async fn tick(ports: &TickPorts, lease: &Lease) -> Result<(), HandlerError> {
    let home = &ports.home;
    // One that fails must not keep the others from being done, nor the next tick from coming.
    let done = [
        ("expire", expire::expire(home).await),
        ("remind", remind::remind(home).await),
        ("escalate", escalate::escalate(home).await),
        ("budgets", budgets::free(home).await),
        ("stuck", stuck::revive(home).await),
        ("clean", clean(ports).await),
    ];
    for (what, result) in done {
        if let Err(error) = result {
            tracing::warn!(what, %error, "a part of the tick failed; the next one repeats it");
        }
    }
    // The same job, later: its id is what keeps it the only one.
    let (job, epoch): (JobId, u64) = (lease.job.id.clone(), lease.job.epoch);
    let again = Op::Postpone {
        job,
        epoch,
        due: home.now().plus(EVERY),
        error: String::new(),
        counted: false,
    };
    draft::fenced(draft::commit(home, vec![again]).await)
}

/// What is done now and then: seals over what was audited, and forgetting.
async fn clean(ports: &TickPorts) -> Result<(), HandlerError> {
    let home = &ports.home;
    let (sealed_at, _) = last(home, "audit_sealed_at").await?;
    if home.now().since(Micros(sealed_at)) < SEAL_EVERY {
        return Ok(());
    }
    while commit_with(home, async || seal_once(ports).await)
        .await?
        .is_some_and(|seal| seal.more)
    {}
    // Updates only tell a second delivery from a first; receipts only find a message that is to be edited.
    forget::<Update>(home, REMEMBER, |update| update.received_at).await?;
    forget::<SentMessage>(home, RECEIPTS, |sent| sent.at).await?;
    drop_unfetched(home).await?;
    offers::expire(home).await?;
    home.store
        .forget_commits(home.now().minus(REMEMBER))
        .await?;
    Ok(())
}

/// Drops messages to `countersign ask` commands that have gone: nobody takes their place. What a run said stays in its journal.
/// A conversation at the terminal is opened again and gets its own, however late.
async fn drop_unfetched(home: &Home) -> Result<(), HandlerError> {
    let now = home.now();
    let gone = |depth: &Backlog| {
        let session = depth.lane.strip_prefix("send:").map(SessionId::new);
        depth.due > 0 && session.is_some_and(|session| sessions::is_of_command(&session))
    };
    let backlog = home.store.backlog(now).await?;
    let lanes: Vec<String> = backlog.into_iter().filter(gone).map(|d| d.lane).collect();
    for some in lanes.chunks(50) {
        // In a world where it is a day earlier only the old ones are due; a command that lives has taken its messages long ago.
        let claim = Claim {
            lanes: some.to_vec(),
            worker: "tick".to_owned(),
            now: now.minus(FETCHED),
            lease: FETCHED + EVERY,
            // A job that goes weighs three.
            limit: 33,
        };
        loop {
            let old = home.store.claim(claim.clone()).await?.jobs;
            if old.is_empty() {
                break;
            }
            tracing::info!(messages = old.len(), "nobody fetched these: dropped");
            let drop = |job: Job| Op::Finish {
                job: job.id,
                epoch: job.epoch,
            };
            // Committed in that world, too: there the next one of a terminal is due as well.
            let batch = Batch {
                id: CommitId::new(home.chance.id()),
                at: claim.now,
                ops: old.into_iter().map(drop).collect(),
            };
            home.store.commit(batch).await?;
        }
    }
    Ok(())
}

/// Deletes records that are older, a page at a time.
async fn forget<T: Entity>(
    home: &Home,
    age: Duration,
    at: fn(&T) -> Micros,
) -> Result<(), HandlerError> {
    let before = home.now().minus(age);
    let mut query = repo::all::<T>(&home.team);
    query.limit = 90;
    loop {
        let (page, next) = repo::page::<T>(&*home.store, query.clone()).await?;
        let old = page.iter().filter(|stored| at(&stored.value) < before);
        let ops: Vec<Op> = old.map(|stored| repo::delete(&home.team, stored)).collect();
        match draft::commit(home, ops).await {
            // Somebody else forgot them too.
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        match next {
            Some(cursor) => query.after = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// When something happened last, as a setting.
async fn last(home: &Home, name: &str) -> Result<(i64, Option<u64>), StoreError> {
    let setting = repo::get::<Setting>(&*home.store, &home.team, name).await?;
    Ok(setting.map_or((0, None), |setting| {
        (
            setting.value.value.as_i64().unwrap_or(0),
            Some(setting.version),
        )
    }))
}

async fn seal_once(ports: &TickPorts) -> Result<Draft<Option<Seal>>, CommandError> {
    let home = &ports.home;
    let mut draft = audit::seal(home, &ports.seal_key).await?;
    let (_, version) = last(home, "audit_sealed_at").await?;
    let setting = |name: &str| Setting {
        name: name.to_owned(),
        value: home.now().0.into(),
    };
    draft
        .ops
        .push(repo::put(&home.team, &setting("audit_sealed_at"), version)?);
    if let Some(seal) = &draft.fact {
        let posted = post(home, seal).await?;
        draft.ops.extend(posted);
    }
    Ok(draft)
}

/// The seal as a message to the owner, once a day; the first one a day after the first seal, when there is something to keep.
async fn post(home: &Home, seal: &Seal) -> Result<Vec<Op>, CommandError> {
    let (posted_at, version) = last(home, "audit_posted_at").await?;
    let now = Setting {
        name: "audit_posted_at".to_owned(),
        value: home.now().0.into(),
    };
    if version.is_some() && home.now().since(Micros(posted_at)) < POST_EVERY {
        return Ok(Vec::new());
    }
    let mut ops = vec![repo::put(&home.team, &now, version)?];
    if version.is_some()
        && let Some(owner) = members::owner(home).await?
        && !owner.home.is_empty()
    {
        let notice = Notice::Sealed {
            number: seal.number,
            digest: seal.mac.clone(),
            at: seal.at,
        };
        let told = tell(home, &SessionId::new(&*owner.home), &notice, &owner.zone).await;
        ops.extend(told.map_err(|e| crate::Problem::Invalid(e.to_string()))?);
    }
    Ok(ops)
}

/// Where the card of an approval arrived: in the session, where that is now, and where else it was sent.
async fn receipts(
    home: &Home,
    approval: &Approval,
) -> Result<Vec<(SessionId, SentMessage)>, StoreError> {
    let moved = sessions::place_of(home, &approval.session).await?;
    let mut places: Vec<SessionId> = approval.places().cloned().collect();
    if !places.contains(&moved) {
        places.push(moved);
    }
    let mut found = Vec::new();
    for place in places {
        let receipt = format!("approval:{}@{place}", approval.id);
        if let Some(sent) = repo::get::<SentMessage>(&*home.store, &home.team, &receipt).await? {
            found.push((place, sent.value));
        }
    }
    Ok(found)
}

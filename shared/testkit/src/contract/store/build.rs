//! Short words for what the cases are made of.

use crate::contract::{Broken, Outcome};
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::{
    repo::{agents::AGENTS, runs::RUN_EVENTS},
    store::{
        Batch, Claim, Claimed, Conflict, ConflictReason, CounterKey, Expect, Index, IndexValue,
        Job, JournalKey, Key, NewJob, Op, Priority, Query, Record, Store, StoreError,
    },
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The lease that [`claim`] asks for.
pub const LEASE: Duration = Duration::from_micros(100);

static COMMITS: AtomicU64 = AtomicU64::new(0);

pub fn team() -> TeamId {
    TeamId::from("home")
}

/// A batch with an id of its own, at the beginning of time.
pub fn batch(ops: Vec<Op>) -> Batch {
    let number = COMMITS.fetch_add(1, Ordering::Relaxed);
    Batch {
        id: CommitId::new(format!("commit-{number:06}")),
        at: Micros(0),
        ops,
    }
}

/// Commits what must succeed.
pub async fn commit(store: &dyn Store, ops: Vec<Op>) -> Outcome {
    Ok(store.commit(batch(ops)).await?)
}

/// The same at another time.
pub async fn commit_at(store: &dyn Store, at: i64, ops: Vec<Op>) -> Outcome {
    let at = Micros(at);
    Ok(store.commit(Batch { at, ..batch(ops) }).await?)
}

/// Commits what must meet a conflict.
pub async fn conflict(store: &dyn Store, ops: Vec<Op>) -> Result<Conflict, Broken> {
    match store.commit(batch(ops)).await {
        Err(StoreError::Conflict(conflict)) => Ok(conflict),
        other => Err(format!("a conflict was to come, not {other:?}").into()),
    }
}

pub fn fenced(op: usize) -> Conflict {
    let reason = ConflictReason::Fenced;
    Conflict { op, reason }
}

pub fn agent(id: &str) -> Key {
    Key {
        table: &AGENTS,
        team: team(),
        id: id.to_owned(),
    }
}

/// An agent's document with only what the index `by_name` looks at.
pub fn named(name: &str, created_at: i64) -> String {
    serde_json::json!({ "created_at": created_at, "name": name }).to_string()
}

pub fn create(id: &str, doc: impl Into<String>) -> Op {
    put(agent(id), doc, Expect::Absent)
}

pub fn put(key: Key, doc: impl Into<String>, expect: Expect) -> Op {
    let doc = doc.into();
    Op::Put { key, doc, expect }
}

pub fn run(id: &str) -> JournalKey {
    JournalKey {
        journal: &RUN_EVENTS,
        team: team(),
        id: id.to_owned(),
    }
}

pub fn append(id: &str, at: u64, entries: &[&str]) -> Op {
    Op::Append {
        journal: run(id),
        at,
        entries: entries.iter().map(|entry| (*entry).to_owned()).collect(),
    }
}

pub fn counter(id: &str) -> CounterKey {
    let id = id.to_owned();
    CounterKey { team: team(), id }
}

pub fn add(id: &str, delta: i64, ceiling: Option<i64>) -> Op {
    let counter = counter(id);
    Op::Add {
        counter,
        delta,
        ceiling,
    }
}

/// A job in the lane `run`, due at 0.
pub fn job(id: &str, serial: Option<&str>) -> NewJob {
    NewJob {
        id: JobId::from(id),
        team: team(),
        name: "test".to_owned(),
        lane: "run".to_owned(),
        serial: serial.map(str::to_owned),
        priority: Priority::Normal,
        payload: format!("{{\"of\":\"{id}\"}}"),
        due: Micros(0),
    }
}

/// Claims from the lane `run`.
pub async fn claim(store: &dyn Store, now: i64, limit: u32) -> Result<Claimed, StoreError> {
    claim_of(store, &["run"], now, limit).await
}

pub async fn claim_of(
    store: &dyn Store,
    lanes: &[&str],
    now: i64,
    limit: u32,
) -> Result<Claimed, StoreError> {
    let claim = Claim {
        lanes: lanes.iter().map(|lane| (*lane).to_owned()).collect(),
        worker: "w1".to_owned(),
        now: Micros(now),
        lease: LEASE,
        limit,
    };
    store.claim(claim).await
}

/// Claims one job, which must be there.
pub async fn claim_one(store: &dyn Store, now: i64) -> Result<Job, Broken> {
    let job = claim(store, now, 1).await?.jobs.pop();
    job.ok_or_else(|| "no job could be claimed".into())
}

pub fn names(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

pub fn finish(job: &Job) -> Op {
    Op::Finish {
        job: job.id.clone(),
        epoch: job.epoch,
    }
}

pub fn postpone(job: &Job, due: i64, counted: bool) -> Op {
    Op::Postpone {
        job: job.id.clone(),
        epoch: job.epoch,
        due: Micros(due),
        error: "later".to_owned(),
        counted,
    }
}

pub fn set_aside(job: &Job) -> Op {
    Op::SetAside {
        job: job.id.clone(),
        epoch: job.epoch,
        error: "poison".to_owned(),
    }
}

/// All agents by key.
pub fn all() -> Query {
    Query {
        table: &AGENTS,
        team: team(),
        index: None,
        from: None,
        to: None,
        descending: false,
        limit: 100,
        after: None,
    }
}

/// Agents of that name, oldest first.
pub fn by_name(name: &str) -> Query {
    Query {
        index: Some(("by_name", IndexValue::from(name))),
        ..all()
    }
}

pub fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

/// Every id that a query lists, page by page.
pub async fn pages(store: &dyn Store, mut query: Query) -> Result<Vec<Vec<String>>, StoreError> {
    let mut pages = Vec::new();
    loop {
        let page = store.query(query.clone()).await?;
        let ids = page.records.into_iter().map(|record| record.id);
        pages.push(ids.collect());
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(pages),
        }
    }
}

/// The index that most cases use; a change of its fields would make them say something else.
pub fn by_name_is_as_the_cases_need() -> bool {
    AGENTS.index("by_name").is_some_and(|index| {
        *index
            == Index {
                name: "by_name",
                partition: "name",
                sort: "created_at",
            }
    })
}

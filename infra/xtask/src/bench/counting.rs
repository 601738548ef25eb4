//! A store that counts what is committed through it: commits, and the bytes of the rows that they write.

use async_trait::async_trait;
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use ports::{
    Store,
    repo::runs::RUN_EVENTS,
    store::{
        Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, NewJob, Op, Page, Query,
        Record, Renewal, StoreError,
    },
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use store_sqlite::SqliteStore;

/// Bytes that an integer of a row counts for.
const INTEGER: u64 = 8;

/// What was committed.
#[derive(Clone, Default, Debug)]
pub struct Count {
    pub commits: u64,
    /// Bytes of the entries of runs' journals, without their keys: what is new.
    pub journal: u64,
    /// Bytes of all values of the rows that were inserted or written anew, by table.
    pub rows: BTreeMap<&'static str, u64>,
}

impl Count {
    pub fn row_bytes(&self) -> u64 {
        self.rows.values().sum()
    }
}

pub struct CountingStore {
    pub store: SqliteStore,
    count: Mutex<Count>,
}

impl CountingStore {
    pub fn new(store: SqliteStore) -> Self {
        Self {
            store,
            count: Mutex::default(),
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was counted since the last time.
    pub fn take(&self) -> Count {
        std::mem::take(&mut *self.count())
    }
}

fn add(count: &mut Count, batch: &Batch) {
    count.commits += 1;
    let mut row = |table: &'static str, bytes: u64| *count.rows.entry(table).or_default() += bytes;
    row("commits", len(batch.id.as_str()) + INTEGER);
    for op in &batch.ops {
        match op {
            Op::Put { key, doc, .. } => row(
                key.table.name,
                len(key.team.as_str()) + len(&key.id) + len(doc) + INTEGER,
            ),
            Op::Append {
                journal, entries, ..
            } => {
                let texts: u64 = entries.iter().map(|entry| len(entry)).sum();
                let keys = (len(journal.team.as_str()) + len(&journal.id) + INTEGER)
                    * entries.len() as u64;
                row(journal.journal.name, texts + keys);
                if *journal.journal == RUN_EVENTS {
                    count.journal += texts;
                }
            }
            Op::Enqueue(job) => row("task_queue", job_bytes(job)),
            Op::Postpone { error, .. } | Op::SetAside { error, .. } => {
                row("task_queue", len(error) + INTEGER)
            }
            Op::Signal { .. } => row("task_queue", INTEGER),
            Op::Add { counter, .. } => row(
                "counters",
                len(counter.team.as_str()) + len(&counter.id) + INTEGER,
            ),
            // They write no row.
            Op::Check { .. } | Op::Delete { .. } | Op::Hold { .. } | Op::Finish { .. } => {}
        }
    }
}

fn job_bytes(job: &NewJob) -> u64 {
    let texts = [
        job.id.as_str(),
        job.team.as_str(),
        &job.name,
        &job.lane,
        job.serial.as_deref().unwrap_or(""),
        &job.payload,
    ];
    texts.into_iter().map(len).sum::<u64>() + 3 * INTEGER
}

fn len(text: &str) -> u64 {
    text.len() as u64
}

#[async_trait]
impl Store for CountingStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        add(&mut self.count(), &batch);
        self.store.commit(batch).await
    }

    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        self.store.was_committed(id).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.store.get(key).await
    }

    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        self.store.query(query).await
    }

    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        self.store.read(journal, from, limit).await
    }

    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        self.store.head(journal).await
    }

    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        self.store.counter(key).await
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        self.store.claim(claim).await
    }

    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError> {
        self.store.renew(job, epoch, until).await
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.store.job(id).await
    }

    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        self.store.backlog(now).await
    }

    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError> {
        self.store.forget_commits(before).await
    }
}

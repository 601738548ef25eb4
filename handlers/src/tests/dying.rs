//! A store on which a worker dies: its n-th commit never comes back. Or somebody else commits between two of its reads.

use async_trait::async_trait;
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use ports::store::{
    Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Page, Query, Record, Renewal,
    Store, StoreError,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use testkit::memory_store::MemoryStore;
use tokio::sync::watch;

/// Where in its commit the worker dies.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Moment {
    /// The batch is not written: all effects since the commit before it happened, and nobody knows.
    Before,
    /// The batch is written, and nothing after it happens.
    After,
}

pub struct DyingStore {
    inner: Arc<MemoryStore>,
    /// Commits until death; never when negative.
    left: AtomicI64,
    moment: Mutex<Moment>,
    dead: watch::Sender<bool>,
    /// What somebody else commits, and after how many reads.
    other: Mutex<Option<(usize, Batch)>>,
    /// Largest batch so far: operations, and bytes of one entry or document.
    pub most_ops: AtomicU64,
    pub most_bytes: AtomicU64,
}

impl DyingStore {
    pub fn new(inner: Arc<MemoryStore>) -> Self {
        let left = AtomicI64::new(-1);
        let moment = Mutex::new(Moment::Before);
        let (most_ops, most_bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Self {
            inner,
            left,
            moment,
            dead: watch::Sender::new(false),
            other: Mutex::new(None),
            most_ops,
            most_bytes,
        }
    }

    /// The worker dies at its n-th commit from now, counted from 1.
    pub fn die_at(&self, commit: i64, moment: Moment) {
        *self.moment.lock().unwrap() = moment;
        self.left.store(commit, Ordering::SeqCst);
    }

    /// A new worker: it does not die.
    pub fn revive(&self) {
        self.left.store(-1, Ordering::SeqCst);
        self.dead.send_replace(false);
    }

    /// Commits do not count for now (a person's command is not the worker's).
    pub fn pause(&self) -> i64 {
        self.left.swap(-1, Ordering::SeqCst)
    }

    pub fn go_on(&self, left: i64) {
        self.left.store(left, Ordering::SeqCst);
    }

    pub async fn death(&self) {
        let _ = self.dead.subscribe().wait_for(|dead| *dead).await;
    }

    /// Somebody else commits this after so many records or pages were read from now on.
    pub fn meanwhile(&self, reads: usize, batch: Batch) {
        *self.other.lock().unwrap() = Some((reads, batch));
    }

    /// Whether they have.
    pub fn was_meanwhile(&self) -> bool {
        self.other.lock().unwrap().is_none()
    }

    async fn was_read(&self) {
        let due = {
            let mut other = self.other.lock().unwrap();
            if let Some((left, _)) = &mut *other {
                *left -= 1;
            }
            other.take_if(|(left, _)| *left == 0)
        };
        if let Some((_, batch)) = due {
            self.inner.commit(batch).await.unwrap();
        }
    }

    fn measure(&self, batch: &Batch) {
        use ports::store::Op;
        self.most_ops
            .fetch_max(batch.weight() as u64, Ordering::SeqCst);
        for op in &batch.ops {
            let bytes = match op {
                Op::Put { doc, .. } => doc.len(),
                Op::Append { entries, .. } => entries.iter().map(String::len).max().unwrap_or(0),
                Op::Enqueue(job) => job.payload.len(),
                _ => 0,
            };
            self.most_bytes.fetch_max(bytes as u64, Ordering::SeqCst);
        }
    }

    async fn never<T>(&self) -> T {
        self.dead.send_replace(true);
        std::future::pending().await
    }
}

#[async_trait]
impl Store for DyingStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.measure(&batch);
        let dies =
            self.left.load(Ordering::SeqCst) > 0 && self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        let moment = *self.moment.lock().unwrap();
        if dies && moment == Moment::Before {
            return self.never().await;
        }
        let result = self.inner.commit(batch).await;
        if dies {
            return self.never().await;
        }
        result
    }
    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        self.inner.was_committed(id).await
    }
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let found = self.inner.get(key).await;
        self.was_read().await;
        found
    }
    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        let page = self.inner.query(query).await;
        self.was_read().await;
        page
    }
    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        self.inner.read(journal, from, limit).await
    }
    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        self.inner.head(journal).await
    }
    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        self.inner.counter(key).await
    }
    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        self.inner.claim(claim).await
    }
    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError> {
        self.inner.renew(job, epoch, until).await
    }
    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.inner.job(id).await
    }
    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        self.inner.backlog(now).await
    }
    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError> {
        self.inner.forget_commits(before).await
    }
}

//! A store that rings: whoever commits a job wakes its lane, without knowing that there is such a thing.

use crate::{
    crash::{Point, reached},
    wake::SIGNAL,
};
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use ports::{
    Store, Wake,
    store::{
        Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Op, Page, Query, Record,
        Renewal, StoreError,
    },
};
use std::sync::Arc;

/// Passes everything on; after a commit that was done it rings the bells of the lanes that got work.
pub struct WakingStore {
    inner: Arc<dyn Store>,
    wake: Arc<dyn Wake>,
}

impl WakingStore {
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, wake: Arc<dyn Wake>) -> Self {
        Self { inner, wake }
    }
}

fn bell(op: &Op) -> Option<&str> {
    match op {
        Op::Enqueue(job) => Some(&job.lane),
        Op::Signal { .. } => Some(SIGNAL),
        _ => None,
    }
}

#[async_trait::async_trait]
impl Store for WakingStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut bells: Vec<String> = batch
            .ops
            .iter()
            .filter_map(bell)
            .map(str::to_owned)
            .collect();
        bells.sort_unstable();
        bells.dedup();
        reached(Point::CommitBefore);
        self.inner.commit(batch).await?;
        reached(Point::CommitAfter);
        for lane in bells {
            self.wake.wake(&lane);
        }
        Ok(())
    }

    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        self.inner.was_committed(id).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.inner.get(key).await
    }

    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        self.inner.query(query).await
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

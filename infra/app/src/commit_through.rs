//! A store of which only the commit is special; everything else goes straight through.

use domain::{
    Micros,
    id::{CommitId, JobId},
};
use ports::{
    Store,
    store::{
        Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Page, Query, Record,
        Renewal, StoreError,
    },
};
use std::sync::Arc;

/// What is done around a commit, or with its batch.
#[async_trait::async_trait]
pub trait Commit: Send + Sync {
    /// Keeps every promise of [`Store::commit`].
    async fn commit(&self, store: &dyn Store, batch: Batch) -> Result<(), StoreError>;
}

/// Commits to the store through `commit`.
pub struct CommitThrough<C> {
    pub store: Arc<dyn Store>,
    pub commit: C,
}

#[async_trait::async_trait]
impl<C: Commit> Store for CommitThrough<C> {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.commit.commit(&*self.store, batch).await
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

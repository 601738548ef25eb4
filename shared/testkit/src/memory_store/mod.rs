//! [`Store`] in memory: the fake that every test of a handler runs on.
//!
//! It keeps every promise of the port, and can be told to be as bad as a store may be: index reads that lag behind
//! ([`MemoryStore::stale`]), calls that fail ([`MemoryStore::fail_next`]), commits that succeed but are never answered
//! ([`MemoryStore::fail_after_commit`]). The contract suite holds it to the same cases as the real adapters.
//!
//! It has no clock of its own: times come with the calls, as they do for every store.

mod apply;
mod archive;
mod faults;
mod jobs;
mod query;
mod state;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use faults::Faults;
use ports::store::{
    Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Page, Query, Record, Renewal,
    Store, StoreError, Table,
};
use state::State;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    state: State,
    faults: Faults,
    /// What index reads show instead of the truth; `None` when nothing lags.
    lagging: Option<state::Records>,
    stale: bool,
}

impl MemoryStore {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on index reads show the records as they were before the last commit, until [`Self::settle`] or the next one.
    pub fn stale(&self) {
        self.lock().stale = true;
    }

    /// Index reads catch up with what is committed. Later commits lag again, if they did before.
    pub fn settle(&self) {
        self.lock().lagging = None;
    }

    /// The next `n` calls of the port, whichever they are, do nothing and answer this error, e.g.
    /// `store.fail_next(2, StoreError::Unavailable)`.
    pub fn fail_next(&self, n: usize, error: fn(String) -> StoreError) {
        self.lock().faults.any.set(n, error);
    }

    /// The next `n` commits do nothing and answer this error; other calls work.
    pub fn fail_commits(&self, n: usize, error: fn(String) -> StoreError) {
        self.lock().faults.commits.set(n, error);
    }

    /// The next `n` commits that succeed are committed, and answer `Unavailable` all the same: a connection lost in mid-commit.
    pub fn fail_after_commit(&self, n: usize) {
        self.lock()
            .faults
            .after_commit
            .set(n, StoreError::Unavailable);
    }

    /// All records of a table, by team and id.
    #[must_use]
    pub fn records(&self, table: &'static Table) -> Vec<(TeamId, Record)> {
        self.lock().state.records_of(table)
    }

    /// All entries of one journal.
    #[must_use]
    pub fn journal(&self, key: &JournalKey) -> Vec<String> {
        self.lock().state.journal(key).to_vec()
    }

    /// All jobs that are there, oldest first, those set aside too.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.lock()
            .state
            .jobs
            .values()
            .map(|held| held.job.clone())
            .collect()
    }

    /// How many batches were committed and not forgotten.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.lock().state.commits.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, unless this call is to fail.
    fn call(&self) -> Result<MutexGuard<'_, Inner>, StoreError> {
        let mut inner = self.lock();
        inner.faults.any.take()?;
        Ok(inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        let mut inner = self.call()?;
        inner.faults.commits.take()?;
        if !inner.state.commits.contains_key(&batch.id) {
            let before = inner.stale.then(|| inner.state.records.clone());
            apply::batch(&mut inner.state, &batch).map_err(StoreError::Conflict)?;
            if before.is_some() {
                inner.lagging = before;
            }
        }
        inner.faults.after_commit.take()
    }

    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        Ok(self.call()?.state.commits.contains_key(id))
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        Ok(self.call()?.state.get(key).cloned())
    }

    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        let inner = self.call()?;
        let records = match (&query.index, &inner.lagging) {
            (Some(_), Some(lagging)) => lagging,
            _ => &inner.state.records,
        };
        query::page(records, &query)
    }

    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        query::within("limit", limit, 1000)?;
        let inner = self.call()?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let entries = inner.state.journal(journal).iter().skip(from);
        Ok(entries.take(limit as usize).cloned().collect())
    }

    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        Ok(self.call()?.state.journal(journal).len() as u64)
    }

    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        Ok(self.call()?.state.counter(key))
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        query::within("limit", claim.limit, 100)?;
        Ok(jobs::claim(&mut self.call()?.state.jobs, &claim))
    }

    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError> {
        Ok(jobs::renew(&mut self.call()?.state.jobs, job, epoch, until))
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let inner = self.call()?;
        Ok(jobs::find(&inner.state.jobs, id).map(|(_, held)| held.job.clone()))
    }

    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        Ok(jobs::backlog(&self.call()?.state.jobs, now))
    }

    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError> {
        let mut inner = self.call()?;
        let had = inner.state.commits.len();
        inner.state.commits.retain(|_, at| *at >= before);
        Ok((had - inner.state.commits.len()) as u64)
    }
}

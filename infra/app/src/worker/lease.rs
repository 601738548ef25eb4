//! The leases of a worker's jobs: renewed together, and what a renewal answers reaches the work.

use super::Bench;
use domain::{Micros, id::JobId};
use futures::future::join_all;
use ports::{
    sandbox::Cancel,
    store::{Job, Renewal},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// What is leased, by job and epoch: a job that was lost and claimed again may be there twice for a moment.
#[derive(Default)]
pub(super) struct Leases(Mutex<HashMap<(JobId, u64), Held>>);

/// How to reach the work under a lease.
#[derive(Clone)]
pub(super) struct Held {
    pub until: Micros,
    /// Raised when somebody asks it to stop.
    pub cancel: Cancel,
    /// Cancelled when the lease is lost.
    pub lost: CancellationToken,
}

/// Takes the lease off the list when the work is over, however it ends.
pub(super) struct Listed<'a> {
    leases: &'a Leases,
    key: (JobId, u64),
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.leases.lock().remove(&self.key);
    }
}

impl Leases {
    fn lock(&self) -> MutexGuard<'_, HashMap<(JobId, u64), Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn list(&self, job: &Job, held: Held) -> Listed<'_> {
        let key = (job.id.clone(), job.epoch);
        self.lock().insert(key.clone(), held);
        Listed { leases: self, key }
    }

    /// Renews all at once, so that they share a transaction where the store can.
    pub(super) async fn renew(&self, bench: &Bench, lease: Duration) {
        let all: Vec<_> = self
            .lock()
            .iter()
            .map(|(key, held)| (key.clone(), held.clone()))
            .collect();
        join_all(all.into_iter().map(async |(key, held)| {
            let now = bench.clock.now();
            let until = now.plus(lease);
            match bench.store.renew(&key.0, key.1, until).await {
                Ok(Renewal::Held) => self.prolong(&key, until),
                Ok(Renewal::Signalled) => {
                    self.prolong(&key, until);
                    held.cancel.raise();
                }
                Ok(Renewal::Lost) => held.lost.cancel(),
                // Until the time is up it may still be ours; after that it may be anybody's.
                Err(_) if now < held.until => {}
                Err(error) => {
                    tracing::warn!(job = %key.0, %error, "the lease ran out: it could not be renewed");
                    held.lost.cancel();
                }
            }
        }))
        .await;
    }

    fn prolong(&self, key: &(JobId, u64), until: Micros) {
        if let Some(held) = self.lock().get_mut(key) {
            held.until = until;
        }
    }
}

//! The worker loop: one loop per lane claims what is due, each job runs in a task of its own under a lease, and what comes
//! out is settled. It knows nothing about what jobs do: [`Handlers`] is a table from a job's name to a function.
//!
//! ```text
//! lane ──claim──▶ job ──handler──▶ Ok: it finished the job in its own commit
//!                  │                Retry: postponed, later with every attempt; set aside after the last
//!   keeper ──renew─┘                Fail: set aside, and the owner is told
//! ```
//! Nothing here is needed for correctness: when the process dies, the leases run out and another worker takes over.

mod drain;
mod job;
mod lease;

#[cfg(test)]
mod tests;

use crate::wake::SIGNAL;
use domain::Micros;
use futures::future::BoxFuture;
use handlers::{HandlerError, Lease};
use lease::Leases;
use ports::{
    Chance, Clock, Store, Wake,
    store::{Claim, Job, Op, StoreError},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Does a job. `Ok` means that its own commit finished the job.
pub type Handler = Arc<dyn Fn(Lease) -> BoxFuture<'static, Result<(), HandlerError>> + Send + Sync>;

/// What else to commit when a job is set aside, so that the owner hears of it.
pub type Alert = Arc<dyn Fn(Job, String) -> BoxFuture<'static, Vec<Op>> + Send + Sync>;

/// Handlers by the job's name.
#[derive(Clone, Default)]
pub struct Handlers {
    by_name: HashMap<&'static str, Handler>,
    lasting: HashMap<&'static str, &'static str>,
}

impl Handlers {
    /// The same table with one handler more.
    #[must_use]
    pub fn with<F>(
        mut self,
        name: &'static str,
        handler: impl Fn(Lease) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.by_name
            .insert(name, Arc::new(move |lease| Box::pin(handler(lease))));
        self
    }

    /// Jobs of this name end by their handler's word alone: no number of failures or lost leases sets them aside. One that is
    /// dropped under way goes back with an error that begins with `interrupted`, which tells its next attempt.
    #[must_use]
    pub fn lasting(mut self, name: &'static str, interrupted: &'static str) -> Self {
        self.lasting.insert(name, interrupted);
        self
    }
}

/// Whether jobs of a lane may be taken now.
pub type Gate = Arc<dyn Fn() -> bool + Send + Sync>;

/// A class of jobs that this worker takes, and how many at once.
#[derive(Clone)]
pub struct Lane {
    pub name: String,
    pub at_once: usize,
    /// Asked before every look; what is closed is looked at again after [`Pace::poll`]. Open when absent.
    pub gate: Option<Gate>,
}

/// Times and counts. The defaults are for one machine.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long a lease holds without being renewed: how long a crash delays a job.
    pub lease: Duration,
    /// A sixth of it, so that several renewals may fail.
    pub renew_every: Duration,
    /// Longest time between two looks, which is how late work from another process may begin.
    pub poll: Duration,
    /// After this a step goes on in a new job. Longer than any model call may take.
    pub step: Duration,
    /// Claims after which a failing job is set aside.
    pub attempts: u32,
    /// Claims after which a job whose workers die is taken for the cause of that.
    pub deaths: u32,
    /// What a handler gets to stop after its lease was lost.
    pub grace: Duration,
    /// What work under way gets to finish when the process stops.
    pub shutdown: Duration,
    /// What the store gets then for a claim under way, and to take back what did not finish. Beyond, it is left to its lease.
    pub parting: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            renew_every: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            step: Duration::from_secs(15 * 60),
            attempts: 5,
            deaths: 12,
            grace: Duration::from_secs(2),
            shutdown: Duration::from_secs(10),
            parting: Duration::from_secs(3),
        }
    }
}

/// What a worker works with.
#[derive(Clone)]
pub struct Bench {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
    pub wake: Arc<dyn Wake>,
    /// Who has a lease: this process's name, another one each time.
    pub name: String,
}

/// A worker. [`Worker::run`] is its life.
pub struct Worker {
    bench: Bench,
    handlers: Handlers,
    alert: Alert,
    pace: Pace,
    leases: Leases,
    /// Cancelled when work under way is to be given up.
    abandon: CancellationToken,
    /// Cancelled when nobody waits any longer for it to be given back.
    over: CancellationToken,
    /// No step goes on after this.
    until: Option<Micros>,
}

impl Worker {
    #[must_use]
    pub fn new(bench: Bench, handlers: Handlers, alert: Alert, pace: Pace) -> Self {
        Self {
            bench,
            handlers,
            alert,
            pace,
            leases: Leases::default(),
            abandon: CancellationToken::new(),
            over: CancellationToken::new(),
            until: None,
        }
    }

    /// The same worker in a process that ends at that time: steps go on in a new job before it, not only after [`Pace::step`].
    #[must_use]
    pub fn until(mut self, end: Micros) -> Self {
        self.until = Some(end);
        self
    }

    /// Works until `stop` is cancelled; then lets what is under way finish, at most [`Pace::shutdown`], and gives the rest back as
    /// far as the store takes it.
    pub async fn run(self, lanes: Vec<Lane>, stop: CancellationToken) {
        let worker = Arc::new(self);
        let (mut loops, jobs) = (JoinSet::new(), TaskTracker::new());
        for lane in lanes {
            loops.spawn(worker.clone().serve(lane, stop.clone(), jobs.clone()));
        }
        let keeper = tokio::spawn(worker.clone().keep(CancellationToken::new()));
        stop.cancelled().await;
        let ended = async { while loops.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(worker.pace.parting, ended).await;
        loops.shutdown().await;
        jobs.close();
        worker.part(&jobs).await;
        keeper.abort();
    }

    async fn part(&self, jobs: &TaskTracker) {
        let ended = tokio::time::timeout(self.pace.shutdown, jobs.wait());
        if ended.await.is_ok() {
            return;
        }
        tracing::info!(
            jobs = jobs.len(),
            "giving work back that did not finish in time"
        );
        self.abandon.cancel();
        let ended = tokio::time::timeout(self.pace.parting, jobs.wait());
        if ended.await.is_err() {
            tracing::warn!(
                jobs = jobs.len(),
                "the store does not take it; it goes on when its lease has run out"
            );
            self.over.cancel();
            jobs.wait().await;
        }
    }

    /// One lane: claims as much as there is room for, then waits for a bell, a due time or a free place.
    async fn serve(self: Arc<Self>, lane: Lane, stop: CancellationToken, jobs: TaskTracker) {
        let places = Arc::new(Semaphore::new(lane.at_once));
        let bells = [lane.name.as_str()];
        loop {
            let place = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                place = places.clone().acquire_owned() => place,
            };
            // The semaphore is never closed.
            let Ok(place) = place else { return };
            if lane.gate.as_ref().is_some_and(|open| !open()) {
                drop(place);
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(self.pace.poll) => continue,
                }
            }
            let free = (1 + places.available_permits()).min(100);
            drop(place);
            let (found, next) = self.claim(&lane.name, free).await.unwrap_or_else(|error| {
                tracing::warn!(lane.name, %error, "cannot look for work");
                (Vec::new(), Some(self.pace.poll))
            });
            let next = next.unwrap_or(self.pace.poll);
            let full = found.len() == free;
            for job in found {
                let Ok(place) = places.clone().acquire_owned().await else {
                    return;
                };
                let worker = self.clone();
                let lane = lane.name.clone();
                jobs.spawn(async move {
                    worker.over.run_until_cancelled(worker.work(job)).await;
                    drop(place);
                    // Its successor in the same serial key may be due now.
                    worker.bench.wake.wake(&lane);
                });
            }
            if !full {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = self.bench.wake.wait(&bells, next.min(self.pace.poll)) => {}
                }
            }
        }
    }

    /// What is due, and in how long the next may be, if nothing else happens.
    async fn claim(
        &self,
        lane: &str,
        limit: usize,
    ) -> Result<(Vec<Job>, Option<Duration>), StoreError> {
        let now = self.bench.clock.now();
        let claim = Claim {
            lanes: vec![lane.to_owned()],
            worker: self.bench.name.clone(),
            now,
            lease: self.pace.lease,
            limit: u32::try_from(limit).unwrap_or(1),
        };
        let claimed = self.bench.store.claim(claim).await?;
        let next = claimed.next.map(|next| next.since(now));
        Ok((claimed.jobs, next))
    }

    /// Renews all leases from time to time, and at once when somebody asks work to stop.
    async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let bells = [SIGNAL];
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.bench.wake.wait(&bells, self.pace.renew_every) => {}
            }
            self.leases.renew(&self.bench, self.pace.lease).await;
        }
    }
}

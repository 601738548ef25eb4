//! One job: its handler in a task of its own, so that a panic stays there, and what becomes of the job afterwards.

use super::{Worker, lease::Held};
use domain::{Micros, id::CommitId};
use handlers::{HandlerError, Lease};
use ports::{
    sandbox::Cancel,
    store::{Batch, Job, Op, StoreError},
};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// The first wait after a failure; it doubles with every attempt.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Attempts to write down what became of a job.
const SETTLE_ATTEMPTS: u32 = 4;

/// How the work came out.
enum Ending {
    /// The handler finished the job.
    Done,
    Again {
        after: Option<Duration>,
        error: String,
    },
    Never {
        error: String,
    },
    /// Not ours any more: nothing is written.
    Lost,
    /// The process stops: somebody else goes on.
    GivenBack,
}

impl Ending {
    const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again { .. } => "retry",
            Self::Never { .. } => "failed",
            Self::Lost => "lost",
            Self::GivenBack => "given_back",
        }
    }
}

impl Worker {
    pub(super) async fn work(&self, job: Job) {
        let span = span(&job);
        async {
            let began = Instant::now();
            let ending = self.perform(&job).await;
            metrics::counter!("countersign_jobs_total", "job" => job.name.clone(), "outcome" => ending.name()).increment(1);
            metrics::histogram!("countersign_job_seconds", "job" => job.name.clone()).record(began.elapsed().as_secs_f64());
            self.settle(&job, ending).await;
        }
        .instrument(span)
        .await;
    }

    async fn perform(&self, job: &Job) -> Ending {
        let Some(handler) = self.handlers.by_name.get(job.name.as_str()) else {
            // During an upgrade a newer process may know it.
            let error = format!("this program has no handler named {}", job.name);
            return Ending::Again { after: None, error };
        };
        if job.lost_before && job.attempts > self.pace.deaths && !self.lasts(job) {
            let error = "its worker died every time".to_owned();
            return Ending::Never { error };
        }
        let now = self.bench.clock.now();
        let held = Held {
            until: now.plus(self.pace.lease),
            cancel: Cancel::default(),
            lost: CancellationToken::new(),
        };
        let step = now.plus(self.pace.step);
        let _listed = self.leases.list(job, held.clone());
        let lease = Lease {
            job: job.clone(),
            cancel: held.cancel.clone(),
            deadline: self.until.map_or(step, |until| until.min(step)),
        };
        let work = tokio::spawn(handler(lease).instrument(tracing::Span::current()));
        self.watch(job, work, &held).await
    }

    /// A dead worker's claim may not have been the job's fault, so it takes more of them.
    fn most(&self, job: &Job) -> u32 {
        match job.lost_before {
            true => self.pace.deaths,
            false => self.pace.attempts,
        }
    }

    fn lasts(&self, job: &Job) -> bool {
        self.handlers.lasting.contains_key(job.name.as_str())
    }

    /// The error of a job that was dropped in the middle, so that a handler that has to know can tell.
    fn dropped(&self, job: &Job, why: &str) -> String {
        match self.handlers.lasting.get(job.name.as_str()) {
            Some(interrupted) => format!("{interrupted}: {why}"),
            None => why.to_owned(),
        }
    }

    /// Waits for the handler, unless the lease is lost or the process stops.
    async fn watch(
        &self,
        job: &Job,
        mut work: JoinHandle<Result<(), HandlerError>>,
        held: &Held,
    ) -> Ending {
        let ended = tokio::select! {
            ended = &mut work => ended,
            () = held.lost.cancelled() => {
                held.cancel.raise();
                if tokio::time::timeout(self.pace.grace, &mut work).await.is_err() {
                    work.abort();
                    let _ = work.await;
                }
                return Ending::Lost;
            }
            () = self.abandon.cancelled() => {
                // Dropped where it stands, like in a crash, but the successor needn't wait for the lease's end.
                work.abort();
                return match work.await {
                    Ok(Ok(())) => Ending::Done,
                    _ => Ending::GivenBack,
                };
            }
        };
        match ended {
            Ok(Ok(())) => Ending::Done,
            Ok(Err(HandlerError::Retry { after, error })) => Ending::Again { after, error },
            Ok(Err(HandlerError::Fail(error))) => Ending::Never { error },
            Ok(Err(HandlerError::LeaseLost)) => Ending::Lost,
            // What a panic says stays in the log of the panic: it may hold anything.
            Err(_) => Ending::Again {
                after: None,
                error: self.dropped(job, "the handler panicked"),
            },
        }
    }

    async fn settle(&self, job: &Job, ending: Ending) {
        let now = self.bench.clock.now();
        let (id, epoch) = (job.id.clone(), job.epoch);
        let ops = match ending {
            Ending::Done => return,
            Ending::Lost => {
                tracing::warn!("the lease was lost; somebody else goes on");
                return;
            }
            Ending::GivenBack => {
                let error = self.dropped(job, "the process stopped");
                vec![Op::Postpone {
                    job: id,
                    epoch,
                    due: now,
                    error,
                    counted: false,
                }]
            }
            Ending::Again { after, error } if job.attempts < self.most(job) || self.lasts(job) => {
                tracing::warn!(attempt = job.attempts, error, "postponed");
                let due = now.plus(after.unwrap_or_else(|| wait(job.attempts)));
                vec![Op::Postpone {
                    job: id,
                    epoch,
                    due,
                    error,
                    counted: true,
                }]
            }
            Ending::Again { error, .. } | Ending::Never { error } => {
                return self.set_aside(job, error).await;
            }
        };
        self.write_down(now, ops).await;
    }

    /// The first operation is the job's, what follows goes with it. False when what goes with it does not fit the world any more.
    async fn write_down(&self, at: Micros, ops: Vec<Op>) -> bool {
        for attempt in 1..=SETTLE_ATTEMPTS {
            let id = CommitId::new(self.bench.chance.id());
            match self
                .bench
                .store
                .commit(Batch {
                    id,
                    at,
                    ops: ops.clone(),
                })
                .await
            {
                Ok(()) => return true,
                // Lost meanwhile, or the handler got through to the end after all.
                Err(StoreError::Conflict(conflict)) if conflict.op == 0 => return true,
                Err(StoreError::Conflict(_) | StoreError::Rejected(_)) => return false,
                Err(error) => {
                    tracing::warn!(%error, "cannot write down what became of the job");
                    if attempt < SETTLE_ATTEMPTS {
                        tokio::time::sleep(Duration::from_millis(100) * attempt).await;
                    }
                }
            }
        }
        true
    }

    /// Whoever has to know is told in the same commit, made anew while the world moves. At last the job is set aside alone: nothing
    /// may keep it in everybody's way.
    async fn set_aside(&self, job: &Job, error: String) {
        tracing::error!(attempts = job.attempts, error, "set aside");
        let aside = Op::SetAside {
            job: job.id.clone(),
            epoch: job.epoch,
            error: error.clone(),
        };
        for _ in 0..SETTLE_ATTEMPTS {
            let mut ops = vec![aside.clone()];
            ops.extend((self.alert)(job.clone(), error.clone()).await);
            if self.write_down(self.bench.clock.now(), ops).await {
                return;
            }
        }
        self.write_down(self.bench.clock.now(), vec![aside]).await;
    }
}

fn wait(attempts: u32) -> Duration {
    FIRST_WAIT
        .saturating_mul(1 << attempts.saturating_sub(1).min(16))
        .min(LONGEST_WAIT)
}

/// With the ids under which people look for it.
fn span(job: &Job) -> tracing::Span {
    let span = tracing::info_span!(
        "job",
        name = %job.name,
        job = %job.id,
        run = tracing::field::Empty,
        session = tracing::field::Empty
    );
    if let Some((kind, id)) = job
        .serial
        .as_deref()
        .and_then(|serial| serial.split_once(':'))
    {
        match kind {
            "run" => span.record("run", id),
            "in" | "out" => span.record("session", id),
            _ => &span,
        };
    }
    span
}

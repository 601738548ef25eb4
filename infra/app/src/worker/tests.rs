use super::*;
use crate::{chance::SystemChance, clock::SystemClock, wake::Bells, waking_store::waking};
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use ports::store::{Batch, NewJob, Priority};
use std::sync::Mutex;
use testkit::memory_store::MemoryStore;
use tokio::sync::mpsc;

const LANE: &str = "run";

/// A worker's surroundings: what handlers say comes out of `heard`.
struct Place {
    memory: Arc<MemoryStore>,
    bench: Bench,
    alerts: Arc<Mutex<Vec<String>>>,
    say: mpsc::UnboundedSender<String>,
    heard: mpsc::UnboundedReceiver<String>,
    stop: CancellationToken,
}

impl Place {
    fn new() -> Self {
        let memory = Arc::new(MemoryStore::new());
        let wake: Arc<dyn Wake> = Arc::new(Bells::default());
        let (say, heard) = mpsc::unbounded_channel();
        Self {
            bench: Bench {
                store: waking(memory.clone(), wake.clone()),
                clock: Arc::new(SystemClock::default()),
                chance: Arc::new(SystemChance),
                wake,
                name: "tests".to_owned(),
            },
            memory,
            alerts: Arc::default(),
            say,
            heard,
            stop: CancellationToken::new(),
        }
    }

    fn start(&self, handlers: Handlers, pace: Pace, at_once: usize) -> tokio::task::JoinHandle<()> {
        let worker = self.worker(handlers, pace);
        tokio::spawn(worker.run(vec![lane(at_once)], self.stop.clone()))
    }

    fn worker(&self, handlers: Handlers, pace: Pace) -> Worker {
        let alerts = self.alerts.clone();
        let alert: Alert = Arc::new(move |job, error| {
            alerts.lock().unwrap().push(format!("{}: {error}", job.id));
            Box::pin(async { Vec::new() })
        });
        Worker::new(self.bench.clone(), handlers, alert, pace)
    }

    async fn commit(&self, ops: Vec<Op>) {
        let id = CommitId::new(self.bench.chance.id());
        self.bench
            .store
            .commit(Batch {
                id,
                at: Micros(0),
                ops,
            })
            .await
            .unwrap();
    }

    async fn enqueue(&self, id: &str, name: &str, serial: Option<&str>) {
        let job = NewJob {
            id: JobId::new(id),
            team: "home".into(),
            name: name.to_owned(),
            lane: LANE.to_owned(),
            serial: serial.map(str::to_owned),
            priority: Priority::Normal,
            payload: "{}".to_owned(),
            due: Micros(0),
        };
        self.commit(vec![Op::Enqueue(job)]).await;
    }

    async fn hear(&mut self) -> String {
        self.heard.recv().await.unwrap()
    }

    /// The job, once it looks like this.
    async fn job_when(&self, id: &str, fits: impl Fn(&Job) -> bool) -> Job {
        loop {
            if let Some(job) = self
                .memory
                .job(&JobId::new(id))
                .await
                .unwrap()
                .filter(&fits)
            {
                return job;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn end(self, worker: tokio::task::JoinHandle<()>) {
        self.stop.cancel();
        worker.await.unwrap();
    }
}

fn lane(at_once: usize) -> Lane {
    Lane {
        name: LANE.to_owned(),
        at_once,
        gate: None,
    }
}

async fn finish(bench: &Bench, lease: &Lease) -> Result<(), HandlerError> {
    let ops = vec![Op::Finish {
        job: lease.job.id.clone(),
        epoch: lease.job.epoch,
    }];
    let id = CommitId::new(bench.chance.id());
    Ok(bench
        .store
        .commit(Batch {
            id,
            at: Micros(0),
            ops,
        })
        .await?)
}

/// Nothing waits for the next look in these tests: bells must do.
fn patient() -> Pace {
    Pace {
        poll: Duration::from_secs(3600),
        ..Pace::default()
    }
}

/// Says the job's id and finishes it.
fn saying(place: &Place) -> Handlers {
    let (bench, say) = (place.bench.clone(), place.say.clone());
    Handlers::default().with("say", move |lease| {
        let (bench, say) = (bench.clone(), say.clone());
        async move {
            finish(&bench, &lease).await?;
            let _ = say.send(lease.job.id.to_string());
            Ok(())
        }
    })
}

#[tokio::test]
async fn jobs_of_a_serial_key_follow_each_other_and_a_commit_rings() {
    let mut place = Place::new();
    let worker = place.start(saying(&place), patient(), 4);
    for id in ["a", "b", "c"] {
        place.enqueue(id, "say", Some("run:1")).await;
    }
    let heard = [place.hear().await, place.hear().await, place.hear().await];
    assert_eq!(heard, ["a", "b", "c"]);
    place.end(worker).await;
}

#[tokio::test]
async fn no_more_than_the_lane_allows_run_at_once() {
    let mut place = Place::new();
    let running = Arc::new(Mutex::new((0_u32, 0_u32)));
    let (bench, say, shared) = (place.bench.clone(), place.say.clone(), running.clone());
    let handlers = Handlers::default().with("count", move |lease| {
        let (bench, say, shared) = (bench.clone(), say.clone(), shared.clone());
        async move {
            {
                let mut counts = shared.lock().unwrap();
                counts.0 += 1;
                counts.1 = counts.1.max(counts.0);
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            shared.lock().unwrap().0 -= 1;
            finish(&bench, &lease).await?;
            let _ = say.send(String::new());
            Ok(())
        }
    });
    for id in 0..30 {
        place.enqueue(&format!("j{id}"), "count", None).await;
    }
    let worker = place.start(handlers, patient(), 3);
    for _ in 0..30 {
        place.hear().await;
    }
    assert_eq!(running.lock().unwrap().1, 3);
    place.end(worker).await;
}

#[tokio::test]
async fn a_failure_for_now_is_postponed_with_its_error() {
    let place = Place::new();
    let handlers = Handlers::default().with("later", |_| async {
        Err(HandlerError::Retry {
            after: Some(Duration::from_secs(600)),
            error: "busy".to_owned(),
        })
    });
    let worker = place.start(handlers, patient(), 1);
    place.enqueue("a", "later", None).await;
    let job = place.job_when("a", |job| job.last_error.is_some()).await;
    assert_eq!(
        (job.attempts, job.set_aside, job.last_error.as_deref()),
        (1, false, Some("busy"))
    );
    assert!(job.due > place.bench.clock.now());
    place.end(worker).await;
}

#[tokio::test]
async fn a_failure_for_good_is_set_aside_and_told_to_the_owner() {
    let place = Place::new();
    let handlers = Handlers::default().with("never", |_| async {
        Err(HandlerError::Fail("unreadable".to_owned()))
    });
    let worker = place.start(handlers, patient(), 1);
    place.enqueue("a", "never", None).await;
    place.job_when("a", |job| job.set_aside).await;
    assert_eq!(*place.alerts.lock().unwrap(), ["a: unreadable"]);
    place.end(worker).await;
}

#[tokio::test]
async fn a_panic_stays_in_its_job_which_is_set_aside_after_the_last_attempt() {
    let mut place = Place::new();
    let handlers = saying(&place).with("panic", |_| async { panic!("a defect") });
    let worker = place.start(
        handlers,
        Pace {
            attempts: 1,
            ..patient()
        },
        1,
    );
    place.enqueue("a", "panic", None).await;
    place.enqueue("b", "say", None).await;
    assert_eq!(place.hear().await, "b");
    let job = place.job_when("a", |job| job.set_aside).await;
    assert_eq!(job.last_error.as_deref(), Some("the handler panicked"));
    place.end(worker).await;
}

#[tokio::test]
async fn a_name_that_nobody_knows_waits_for_a_program_that_does() {
    let place = Place::new();
    let worker = place.start(Handlers::default(), patient(), 1);
    place.enqueue("a", "unheard-of", None).await;
    let job = place.job_when("a", |job| job.last_error.is_some()).await;
    assert!(!job.set_aside);
    place.end(worker).await;
}

/// Says when it began, then waits to be asked to stop.
fn waiting(place: &Place) -> Handlers {
    let (bench, say) = (place.bench.clone(), place.say.clone());
    Handlers::default().with("wait", move |lease| {
        let (bench, say) = (bench.clone(), say.clone());
        async move {
            let _ = say.send("began".to_owned());
            lease.cancel.raised().await;
            let _ = say.send("asked to stop".to_owned());
            finish(&bench, &lease).await
        }
    })
}

#[tokio::test]
async fn a_signal_reaches_the_work_at_once() {
    let mut place = Place::new();
    let pace = Pace {
        renew_every: Duration::from_secs(3600),
        ..patient()
    };
    let worker = place.start(waiting(&place), pace, 1);
    place.enqueue("a", "wait", Some("run:1")).await;
    assert_eq!(place.hear().await, "began");
    place
        .commit(vec![Op::Signal {
            serial: "run:1".to_owned(),
        }])
        .await;
    assert_eq!(place.hear().await, "asked to stop");
    place.end(worker).await;
}

#[tokio::test]
async fn who_lost_the_lease_is_stopped_and_writes_nothing() {
    let mut place = Place::new();
    let pace = Pace {
        renew_every: Duration::from_millis(1),
        lease: Duration::ZERO,
        ..patient()
    };
    let worker = place.start(waiting(&place), pace, 1);
    place.enqueue("a", "wait", None).await;
    assert_eq!(place.hear().await, "began");
    // Its lease has no length, so another worker may take the job, unless a renewal came between.
    let other = loop {
        let now = place.bench.clock.now().plus(Duration::from_secs(60));
        let claim = Claim {
            lanes: vec![LANE.to_owned()],
            worker: "other".to_owned(),
            now,
            lease: Duration::from_secs(60),
            limit: 1,
        };
        if let Some(job) = place.memory.claim(claim).await.unwrap().jobs.pop() {
            break job;
        }
    };
    assert_eq!(place.hear().await, "asked to stop");
    place.stop.cancel();
    worker.await.unwrap();
    let job = place.memory.job(&JobId::new("a")).await.unwrap().unwrap();
    assert_eq!(
        (job.epoch, job.last_error),
        (other.epoch, None),
        "the other's job is untouched"
    );
}

#[tokio::test]
async fn who_stops_gives_back_what_does_not_finish() {
    let mut place = Place::new();
    let pace = Pace {
        shutdown: Duration::ZERO,
        ..patient()
    };
    let worker = place.start(waiting(&place), pace, 1);
    place.enqueue("a", "wait", None).await;
    assert_eq!(place.hear().await, "began");
    place.stop.cancel();
    worker.await.unwrap();
    let job = place.memory.job(&JobId::new("a")).await.unwrap().unwrap();
    assert_eq!((job.attempts, job.lost_before), (0, false));
    assert_eq!(job.last_error.as_deref(), Some("the process stopped"));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_asked_again() {
    let mut place = Place::new();
    place.enqueue("a", "say", None).await;
    place
        .memory
        .fail_next(1, ports::store::StoreError::Unavailable);
    let pace = Pace {
        poll: Duration::from_millis(1),
        ..Pace::default()
    };
    let worker = place.start(saying(&place), pace, 1);
    assert_eq!(place.hear().await, "a");
    place.end(worker).await;
}

#[tokio::test]
async fn a_lasting_job_is_never_set_aside_and_goes_back_marked_when_it_is_dropped() {
    let mut place = Place::new();
    let pace = Pace {
        attempts: 1,
        shutdown: Duration::ZERO,
        ..patient()
    };
    let later = || {
        Err(HandlerError::Retry {
            after: Some(Duration::from_secs(600)),
            error: "busy".to_owned(),
        })
    };
    let handlers = waiting(&place)
        .with("later", move |_| async move { later() })
        .lasting("later", "interrupted")
        .lasting("wait", "interrupted");
    let worker = place.start(handlers, pace, 2);
    place.enqueue("a", "later", None).await;
    let job = place.job_when("a", |job| job.last_error.is_some()).await;
    assert_eq!(
        (job.set_aside, job.last_error.as_deref()),
        (false, Some("busy"))
    );
    place.enqueue("b", "wait", None).await;
    assert_eq!(place.hear().await, "began");
    place.stop.cancel();
    worker.await.unwrap();
    let job = place.memory.job(&JobId::new("b")).await.unwrap().unwrap();
    assert_eq!(
        job.last_error.as_deref(),
        Some("interrupted: the process stopped")
    );
}

#[tokio::test]
async fn a_lasting_job_outlives_any_number_of_dead_workers() {
    let mut place = Place::new();
    place.enqueue("a", "say", None).await;
    for round in 1..=9_u32 {
        let claim = Claim {
            lanes: vec![LANE.to_owned()],
            worker: "dies".to_owned(),
            now: Micros(i64::from(round)),
            lease: Duration::ZERO,
            limit: 1,
        };
        assert_eq!(place.memory.claim(claim).await.unwrap().jobs.len(), 1);
    }
    let worker = place.start(saying(&place).lasting("say", "interrupted"), patient(), 1);
    assert_eq!(place.hear().await, "a");
    place.end(worker).await;
}

#[tokio::test]
async fn a_closed_lane_is_left_alone_until_it_opens() {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    let mut place = Place::new();
    place.enqueue("a", "say", None).await;
    let (open, asked) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let gate: Gate = {
        let (open, asked) = (open.clone(), asked.clone());
        Arc::new(move || {
            asked.fetch_add(1, Ordering::SeqCst);
            open.load(Ordering::SeqCst)
        })
    };
    let lane = Lane {
        name: LANE.to_owned(),
        at_once: 1,
        gate: Some(gate),
    };
    let pace = Pace {
        poll: Duration::from_millis(1),
        ..Pace::default()
    };
    let alert: Alert = Arc::new(|_, _| Box::pin(async { Vec::new() }));
    let worker = Worker::new(place.bench.clone(), saying(&place), alert, pace);
    let worker = tokio::spawn(worker.run(vec![lane], place.stop.clone()));
    while asked.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    let job = place.memory.job(&JobId::new("a")).await.unwrap().unwrap();
    assert_eq!(job.attempts, 0, "nobody has taken it");
    open.store(true, Ordering::SeqCst);
    assert_eq!(place.hear().await, "a");
    place.end(worker).await;
}

#[tokio::test]
async fn a_drain_ends_when_all_is_done_and_says_when_to_look_again() {
    let mut place = Place::new();
    let handlers = saying(&place).with("later", |_| async {
        Err(HandlerError::Retry {
            after: Some(Duration::from_secs(600)),
            error: "busy".to_owned(),
        })
    });
    let worker = place.worker(handlers.clone(), patient());
    let idle = worker.drain(&lane(2), place.stop.clone()).await.unwrap();
    assert_eq!(idle, None);
    for id in ["a", "b", "c"] {
        place.enqueue(id, "say", Some("run:1")).await;
    }
    place.enqueue("d", "later", None).await;
    let worker = place.worker(handlers, patient());
    let next = worker.drain(&lane(2), place.stop.clone()).await.unwrap();
    assert_eq!(
        [place.hear().await, place.hear().await, place.hear().await],
        ["a", "b", "c"]
    );
    assert!(
        next.is_some_and(|next| next > Duration::from_secs(500)),
        "{next:?}"
    );
    assert!(place.memory.job(&JobId::new("a")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_drain_that_must_stop_gives_back_what_is_under_way_and_begins_nothing_more() {
    let mut place = Place::new();
    let say = place.say.clone();
    let handlers = Handlers::default().with("endless", move |lease| {
        let say = say.clone();
        async move {
            let _ = say.send(lease.job.id.to_string());
            std::future::pending().await
        }
    });
    for id in ["a", "b"] {
        place.enqueue(id, "endless", None).await;
    }
    let pace = Pace {
        shutdown: Duration::ZERO,
        ..patient()
    };
    let (worker, stop) = (place.worker(handlers, pace), place.stop.clone());
    let draining = tokio::spawn(async move { worker.drain(&lane(1), stop).await });
    assert_eq!(place.hear().await, "a");
    place.stop.cancel();
    assert_eq!(draining.await.unwrap().unwrap(), Some(Duration::ZERO));
    let (a, b) = (JobId::new("a"), JobId::new("b"));
    let a = place.memory.job(&a).await.unwrap().unwrap();
    let b = place.memory.job(&b).await.unwrap().unwrap();
    assert_eq!((a.attempts, b.attempts), (0, 0));
    assert_eq!(a.last_error.as_deref(), Some("the process stopped"));
}

#[tokio::test]
async fn no_step_outlasts_its_process() {
    let mut place = Place::new();
    let (bench, say) = (place.bench.clone(), place.say.clone());
    let handlers = Handlers::default().with("step", move |lease| {
        let (bench, say) = (bench.clone(), say.clone());
        async move {
            let _ = say.send(lease.deadline.0.to_string());
            finish(&bench, &lease).await
        }
    });
    place.enqueue("a", "step", None).await;
    let end = place.bench.clock.now().plus(Duration::from_secs(60));
    let worker = place.worker(handlers, patient()).until(end);
    worker.drain(&lane(1), place.stop.clone()).await.unwrap();
    assert_eq!(place.hear().await, end.0.to_string());
}

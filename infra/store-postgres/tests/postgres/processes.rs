//! Several stores on one database, as several processes have it: who waits for whom, and who wakes whom.

use super::{create, key, scratch, store};
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::{
    Wake,
    store::{Batch, Claim, ConflictReason, Expect, Job, NewJob, Op, Priority, Store, StoreError},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use store_postgres::{Notices, Options, PostgresStore, Scratch};
use testkit::contract::{Broken, Outcome, all_of};
use tokio::sync::Notify;

const LONG: Duration = Duration::from_secs(60);

/// Both at once, so that both find an empty schema and want to make the tables.
async fn two() -> Result<([Arc<PostgresStore>; 2], Scratch), Broken> {
    let scratch = scratch().await?;
    let (one, two) = tokio::join!(
        PostgresStore::open(scratch.url(), Options::default()),
        PostgresStore::open(scratch.url(), Options::default())
    );
    Ok(([Arc::new(one?), Arc::new(two?)], scratch))
}

fn batch(id: String, ops: Vec<Op>) -> Batch {
    Batch {
        id: CommitId::new(id),
        at: Micros(0),
        ops,
    }
}

fn job(id: String, serial: &str) -> Op {
    Op::Enqueue(NewJob {
        id: JobId::new(id),
        team: TeamId::from("home"),
        name: "test".to_owned(),
        lane: "run".to_owned(),
        serial: Some(serial.to_owned()),
        priority: Priority::Normal,
        payload: "{}".to_owned(),
        due: Micros(0),
    })
}

async fn claim(store: &PostgresStore, limit: u32) -> Result<Vec<Job>, StoreError> {
    let claim = Claim {
        lanes: vec!["run".to_owned()],
        worker: "w".to_owned(),
        now: Micros(0),
        lease: LONG,
        limit,
    };
    Ok(store.claim(claim).await?.jobs)
}

/// Jobs of three keys are made and finished at the same time, from all sides: at no time two of one key are leased, each is done
/// once, and in the order of its making.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_key_stays_in_order_while_others_add_to_it() -> Outcome {
    const EACH: usize = 40;
    let (stores, _scratch) = two().await?;
    let making = {
        let stores = stores.clone();
        tokio::spawn(all_of(3, move |task| {
            let store = stores[task % 2].clone();
            async move {
                for i in 0..EACH {
                    let id = format!("{task}-{i:02}");
                    // The other key first or last: whoever takes locks one by one would meet another one on the way.
                    let (near, far) = (format!("k{task}"), format!("k{}", (task + 1) % 3));
                    let ops = vec![job(format!("{id}-a"), &near), job(format!("{id}-b"), &far)];
                    store.commit(batch(id, ops)).await?;
                }
                Ok(())
            }
        }))
    };
    let mut done: HashMap<String, Vec<String>> = HashMap::new();
    let mut turn = 0;
    loop {
        let over = making.is_finished();
        let store = &stores[turn % 2];
        turn += 1;
        let jobs = claim(store, 10).await?;
        let mut keys: Vec<_> = jobs.iter().filter_map(|job| job.serial.clone()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), jobs.len(), "two of one key: {jobs:?}");
        if jobs.is_empty() && over && store.backlog(Micros(0)).await?.is_empty() {
            break;
        }
        for job in jobs {
            let finish = Op::Finish {
                job: job.id.clone(),
                epoch: job.epoch,
            };
            stores[turn % 2]
                .commit(batch(format!("f-{}", job.id), vec![finish]))
                .await?;
            done.entry(job.serial.unwrap_or_default())
                .or_default()
                .push(job.id.to_string());
        }
    }
    making.await??;
    assert_eq!(done.values().map(Vec::len).sum::<usize>(), 3 * 2 * EACH);
    for ids in done.values() {
        for task in ["0", "1", "2"] {
            let of_one: Vec<_> = ids.iter().filter(|id| id.starts_with(task)).collect();
            assert!(of_one.is_sorted(), "{of_one:?}");
        }
    }
    Ok(())
}

/// Each of two checks that what the other one makes isn't there: one of them may, never both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_checked_holds_until_the_commit() -> Outcome {
    let (stores, _scratch) = two().await?;
    for round in 0..30 {
        let names = [format!("{round}-a"), format!("{round}-b")];
        let made = all_of(2, |task| {
            let store = stores[task].clone();
            let (mine, other) = (names[task].clone(), names[1 - task].clone());
            async move {
                let mut batch = create(&mine);
                batch.ops.push(Op::Check {
                    key: key(&other),
                    expect: Expect::Absent,
                });
                match store.commit(batch).await {
                    Ok(()) => Ok(1),
                    Err(StoreError::Conflict(met)) => {
                        assert!(matches!(met.reason, ConflictReason::Version { .. }));
                        Ok(0)
                    }
                    Err(other) => Err(other.into()),
                }
            }
        })
        .await?;
        assert!(made.iter().sum::<i32>() <= 1, "both in round {round}");
    }
    Ok(())
}

/// One commit from two sides at once, as when an answer was lost while the server still worked on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_commit_from_two_sides_is_done_once() -> Outcome {
    let (stores, _scratch) = two().await?;
    for round in 0..20 {
        all_of(2, |task| {
            let store = stores[task].clone();
            async move { Ok(store.commit(create(&format!("{round}"))).await?) }
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_committed_is_there_after_closing() -> Outcome {
    let (first, scratch) = store().await?;
    first.commit(create("a")).await?;
    first.close().await;
    let second = PostgresStore::open(scratch.url(), Options::default()).await?;
    assert!(second.get(&key("a")).await?.is_some());
    assert!(second.was_committed(&CommitId::from("a")).await?);
    Ok(())
}

/// Counts what it hears.
#[derive(Default)]
struct Bell {
    heard: std::sync::Mutex<Vec<String>>,
    rung: Notify,
}

#[async_trait::async_trait]
impl Wake for Bell {
    fn wake(&self, lane: &str) {
        if let Ok(mut heard) = self.heard.lock() {
            heard.push(lane.to_owned());
        }
        self.rung.notify_one();
    }

    async fn wait(&self, _: &[&str], limit: Duration) {
        let _ = tokio::time::timeout(limit, self.rung.notified()).await;
    }
}

impl Bell {
    fn heard(&self, lane: &str) -> usize {
        let heard = self
            .heard
            .lock()
            .map(|heard| heard.clone())
            .unwrap_or_default();
        heard.iter().filter(|heard| *heard == lane).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_is_heard_by_the_other_process() -> Outcome {
    let (scratch, elsewhere) = (scratch().await?, scratch().await?);
    let bells: Vec<Arc<Bell>> = (0..3).map(|_| Arc::new(Bell::default())).collect();
    let mut notices = Vec::new();
    for (bell, place) in bells.iter().zip([&scratch, &scratch, &elsewhere]) {
        notices.push(Notices::start(place.url(), bell.clone())?);
    }
    // The other one may not listen yet: whoever waits for work looks again as well.
    let mut rung = 0;
    while bells[1].heard("run") == 0 {
        notices[0].wake("run");
        rung += 1;
        notices[1].wait(&["run"], Duration::from_millis(50)).await;
    }
    assert_eq!(
        bells[0].heard("run"),
        rung,
        "one's own ring is heard at once, and once"
    );
    assert_eq!(
        bells[2].heard("run"),
        0,
        "another team's rings are not ours"
    );
    Ok(())
}

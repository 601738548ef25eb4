//! Random histories on the memory store and on the others: every answer is the same, and so is what is there at the end.
//!
//! The memory store is written to be read, the others to be quick. Where they differ, one of them breaks a promise, or the port
//! leaves something open that it must not.

use crate::database::postgres_server;
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::{
    repo::{agents::AGENTS, runs::RUN_EVENTS},
    store::{
        Batch, Claim, Conflict, CounterKey, Expect, IndexValue, JournalKey, Key, NewJob, Op,
        Priority, Query, Store, StoreError,
    },
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{TestError, TestRunner},
};
use std::time::Duration;
use store_postgres::{PostgresStore, Scratch};
use store_sqlite::{SqliteStore, Synchronous};
use testkit::memory_store::MemoryStore;

/// One call of the port. Batches refer to jobs by name and to epochs by number, right or wrong.
#[derive(Clone, Debug)]
enum Call {
    Commit { id: u8, ops: Vec<Op> },
    Claim(Claim),
    Renew(&'static str, u64, i64),
    Backlog(i64),
    Forget(i64),
    Query(Query),
}

/// What was answered, without the texts for people.
#[derive(PartialEq, Debug)]
enum Answer {
    Fine(String),
    Conflict(Conflict),
    Refused,
    Failed(String),
}

const RECORDS: [&str; 3] = ["a", "b", "ä"];
const JOBS: [&str; 3] = ["j1", "j2", "j3"];
const SERIALS: [&str; 2] = ["chat", "topic"];
const LANES: [&str; 2] = ["run", "send"];

fn team() -> TeamId {
    TeamId::from("home")
}

fn agent(id: &str) -> Key {
    Key {
        table: &AGENTS,
        team: team(),
        id: id.to_owned(),
    }
}

fn journal(id: &str) -> JournalKey {
    JournalKey {
        journal: &RUN_EVENTS,
        team: team(),
        id: id.to_owned(),
    }
}

fn counter() -> CounterKey {
    CounterKey {
        team: team(),
        id: "c".to_owned(),
    }
}

fn expect() -> impl Strategy<Value = Expect> {
    prop_oneof![
        2 => Just(Expect::Absent),
        3 => (1..4_u64).prop_map(Expect::Version),
    ]
}

fn doc() -> impl Strategy<Value = String> {
    let name = prop_oneof![Just("null"), Just("\"x\""), Just("\"é\"")];
    (name, 0..3_i64).prop_map(|(name, at)| format!("{{\"created_at\":{at},\"name\":{name}}}"))
}

fn record() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (select(&RECORDS[..]), doc(), expect()).prop_map(|(id, doc, expect)| Op::Put { key: agent(id), doc, expect }),
        1 => (select(&RECORDS[..]), expect()).prop_map(|(id, expect)| Op::Check { key: agent(id), expect }),
        1 => (select(&RECORDS[..]), 1..4_u64).prop_map(|(id, version)| Op::Delete { key: agent(id), version }),
        3 => (select(vec!["r", "s"]), 0..4_u64, 1..3_usize).prop_map(|(id, at, n)| Op::Append {
            journal: journal(id),
            at,
            entries: (0..n).map(|i| format!("{{\"n\":{i}}}")).collect(),
        }),
        2 => (-20..20_i64, proptest::option::of(-10..30_i64)).prop_map(|(delta, ceiling)| Op::Add { counter: counter(), delta, ceiling }),
    ]
}

fn new_job() -> impl Strategy<Value = NewJob> {
    let priority = select(vec![Priority::High, Priority::Normal, Priority::Low]);
    let serial = proptest::option::of(select(&SERIALS[..]));
    let (id, lane) = (select(&JOBS[..]), select(&LANES[..]));
    (id, lane, serial, priority, 0..40_i64).prop_map(|(id, lane, serial, priority, due)| NewJob {
        id: JobId::from(id),
        team: team(),
        name: "test".to_owned(),
        lane: lane.to_owned(),
        serial: serial.map(str::to_owned),
        priority,
        payload: "{}".to_owned(),
        due: Micros(due),
    })
}

fn job() -> impl Strategy<Value = Op> {
    let leased = || (select(&JOBS[..]).prop_map(JobId::from), 1..3_u64);
    let error = || "late".to_owned();
    prop_oneof![
        6 => new_job().prop_map(Op::Enqueue),
        3 => leased().prop_map(|(job, epoch)| Op::Finish { job, epoch }),
        1 => leased().prop_map(|(job, epoch)| Op::Hold { job, epoch }),
        1 => leased().prop_map(move |(job, epoch)| Op::SetAside { job, epoch, error: error() }),
        4 => (leased(), 0..60_i64, any::<bool>()).prop_map(move |((job, epoch), due, counted)| Op::Postpone {
            job,
            epoch,
            due: Micros(due),
            error: error(),
            counted,
        }),
        1 => select(&SERIALS[..]).prop_map(|serial| Op::Signal { serial: serial.to_owned() }),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let index = proptest::option::of(select(vec!["x", "é"]));
    (
        index,
        1..4_u32,
        any::<bool>(),
        proptest::option::of(0..3_i64),
    )
        .prop_map(|(name, limit, descending, from)| Query {
            table: &AGENTS,
            team: team(),
            from: name.and(from).map(IndexValue::Int),
            index: name.map(|name| ("by_name", IndexValue::from(name))),
            to: None,
            descending,
            limit,
            after: None,
        })
}

fn call() -> impl Strategy<Value = Call> {
    // Mostly one at a time: in a long batch, one conflict undoes all the rest.
    let ops = prop_oneof![
        2 => vec(record(), 1..3),
        4 => vec(job(), 1..2),
        2 => vec(prop_oneof![record(), job()], 1..5),
    ];
    let claim = (vec(select(&LANES[..]), 1..4), 0..80_i64, 1..4_u32);
    prop_oneof![
        12 => (any::<u8>(), ops).prop_map(|(id, ops)| Call::Commit { id, ops }),
        6 => claim.prop_map(|(lanes, now, limit)| Call::Claim(Claim {
            lanes: lanes.into_iter().map(str::to_owned).collect(),
            worker: "w".to_owned(),
            now: Micros(now),
            lease: Duration::from_micros(20),
            limit,
        })),
        1 => (select(&JOBS[..]), 1..3_u64, 0..80_i64).prop_map(|(job, epoch, until)| Call::Renew(job, epoch, until)),
        1 => (0..80_i64).prop_map(Call::Backlog),
        1 => (0..256_i64).prop_map(Call::Forget),
        3 => query().prop_map(Call::Query),
    ]
}

fn answer<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Answer {
    match result {
        Ok(value) => Answer::Fine(format!("{value:?}")),
        Err(StoreError::Conflict(conflict)) => Answer::Conflict(conflict),
        Err(StoreError::Rejected(_)) => Answer::Refused,
        Err(other) => Answer::Failed(format!("{other:?}")),
    }
}

async fn perform(store: &dyn Store, call: Call) -> Answer {
    match call {
        Call::Commit { id, ops } => {
            let batch = Batch {
                id: CommitId::new(format!("{id:03}")),
                at: Micros(i64::from(id)),
                ops,
            };
            answer(store.commit(batch).await)
        }
        Call::Claim(claim) => answer(store.claim(claim).await),
        Call::Renew(job, epoch, until) => {
            let job = JobId::from(job);
            answer(store.renew(&job, epoch, Micros(until)).await)
        }
        Call::Backlog(now) => answer(store.backlog(Micros(now)).await),
        Call::Forget(before) => answer(store.forget_commits(Micros(before)).await),
        Call::Query(query) => pages(store, query).await,
    }
}

async fn pages(store: &dyn Store, mut query: Query) -> Answer {
    let mut pages = Vec::new();
    loop {
        match store.query(query.clone()).await {
            Err(error) => return answer::<()>(Err(error)),
            Ok(page) => {
                pages.push(page.records);
                query.after = page.next;
            }
        }
        if query.after.is_none() {
            return answer(Ok(pages));
        }
    }
}

/// Everything that can be seen through the port.
async fn all_of_it(store: &dyn Store) -> Vec<Answer> {
    let mut seen = Vec::new();
    for id in RECORDS {
        seen.push(answer(store.get(&agent(id)).await));
    }
    for id in ["r", "s"] {
        seen.push(answer(store.head(&journal(id)).await));
        seen.push(answer(store.read(&journal(id), 0, 100).await));
    }
    seen.push(answer(store.counter(&counter()).await));
    for id in JOBS {
        seen.push(answer(store.job(&JobId::from(id)).await));
    }
    for id in 0..=255_u8 {
        let id = CommitId::new(format!("{id:03}"));
        seen.push(answer(store.was_committed(&id).await));
    }
    seen
}

async fn compare(other: &dyn Store, calls: Vec<Call>) -> Result<(), TestCaseError> {
    let memory = MemoryStore::new();
    for (number, call) in calls.into_iter().enumerate() {
        let expected = perform(&memory, call.clone()).await;
        let found = perform(other, call.clone()).await;
        prop_assert_eq!(expected, found, "call {}: {:?}", number, call);
    }
    prop_assert_eq!(all_of_it(&memory).await, all_of_it(other).await);
    Ok(())
}

/// Plays so many random histories, each on the store that `play` makes for it.
fn histories(
    cases: u32,
    play: impl AsyncFn(Vec<Call>) -> Result<(), TestCaseError>,
) -> Result<(), TestError<Vec<Call>>> {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config).run(&vec(call(), 1..120), |calls| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        runtime.block_on(play(calls))
    })
}

fn failed(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

#[test]
fn sqlite_answers_as_the_memory_store() -> Result<(), TestError<Vec<Call>>> {
    histories(64, async |calls| {
        let directory = tempfile::tempdir().map_err(failed)?;
        let path = directory.path().join("test.db").display().to_string();
        let options = store_sqlite::Options {
            synchronous: Synchronous::Off,
            ..store_sqlite::Options::default()
        };
        let sqlite = SqliteStore::open(&path, options).await.map_err(failed)?;
        compare(&sqlite, calls).await?;
        sqlite.close().await;
        Ok(())
    })
}

mod postgres {
    use super::*;

    #[test]
    fn postgres_answers_as_the_memory_store() -> Result<(), TestError<Vec<Call>>> {
        histories(24, async |calls| {
            let scratch = Scratch::make(&postgres_server()).await.map_err(failed)?;
            let postgres = PostgresStore::open(scratch.url(), store_postgres::Options::default());
            let postgres = postgres.await.map_err(failed)?;
            compare(&postgres, calls).await?;
            postgres.close().await;
            Ok(())
        })
    }
}

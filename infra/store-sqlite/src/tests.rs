//! That a flood of one serial key costs the others nothing: counted in SQLite's own steps, not in time; and the end of a dead worker's leases.

use crate::{apply, queue};
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::store::{Batch, Claim, NewJob, Op, Priority};
use rusqlite::{Connection, Result, StatementStatus};
use std::time::Duration;

fn job(id: String, serial: Option<&str>) -> Op {
    Op::Enqueue(NewJob {
        id: JobId::new(id),
        team: TeamId::from("home"),
        name: "test".to_owned(),
        lane: "run".to_owned(),
        serial: serial.map(str::to_owned),
        priority: Priority::Normal,
        payload: "{}".to_owned(),
        due: Micros(0),
    })
}

fn commit(connection: &Connection, id: &str, ops: Vec<Op>) {
    let batch = Batch {
        id: CommitId::from(id),
        at: Micros(0),
        ops,
    };
    assert!(apply::batch(connection, &batch).is_ok());
}

/// Claims what is due and answers the job's id and epoch.
fn claim(connection: &Connection, now: i64) -> Result<Vec<(JobId, u64)>> {
    let claim = Claim {
        lanes: vec!["run".to_owned()],
        worker: "w".to_owned(),
        now: Micros(now),
        lease: Duration::from_secs(60),
        limit: 1,
    };
    let claimed = queue::claim(connection, &claim)?;
    Ok(claimed.jobs.into_iter().map(|j| (j.id, j.epoch)).collect())
}

/// The steps of all that a claim, a finish and a signal execute, since the last time.
fn steps(connection: &Connection) -> Result<i32> {
    let mut steps = 0;
    for sql in queue::STATEMENTS {
        let statement = connection.prepare_cached(sql)?;
        steps += statement.reset_status(StatementStatus::VmStep);
    }
    Ok(steps)
}

/// One claim of a job of its own, with its finish, and one signal.
fn round(connection: &Connection, number: usize) -> Result<i32> {
    let id = format!("own-{number}");
    commit(connection, &id, vec![job(id.clone(), None)]);
    steps(connection)?;
    let claimed = claim(connection, 1)?;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].0.as_str(), id);
    let (job, epoch) = claimed[0].clone();
    let serial = "flood".to_owned();
    let ops = vec![Op::Finish { job, epoch }, Op::Signal { serial }];
    commit(connection, &format!("done-{number}"), ops);
    steps(connection)
}

#[test]
fn a_claim_costs_the_same_behind_ten_thousand_blocked_jobs() -> Result<()> {
    let connection = Connection::open_in_memory()?;
    connection.set_prepared_statement_cache_capacity(100);
    connection.execute_batch(include_str!("../../../migrations/sqlite/0001_kernel.sql"))?;
    // The head of the key is leased, as it is while it is worked on; two more wait.
    let few = (0..3).map(|i| job(format!("few-{i}"), Some("flood")));
    commit(&connection, "few", few.collect());
    assert_eq!(claim(&connection, 0)?.len(), 1);
    let before = round(&connection, 1)?;
    for hundred in 0..100 {
        let flood = (0..100).map(|i| job(format!("{hundred}-{i}"), Some("flood")));
        commit(&connection, &format!("flood-{hundred}"), flood.collect());
    }
    let behind = round(&connection, 2)?;
    assert!(before > 50, "{before} steps: the count counts");
    assert!(
        behind <= before,
        "{before} steps, and {behind} behind the flood"
    );
    Ok(())
}

#[test]
fn the_leases_of_the_dead_are_over_at_once_and_nobody_elses() -> Result<()> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(include_str!("../../../migrations/sqlite/0001_kernel.sql"))?;
    commit(
        &connection,
        "two",
        vec![job("a".to_owned(), None), job("b".to_owned(), None)],
    );
    let claims = |worker: &str| {
        let claim = Claim {
            lanes: vec!["run".to_owned()],
            worker: worker.to_owned(),
            now: Micros(1),
            lease: Duration::from_secs(60),
            limit: 1,
        };
        queue::claim(&connection, &claim).map(|claimed| claimed.jobs)
    };
    assert_eq!((claims("dead")?.len(), claims("alive")?.len()), (1, 1));
    assert_eq!(queue::end_leases(&connection, "dead")?, 1);
    let again = claims("next")?;
    assert_eq!(again.len(), 1);
    assert!(again[0].id.as_str() == "a" && again[0].lost_before);
    assert_eq!(
        (queue::end_leases(&connection, "dead")?, claims("next")?),
        (0, Vec::new())
    );
    Ok(())
}

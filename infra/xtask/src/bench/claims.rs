//! Claims per second on PostgreSQL, one job at a time, with 1, 4 and 16 workers at once, each on a connection of its own. Beside it, on the
//! same server and in turns: the loop that one would write without a store, an UPDATE of the oldest free row with SKIP
//! LOCKED, and a DELETE when the work is done. The server keeps what it confirms (`fsync=on`).
//!
//! Ours does more in a claim: lanes, priorities, leases that ran out, the next due time. And its end of a job is a commit like all
//! others: under its own id, fenced by the lease, with the turn given to the next job of the serial key.

use anyhow::{Context, Result, ensure};
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::{
    Store,
    store::{Batch, Claim, NewJob, Op, Priority},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use store_postgres::{Options, PostgresStore, Scratch};
use tokio::task::JoinSet;

use super::{
    Args,
    measure::{median, print_table, row},
};
use crate::{project::Project, setup::postgres, steps::Steps};

const ROUNDS: usize = 3;
const WORKERS: [usize; 3] = [1, 4, 16];
/// Jobs of one measurement, for each worker.
const JOBS: usize = 300;
/// Enqueued in one commit; a batch weighs 100 at most.
const TOGETHER: usize = 30;
const DURABLE: &[&str] = &["fsync=on"];
const LANE: &str = "run";
const NOW: Micros = Micros(1_000_000);
const LEASE: Duration = Duration::from_secs(3600);

const PLAIN: &str = "CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, due bigint NOT NULL,
        payload text NOT NULL, lease_until bigint);
    CREATE INDEX plain_ready ON plain (due, id) WHERE lease_until IS NULL;
    ALTER TABLE plain SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)";
const PLAIN_CLAIM: &str = "UPDATE plain SET lease_until = $2 WHERE id = (SELECT id FROM plain
        WHERE lease_until IS NULL AND due <= $1 ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, payload";
const PLAIN_END: &str = "DELETE FROM plain WHERE id = $1";

/// Jobs per second, claimed only, and claimed and finished.
#[derive(Clone, Copy)]
struct Pair {
    ours: f64,
    plain: f64,
}

pub fn measure(_: &Project, _: &Args) -> Result<()> {
    let server = postgres::server(&mut Steps::new(), DURABLE)
        .context("there is no PostgreSQL to be measured")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut table = vec![row([
        "",
        "ours/s",
        "plain/s",
        "ratio",
        "ratios of the rounds",
    ])];
    for finish in [false, true] {
        for workers in WORKERS {
            let mut rounds = Vec::new();
            for round in 0..ROUNDS {
                rounds.push(runtime.block_on(pair(&server.url, (workers, finish), round))?);
            }
            table.push(line((workers, finish), &rounds));
        }
    }
    print_table(&table);
    Ok(())
}

fn line((workers, finish): (usize, bool), rounds: &[Pair]) -> Vec<String> {
    let what = if finish {
        "claimed and finished"
    } else {
        "claimed"
    };
    let ratios: Vec<f64> = rounds.iter().map(|pair| pair.ours / pair.plain).collect();
    let each: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    vec![
        format!("{what}, {workers} at once"),
        format!("{:.0}", median(rounds.iter().map(|pair| pair.ours))),
        format!("{:.0}", median(rounds.iter().map(|pair| pair.plain))),
        format!("{:.2}", median(ratios)),
        each.join(", "),
    ]
}

/// Each on a fresh schema, once this one first and once the other.
async fn pair(server: &str, what: (usize, bool), round: usize) -> Result<Pair> {
    let mut pair = Pair {
        ours: 0.0,
        plain: 0.0,
    };
    for turn in [round, round + 1] {
        match turn.is_multiple_of(2) {
            true => pair.ours = ours(server, what).await?,
            false => pair.plain = plain(server, what).await?,
        }
    }
    Ok(pair)
}

async fn ours(server: &str, (workers, finish): (usize, bool)) -> Result<f64> {
    let scratch = Scratch::make(server).await?;
    let options = Options {
        connections: u32::try_from(workers)?,
        ..Options::default()
    };
    let store = PostgresStore::open(scratch.url(), options).await?;
    let jobs = workers * JOBS;
    let all: Vec<Op> = (0..jobs).map(job).collect();
    for (number, ops) in all.chunks(TOGETHER).enumerate() {
        store
            .commit(batch(format!("made-{number}"), ops.to_vec()))
            .await?;
    }
    scratch.execute("ANALYZE task_queue").await?;
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut working = JoinSet::new();
    for _ in 0..workers {
        working.spawn(work(store.clone(), done.clone(), (jobs, finish)));
    }
    join(working).await?;
    let spent = began.elapsed();
    let left = scratch
        .ask("SELECT count(*) FROM task_queue WHERE lease_until IS NULL")
        .await?;
    ensure!(
        left == ["0"] && done.load(Ordering::SeqCst) == jobs,
        "{left:?} are left"
    );
    store.close().await;
    Ok(jobs as f64 / spent.as_secs_f64())
}

async fn work(
    store: PostgresStore,
    done: Arc<AtomicUsize>,
    (jobs, finish): (usize, bool),
) -> Result<()> {
    while done.load(Ordering::SeqCst) < jobs {
        let claim = Claim {
            lanes: vec![LANE.to_owned()],
            worker: "bench".to_owned(),
            now: NOW,
            lease: LEASE,
            limit: 1,
        };
        // None: all that it saw was being claimed at that moment.
        for job in store.claim(claim).await?.jobs {
            if finish {
                let id = format!("done-{}", job.id);
                let finish = Op::Finish {
                    job: job.id,
                    epoch: job.epoch,
                };
                store.commit(batch(id, vec![finish])).await?;
            }
            done.fetch_add(1, Ordering::SeqCst);
        }
    }
    Ok(())
}

async fn plain(server: &str, (workers, finish): (usize, bool)) -> Result<f64> {
    let scratch = Scratch::make(server).await?;
    scratch.execute(PLAIN).await?;
    let jobs = workers * JOBS;
    let fill = format!(
        "INSERT INTO plain (due, payload) SELECT n, '{PAYLOAD}' FROM generate_series(1, {jobs}) AS n"
    );
    scratch.execute(&fill).await?;
    scratch.execute("ANALYZE plain").await?;
    let mut connections = Vec::new();
    for _ in 0..workers {
        connections.push(PgConnection::connect(scratch.url()).await?);
    }
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut working = JoinSet::new();
    for connection in connections {
        working.spawn(loop_on(connection, done.clone(), (jobs, finish)));
    }
    join(working).await?;
    let spent = began.elapsed();
    ensure!(done.load(Ordering::SeqCst) == jobs, "not all were claimed");
    Ok(jobs as f64 / spent.as_secs_f64())
}

async fn loop_on(
    mut connection: PgConnection,
    done: Arc<AtomicUsize>,
    (jobs, finish): (usize, bool),
) -> Result<()> {
    while done.load(Ordering::SeqCst) < jobs {
        let claim = sqlx::query_as(AssertSqlSafe(PLAIN_CLAIM))
            .bind(NOW.0)
            .bind(NOW.plus(LEASE).0);
        let claimed: Option<(i64, String)> = claim.fetch_optional(&mut connection).await?;
        let Some((id, _payload)) = claimed else {
            continue;
        };
        if finish {
            let end = sqlx::query(AssertSqlSafe(PLAIN_END)).bind(id);
            end.execute(&mut connection).await?;
        }
        done.fetch_add(1, Ordering::SeqCst);
    }
    connection.close().await?;
    Ok(())
}

async fn join(mut working: JoinSet<Result<()>>) -> Result<()> {
    while let Some(done) = working.join_next().await {
        done??;
    }
    Ok(())
}

const PAYLOAD: &str = "{\"run\":\"0192f1c0a5e07c3f8f2b4d6a9c1e3f57\"}";

/// Steps of different runs, as most work is.
fn job(number: usize) -> Op {
    Op::Enqueue(NewJob {
        id: JobId::new(format!("{number:032}")),
        team: TeamId::from("home"),
        name: "run".to_owned(),
        lane: LANE.to_owned(),
        serial: Some(format!("run:{number:032}")),
        priority: Priority::Normal,
        payload: PAYLOAD.to_owned(),
        due: Micros(i64::try_from(number).unwrap_or(0)),
    })
}

fn batch(id: String, ops: Vec<Op>) -> Batch {
    Batch {
        id: CommitId::new(id),
        at: NOW,
        ops,
    }
}

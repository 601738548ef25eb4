//! Steps of runs per second, one run at a time and 32 at once. A step is a model call and a tool call that do nothing, so
//! what is left is ours: reading rules, folding the journal, and commits that are on the disk (`synchronous=FULL`)
//! before the next effect begins.
//!
//! Beside them, in the same rounds: a bare insert of one row (the floor), the store without the engine, and LangGraph with
//! its SqliteSaver, whose step is a node that does nothing.

use anyhow::{Context, Result, bail};
use domain::{
    Micros,
    id::{CommitId, TeamId},
};
use ports::{
    Store,
    repo::runs::RUN_EVENTS,
    store::{Batch, JournalKey, Op},
};
use serde_json::Value;
use sqlx::{
    ConnectOptions, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;

use super::{
    Args,
    counting::CountingStore,
    engine::{Engine, open_store},
    measure::{Spent, Watch, directory, median, print_table, row, text_of},
};
use crate::{
    project::Project,
    setup::python::{Environment, environment},
    steps::Steps,
};

const ROUNDS: usize = 3;
/// Steps of each run: as many as an agent may take unless told otherwise.
const STEPS: usize = 50;
const COMMITS: u64 = 2000;
const AT_ONCE: usize = 32;

const PEER: Environment = Environment {
    requirements: "infra/xtask/bench/requirements.txt",
    why: "LangGraph and its SqliteSaver, which the run engine is measured beside",
};

/// One measurement.
#[derive(Clone, Copy)]
struct Sample {
    spent: Spent,
    /// None where there is nothing but commits.
    steps: Option<u64>,
    commits: u64,
}

impl Sample {
    fn steps_per_second(&self) -> f64 {
        self.spent.per_second(self.steps.unwrap_or(0))
    }

    fn commits_per_second(&self) -> f64 {
        self.spent.per_second(self.commits)
    }
}

/// Everything once, in turns.
struct Round {
    floor: Sample,
    floor_sqlx: Sample,
    store_one: Sample,
    store_many: Sample,
    one: Sample,
    many: Sample,
    saver_one: Sample,
    saver_many: Sample,
}

pub fn measure(project: &Project, _: &Args) -> Result<()> {
    let python = environment(project, &mut Steps::new(), &PEER)?
        .context("there is no Python environment for the peer")?;
    // As the program's own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let saver = Saver {
        script: project.root.join("infra/xtask/bench/sqlite_saver.py"),
        python,
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let directory = directory(project)?;
        rounds.push(runtime.block_on(round(directory.path(), &saver))?);
    }
    print(&rounds);
    Ok(())
}

async fn round(directory: &Path, saver: &Saver) -> Result<Round> {
    Ok(Round {
        floor: floor(directory)?,
        floor_sqlx: floor_sqlx(directory).await?,
        store_one: appends(directory, 1, COMMITS).await?,
        store_many: appends(directory, AT_ONCE, COMMITS * 4).await?,
        one: runs(directory, 1, 20).await?,
        many: runs(directory, AT_ONCE, 96).await?,
        saver_one: saver.runs(directory, 1, 10).await?,
        saver_many: saver.runs(directory, AT_ONCE, 32).await?,
    })
}

/// A row as long as a journal's usual entry.
fn entry(seq: u64) -> String {
    let text = "x".repeat(200);
    format!(
        "{{\"actor\":\"agent:assistant\",\"at\":{seq},\"text\":\"{text}\",\"type\":\"model_replied\",\"v\":1}}"
    )
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, entry TEXT)";

/// A row, a transaction, and nothing around it.
fn floor(directory: &Path) -> Result<Sample> {
    let db = rusqlite::Connection::open(directory.join("floor.db"))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch(TABLE)?;
    let watch = Watch::start()?;
    for seq in 0..COMMITS {
        db.prepare_cached("INSERT INTO raw (entry) VALUES (?1)")?
            .execute([entry(seq)])?;
    }
    commits_only(&watch, COMMITS)
}

/// The same through sqlx, which hands each statement to a thread.
async fn floor_sqlx(directory: &Path) -> Result<Sample> {
    let options = SqliteConnectOptions::new()
        .filename(directory.join("floor-sqlx.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut db = options.connect().await?;
    sqlx::query(TABLE).execute(&mut db).await?;
    let watch = Watch::start()?;
    for seq in 0..COMMITS {
        let insert = sqlx::query("INSERT INTO raw (entry) VALUES (?1)").bind(entry(seq));
        insert.execute(&mut db).await?;
    }
    let sample = commits_only(&watch, COMMITS);
    db.close().await?;
    sample
}

fn commits_only(watch: &Watch, commits: u64) -> Result<Sample> {
    Ok(Sample {
        spent: watch.stop()?,
        steps: None,
        commits,
    })
}

/// Commits of one entry each; each committer has a journal of its own.
async fn appends(directory: &Path, at_once: usize, commits: u64) -> Result<Sample> {
    let store = Arc::new(open_store(directory, &format!("appends-{at_once}.db")).await?);
    let each = commits / at_once as u64;
    let watch = Watch::start()?;
    let mut working = JoinSet::new();
    for committer in 0..at_once {
        working.spawn(append_all(store.clone(), committer, each));
    }
    while let Some(done) = working.join_next().await {
        done??;
    }
    commits_only(&watch, each * at_once as u64)
}

async fn append_all(store: Arc<dyn Store>, committer: usize, commits: u64) -> Result<()> {
    for seq in 0..commits {
        let append = Op::Append {
            journal: JournalKey {
                journal: &RUN_EVENTS,
                team: TeamId::from("home"),
                id: format!("{committer:032}"),
            },
            at: seq,
            entries: vec![entry(seq)],
        };
        let id = CommitId::new(format!("{seq:024}{committer:08}"));
        let batch = Batch {
            id,
            at: Micros(0),
            ops: vec![append],
        };
        store.commit(batch).await?;
    }
    Ok(())
}

async fn runs(directory: &Path, at_once: usize, runs: usize) -> Result<Sample> {
    let store = open_store(directory, &format!("runs-{at_once}.db")).await?;
    let store = Arc::new(CountingStore::new(store));
    let engine = Engine::new(store.clone(), directory, STEPS).await?;
    engine.ask(runs).await?;
    store.take();
    let watch = Watch::start()?;
    engine.work(at_once).await?;
    let spent = watch.stop()?;
    let commits = store.take().commits;
    engine.check().await?;
    Ok(Sample {
        spent,
        steps: Some((runs * STEPS) as u64),
        commits,
    })
}

/// LangGraph's.
struct Saver {
    python: PathBuf,
    script: PathBuf,
}

impl Saver {
    async fn runs(&self, directory: &Path, at_once: usize, runs: usize) -> Result<Sample> {
        let database = directory.join(format!("saver-{at_once}.db"));
        let numbers = [runs, at_once, STEPS].map(|number| number.to_string());
        let output = tokio::process::Command::new(&self.python)
            .arg(&self.script)
            .arg(text_of(&database)?)
            .args(numbers)
            // It would report to a service otherwise.
            .env("LANGSMITH_TRACING", "false")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .await?;
        if !output.status.success() {
            bail!("the SqliteSaver's script ended with {}", output.status);
        }
        let said: Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| {
            said[name]
                .as_f64()
                .with_context(|| format!("the script said no {name}"))
        };
        Ok(Sample {
            spent: Spent {
                wall: Duration::from_secs_f64(number("seconds")?),
                cpu: number("cpu")?,
            },
            steps: Some(number("steps")? as u64),
            commits: number("writes")? as u64,
        })
    }
}

fn print(rounds: &[Round]) {
    let mut table = vec![row([
        "",
        "steps/s",
        "commits/s",
        "commits/step",
        "CPU µs/step",
        "CPU µs/commit",
    ])];
    let mut line = |name: &str, of: fn(&Round) -> Sample| {
        let over =
            |number: fn(&Sample) -> f64| median(rounds.iter().map(|round| number(&of(round))));
        let steps = rounds.iter().all(|round| of(round).steps.is_some());
        let only = |text: String| if steps { text } else { String::new() };
        table.push(vec![
            name.to_owned(),
            only(format!("{:.0}", over(Sample::steps_per_second))),
            format!("{:.0}", over(Sample::commits_per_second)),
            only(format!(
                "{:.2}",
                over(|sample| sample.commits as f64 / sample.steps.unwrap_or(1) as f64)
            )),
            only(format!(
                "{:.0}",
                over(|sample| sample.spent.cpu_us(sample.steps.unwrap_or(1)))
            )),
            format!("{:.0}", over(|sample| sample.spent.cpu_us(sample.commits))),
        ]);
    };
    line("one insert a commit, rusqlite (the floor)", |round| {
        round.floor
    });
    line("one insert a commit, sqlx", |round| round.floor_sqlx);
    line("our store, one append a commit, 1 at once", |round| {
        round.store_one
    });
    line("our store, one append a commit, 32 at once", |round| {
        round.store_many
    });
    line("our runs, 1 at once", |round| round.one);
    line("our runs, 32 at once", |round| round.many);
    line("SqliteSaver, 1 at once", |round| round.saver_one);
    line("SqliteSaver, 32 at once", |round| round.saver_many);
    print_table(&table);
    println!();
    ratios(rounds);
}

fn ratios(rounds: &[Round]) {
    let ratio = |name: &str, of: fn(&Round) -> f64| {
        let each: Vec<f64> = rounds.iter().map(of).collect();
        let all: Vec<String> = each.iter().map(|ratio| format!("{ratio:.2}")).collect();
        println!(
            "  {:6.2}  {name}  (rounds: {})",
            median(each),
            all.join(", ")
        );
    };
    ratio("commits/s of one run, to the floor", |round| {
        round.one.commits_per_second() / round.floor.commits_per_second()
    });
    ratio("commits/s of the store alone, to the floor", |round| {
        round.store_one.commits_per_second() / round.floor.commits_per_second()
    });
    ratio("commits/s of 32 runs, to those of one", |round| {
        round.many.commits_per_second() / round.one.commits_per_second()
    });
    ratio("commits/s of the store at 32, to those at 1", |round| {
        round.store_many.commits_per_second() / round.store_one.commits_per_second()
    });
    ratio("steps/s of one run, to SqliteSaver's", |round| {
        round.one.steps_per_second() / round.saver_one.steps_per_second()
    });
    ratio("steps/s of 32 runs, to SqliteSaver's", |round| {
        round.many.steps_per_second() / round.saver_many.steps_per_second()
    });
}

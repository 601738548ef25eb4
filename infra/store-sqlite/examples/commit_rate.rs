//! How many commits a second: a bare insert in SQLite, one committer, 32 committers. All with `synchronous=FULL`, on the disk of
//! the directory that is given (or the temporary one). Prints what is.
//!
//! `cargo run -p store-sqlite --example commit_rate -- DIRECTORY`

use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::{
    repo::runs::RUN_EVENTS,
    store::{Batch, Claim, JournalKey, NewJob, Op, Priority, Store},
};
use std::{
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use store_sqlite::{Options, SqliteStore};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
const COMMITS: u64 = 2000;

#[tokio::main]
async fn main() -> Outcome<()> {
    let given = std::env::args().nth(1);
    let directory =
        tempfile::tempdir_in(given.unwrap_or_else(|| std::env::temp_dir().display().to_string()))?;
    for _ in 0..2 {
        let floor = floor(directory.path()).await?;
        let one = appends(directory.path(), 1).await?;
        let many = appends(directory.path(), 32).await?;
        println!("raw insert: {floor:.0}/s");
        println!("1 committer: {one:.0}/s, {:.2} of raw", one / floor);
        println!("32 committers: {many:.0}/s, {:.1} times one", many / one);
        println!(
            "steps (enqueue next, append, finish; claim): {:.0}/s",
            steps(directory.path()).await?
        );
    }
    Ok(())
}

fn entry(seq: u64) -> String {
    let text = "x".repeat(200);
    format!(
        "{{\"actor\":\"agent:assistant\",\"at\":{seq},\"text\":\"{text}\",\"type\":\"model_replied\",\"v\":1}}"
    )
}

/// One row per transaction, with nothing around it.
async fn floor(directory: &Path) -> Outcome<f64> {
    let path = directory.join("floor.db");
    let took = tokio::task::spawn_blocking(move || -> rusqlite::Result<Duration> {
        let db = rusqlite::Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch("CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, entry TEXT)")?;
        let began = Instant::now();
        for seq in 0..COMMITS {
            db.prepare_cached("INSERT INTO raw (entry) VALUES (?1)")?
                .execute([entry(seq)])?;
        }
        Ok(began.elapsed())
    });
    Ok(COMMITS as f64 / took.await??.as_secs_f64())
}

async fn open(directory: &Path, name: &str) -> Outcome<Arc<SqliteStore>> {
    let path = directory.join(format!("{name}-{:?}.db", Instant::now()).replace(' ', ""));
    let path = path.to_str().ok_or("a path that is no text")?.to_owned();
    Ok(Arc::new(
        SqliteStore::open(&path, Options::default()).await?,
    ))
}

fn append(run: u64, seq: u64) -> Op {
    Op::Append {
        journal: JournalKey {
            journal: &RUN_EVENTS,
            team: TeamId::from("home"),
            id: format!("{run:032}"),
        },
        at: seq,
        entries: vec![entry(seq)],
    }
}

/// Each committer appends to a run of its own, one commit after the other.
async fn appends(directory: &Path, committers: u64) -> Outcome<f64> {
    let store = open(directory, "appends").await?;
    let each = COMMITS * committers.min(8) / committers;
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for run in 0..committers {
        let store = store.clone();
        running.spawn(async move {
            for seq in 0..each {
                let id = CommitId::new(format!("{seq:024}{run:08}"));
                let ops = vec![append(run, seq)];
                store
                    .commit(Batch {
                        id,
                        at: Micros(0),
                        ops,
                    })
                    .await?;
            }
            Ok::<_, ports::store::StoreError>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok((each * committers) as f64 / began.elapsed().as_secs_f64())
}

/// What a run does: claim a job, then append, finish and enqueue its continuation in one commit. One after the other.
async fn steps(directory: &Path) -> Outcome<f64> {
    let store = open(directory, "steps").await?;
    let job = |number: u64| {
        Op::Enqueue(NewJob {
            id: JobId::new(format!("{number:032}")),
            team: TeamId::from("home"),
            name: "run".to_owned(),
            lane: "run".to_owned(),
            serial: Some("run:1".to_owned()),
            priority: Priority::Normal,
            payload: "{\"run\":\"1\"}".to_owned(),
            due: Micros(0),
        })
    };
    let commit = |number: u64, ops| Batch {
        id: CommitId::new(format!("{number:032}")),
        at: Micros(0),
        ops,
    };
    store.commit(commit(0, vec![job(0)])).await?;
    let began = Instant::now();
    for number in 1..=COMMITS / 2 {
        let claim = Claim {
            lanes: ["front", "send", "run", "tick"].map(str::to_owned).to_vec(),
            worker: "w".to_owned(),
            now: Micros(1),
            lease: Duration::from_secs(60),
            limit: 1,
        };
        let claimed = store
            .claim(claim)
            .await?
            .jobs
            .pop()
            .ok_or("nothing to claim")?;
        let (id, epoch) = (claimed.id, claimed.epoch);
        let ops = vec![
            append(1, number - 1),
            Op::Finish { job: id, epoch },
            job(number),
        ];
        store.commit(commit(number, ops)).await?;
    }
    Ok((COMMITS / 2) as f64 / began.elapsed().as_secs_f64())
}

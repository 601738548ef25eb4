//! Several stores on one file, as several processes have it, and a file that is opened again.

use crate::{create, key, options, place};
use domain::{
    Micros,
    id::{CommitId, TeamId},
};
use ports::store::{Batch, CounterKey, Op, Store, StoreError};
use std::sync::Arc;
use store_sqlite::{Options, SqliteStore};
use testkit::contract::{Outcome, all_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_on_one_file_take_turns() -> Outcome {
    let (_directory, path) = place()?;
    let opened = futures_of_two(&path).await?;
    let counter = CounterKey {
        team: TeamId::from("home"),
        id: "c".to_owned(),
    };
    let added = all_of(8, |task| {
        let store = opened[task % 2].clone();
        let counter = counter.clone();
        async move {
            let mut added = 0;
            for i in 0..25 {
                let add = Op::Add {
                    counter: counter.clone(),
                    delta: 1,
                    ceiling: Some(150),
                };
                let batch = Batch {
                    id: CommitId::new(format!("{task}-{i}")),
                    at: Micros(0),
                    ops: vec![add],
                };
                match store.commit(batch).await {
                    Ok(()) => added += 1,
                    Err(StoreError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Ok(added)
        }
    })
    .await?;
    assert_eq!(added.iter().sum::<i64>(), 150);
    for store in &opened {
        assert_eq!(store.counter(&counter).await?, 150);
    }
    Ok(())
}

/// Both at once, so that both find an empty file and want to make the schema.
async fn futures_of_two(path: &str) -> Result<[Arc<SqliteStore>; 2], StoreError> {
    let (one, two) = tokio::join!(
        SqliteStore::open(path, options()),
        SqliteStore::open(path, options())
    );
    Ok([Arc::new(one?), Arc::new(two?)])
}

#[tokio::test]
async fn what_was_committed_is_there_after_closing() -> Outcome {
    let (directory, path) = place()?;
    let store = SqliteStore::open(&path, Options::default()).await?;
    store.commit(create("a", 10)).await?;
    store.close().await;
    let left: Vec<_> = std::fs::read_dir(directory.path())?.collect();
    assert_eq!(left.len(), 1, "closing leaves the file alone: {left:?}");
    // By URL this time.
    let store = SqliteStore::open(&format!("sqlite://{path}"), Options::default()).await?;
    assert!(store.get(&key("a")).await?.is_some());
    assert!(store.was_committed(&CommitId::from("a")).await?);
    Ok(())
}

#[tokio::test]
async fn a_database_in_memory_is_refused() {
    for database in ["", ":memory:", "sqlite::memory:"] {
        let opened = SqliteStore::open(database, options()).await;
        assert!(
            matches!(opened, Err(StoreError::CannotWrite(_))),
            "{database}"
        );
    }
}

//! The fake keeps the port's promises, and is as bad as it is told to be.

use super::MemoryStore;
use crate::contract::{
    Broken, Outcome,
    store::build::{add, agent, batch, by_name, commit, counter, create, ids, named, put},
};
use ports::store::{Expect, Store, StoreError};
use std::sync::Arc;

async fn make() -> Result<(Arc<dyn Store>, ()), Broken> {
    Ok((Arc::new(MemoryStore::new()), ()))
}

mod contract {
    crate::store_contract!(super::make);
}

mod archive {
    async fn make() -> Result<(crate::contract::archive::Store, ()), crate::contract::Broken> {
        Ok((std::sync::Arc::new(super::MemoryStore::new()), ()))
    }
    crate::archive_contract!(make);
}

#[tokio::test]
async fn stale_index_reads_lag_by_one_commit() -> Outcome {
    let store = MemoryStore::new();
    store.stale();
    commit(&store, vec![create("1", named("x", 1))]).await?;
    assert_eq!(store.query(by_name("x")).await?.records, []);
    assert!(store.get(&agent("1")).await?.is_some(), "a get never lags");
    commit(&store, vec![create("2", named("x", 2))]).await?;
    assert_eq!(ids(&store.query(by_name("x")).await?.records), ["1"]);
    store.settle();
    assert_eq!(ids(&store.query(by_name("x")).await?.records), ["1", "2"]);
    let renamed = put(agent("1"), named("y", 1), Expect::Version(1));
    commit(&store, vec![renamed]).await?;
    let old = store.query(by_name("x")).await?.records;
    assert_eq!((old.len(), old[0].version), (2, 1));
    Ok(())
}

#[tokio::test]
async fn ordered_faults_come_and_go() -> Outcome {
    let store = MemoryStore::new();
    store.fail_next(2, StoreError::Unavailable);
    let answer = store.get(&agent("a")).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    let first = batch(vec![add("c", 1, None)]);
    let answer = store.commit(first.clone()).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    assert!(!store.was_committed(&first.id).await?);

    store.fail_commits(1, StoreError::CannotWrite);
    assert_eq!(store.counter(&counter("c")).await?, 0);
    let answer = store.commit(first.clone()).await;
    assert!(matches!(answer, Err(StoreError::CannotWrite(_))));

    store.fail_after_commit(1);
    let answer = store.commit(first.clone()).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    assert!(store.was_committed(&first.id).await?);
    store.commit(first).await?;
    assert_eq!(store.counter(&counter("c")).await?, 1);
    assert_eq!(store.commits(), 1);
    Ok(())
}

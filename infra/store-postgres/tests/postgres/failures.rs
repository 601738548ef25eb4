//! A user whom nobody knows, a database that isn't there, a server that is away, connections that are cut.

use super::{create, key, server, store};
use domain::id::{CommitId, TeamId};
use ports::store::{Batch, CounterKey, Op, Store, StoreError};
use std::sync::Arc;
use store_postgres::{Options, PostgresStore};
use testkit::contract::{Broken, Outcome, all_of};

async fn refusal(url: &str) -> Result<StoreError, Broken> {
    match PostgresStore::open(url, Options::default()).await {
        Err(error) => Ok(error),
        Ok(_) => Err("it was opened".into()),
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_without_the_password() -> Outcome {
    let server = server()?;
    let (_, rest) = server.split_once("://").ok_or("no URL")?;
    let (_, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (host, _) = place.split_once('/').unwrap_or((place, ""));
    for (url, expected) in [
        (
            format!("postgres://nobody:hush-hush@{host}/postgres"),
            "refuses the user",
        ),
        (
            format!("postgres://postgres:hush-hush@{host}/nowhere"),
            "make it with `createdb`",
        ),
        (
            "postgres://a:hush-hush@127.0.0.1:1/x".to_owned(),
            "127.0.0.1:1",
        ),
        (
            "postgres://a:hush-hush@host:port/x".to_owned(),
            "it has the form",
        ),
        (
            format!("{server}?options[search_path]=nowhere"),
            "has no schema",
        ),
    ] {
        let text = refusal(&url).await?.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("hush-hush"), "{text}");
    }
    Ok(())
}

/// A server that may only be read says so to every writer, and works again when it may be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_may_only_be_read() -> Outcome {
    let (_, scratch) = store().await?;
    let url = format!(
        "{}&options[default_transaction_read_only]=on",
        scratch.url()
    );
    let store = PostgresStore::open(&url, Options::default()).await?;
    match store.commit(create("a")).await {
        Err(StoreError::CannotWrite(text)) => assert!(text.contains("may only be read"), "{text}"),
        other => return Err(format!("{other:?}").into()),
    }
    assert_eq!(store.get(&key("a")).await?, None, "reading goes on");
    assert!(!store.was_committed(&CommitId::from("a")).await?);
    Ok(())
}

/// Sessions are ended again and again, in the middle of whatever they do. Each commit that was answered is there, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_and_double_nothing() -> Outcome {
    const EACH: u64 = 60;
    let (_, scratch) = store().await?;
    let url = format!("{}&application_name={}", scratch.url(), scratch.name());
    let store = Arc::new(PostgresStore::open(&url, Options::default()).await?);
    let counter = CounterKey {
        team: TeamId::from("home"),
        id: "c".to_owned(),
    };
    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{}'",
        scratch.name()
    );
    let writing = {
        let (store, counter) = (store.clone(), counter.clone());
        tokio::spawn(all_of(4, move |task| {
            let (store, counter) = (store.clone(), counter.clone());
            async move {
                for i in 0..EACH {
                    let add = Op::Add {
                        counter: counter.clone(),
                        delta: 1,
                        ceiling: None,
                    };
                    let mut batch = create(&format!("{task}-{i}"));
                    batch.ops.push(add);
                    store.commit(batch).await?;
                }
                Ok(())
            }
        }))
    };
    // Not faster than work goes on: nobody's patience lasts for ever.
    let (mut cuts, mut seen) = (Vec::new(), Vec::new());
    while !writing.is_finished() {
        let value = scratch.ask("SELECT value / 10 FROM counters").await?;
        if value != seen {
            cuts.extend(scratch.ask(&cut).await?);
            seen = value;
        }
    }
    writing.await??;
    assert!(cuts.iter().any(|sessions| sessions != "0"), "{cuts:?}");
    assert_eq!(store.counter(&counter).await?, 4 * EACH as i64);
    Ok(())
}

/// Two that take the same rows the other way round: one of them is undone by the server and done again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_cross_are_both_done() -> Outcome {
    let (store, _scratch) = store().await?;
    let store = Arc::new(store);
    let add = |id: &str| Op::Add {
        counter: CounterKey {
            team: TeamId::from("home"),
            id: id.to_owned(),
        },
        delta: 1,
        ceiling: None,
    };
    all_of(2, |task| {
        let store = store.clone();
        let mut ops: Vec<Op> = (0..90).map(|i| add(&format!("c{i}"))).collect();
        if task == 1 {
            ops.reverse();
        }
        async move {
            for i in 0..5 {
                let batch = Batch {
                    ops: ops.clone(),
                    ..create(&format!("{task}-{i}"))
                };
                store.commit(batch).await?;
            }
            Ok(())
        }
    })
    .await?;
    let Op::Add { counter, .. } = add("c7") else {
        return Err("an addition".into());
    };
    assert_eq!(store.counter(&counter).await?, 10);
    Ok(())
}

//! What every store's portable copy promises, as named cases: `testkit::archive_contract!(make)`, where `make` is an
//! `async fn() -> Result<(archive::Store, K), Broken>` that answers an empty store and whatever has to live as long as it.

use super::{
    Broken, Outcome,
    store::build::{
        add, agent, append, batch, claim, commit, counter, create, finish, job, named, names,
        postpone, put, run, set_aside,
    },
};
use crate::memory_store::MemoryStore;
use domain::id::TeamId;
use futures::{StreamExt, TryStreamExt, stream};
use ports::{
    archive::{Archive, ArchiveError, Item, Items},
    store::{Expect, Key, NewJob, Op, Priority},
};
use std::sync::Arc;

/// A store with both of its ports.
pub trait Kept: ports::Store + Archive {}
impl<T: ports::Store + Archive> Kept for T {}
pub type Store = Arc<dyn Kept>;

#[macro_export]
macro_rules! archive_contract {
    ($make:path) => {
        $crate::archive_contract! { @ $make:
            everything_comes_back,
            any_store_takes_any_copy,
            work_goes_on_in_the_copy,
            a_copy_is_of_one_moment,
            only_an_empty_store_is_filled,
            a_copy_that_breaks_off_leaves_nothing,
            what_is_no_copy_is_refused,
        }
    };
    (@ $make:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() -> $crate::contract::Outcome {
            let ((from, _kept), (to, _kept_too)) = ($make().await?, $make().await?);
            $crate::contract::archive::$case(from, to).await
        }
    )*};
}

async fn copy(store: &Store) -> Result<Vec<Item>, Broken> {
    Ok(store.export().await?.try_collect().await?)
}

fn items(items: &[Item]) -> Items {
    let items = items.to_vec();
    stream::iter(items.into_iter().map(Ok)).boxed()
}

/// Some of everything: several versions, teams and journals, odd texts, jobs.
async fn fill(store: &Store) -> Outcome {
    let store = &**store;
    let theirs = Key {
        team: TeamId::from("away"),
        ..agent("a")
    };
    let odd = serde_json::json!({"name": "ü\u{0}\n\"\\ 🙂", "created_at": 3}).to_string();
    commit(
        store,
        vec![
            create("a", named("x", 1)),
            create("ö", odd),
            put(theirs, named("y", 2), Expect::Absent),
        ],
    )
    .await?;
    commit(
        store,
        vec![
            put(agent("a"), named("z", 1), Expect::Version(1)),
            create("gone", "{}"),
        ],
    )
    .await?;
    commit(
        store,
        vec![Op::Delete {
            key: agent("gone"),
            version: 1,
        }],
    )
    .await?;
    commit(
        store,
        vec![
            append("r", 0, &["{\"type\":\"a\"}", "{\"type\":\"b\"}"]),
            append("s", 0, &["1"]),
        ],
    )
    .await?;
    commit(
        store,
        vec![
            append("r", 2, &["{\"type\":\"c\"}"]),
            add("spent", 7, None),
            add("owed", -3, None),
        ],
    )
    .await?;
    queue(store).await
}

/// Jobs in every state: leased, postponed, set aside, blocked, urgent.
async fn queue(store: &dyn Kept) -> Outcome {
    for (id, serial) in [
        ("lost", None),
        ("first", Some("s")),
        ("aside", Some("t")),
        ("late", None),
    ] {
        commit(store, vec![Op::Enqueue(job(id, serial))]).await?;
    }
    let claimed = claim(store, 5, 10).await?.jobs;
    assert_eq!(names(&claimed), ["lost", "first", "aside", "late"]);
    commit(
        store,
        vec![
            postpone(&claimed[1], 50, true),
            set_aside(&claimed[2]),
            postpone(&claimed[3], 900, false),
        ],
    )
    .await?;
    let urgent = NewJob {
        priority: Priority::High,
        ..job("urgent", None)
    };
    let then = ["second", "third"].map(|id| Op::Enqueue(job(id, Some("s"))));
    commit(
        store,
        then.into_iter()
            .chain([Op::Enqueue(urgent), Op::Enqueue(job("freed", Some("t")))])
            .collect(),
    )
    .await
}

pub async fn everything_comes_back(from: Store, to: Store) -> Outcome {
    fill(&from).await?;
    let sent = copy(&from).await?;
    assert_eq!(sent.len(), 3 + 4 + 2 + 8);
    to.import(from.export().await?).await?;
    assert_eq!(copy(&to).await?, sent);
    assert_eq!(copy(&from).await?, sent, "copying changes nothing");
    Ok(())
}

pub async fn any_store_takes_any_copy(from: Store, to: Store) -> Outcome {
    fill(&from).await?;
    let memory: Store = Arc::new(MemoryStore::new());
    memory.import(from.export().await?).await?;
    to.import(memory.export().await?).await?;
    assert_eq!(copy(&to).await?, copy(&from).await?);
    Ok(())
}

pub async fn work_goes_on_in_the_copy(from: Store, to: Store) -> Outcome {
    fill(&from).await?;
    to.import(from.export().await?).await?;
    let store = &*to;
    commit(
        store,
        vec![
            put(agent("a"), named("w", 1), Expect::Version(2)),
            append("r", 3, &["4"]),
            add("spent", 1, Some(8)),
        ],
    )
    .await?;
    assert_eq!(
        (
            store.head(&run("r")).await?,
            store.counter(&counter("spent")).await?
        ),
        (4, 8)
    );
    // Whoever had `lost` may have done it, and is not coming back. `second` and `third` wait behind `first`, which is due at 50.
    let claimed = claim(store, 10, 10).await?;
    assert_eq!(names(&claimed.jobs), ["urgent", "lost", "freed"]);
    let [_, lost, _] = &claimed.jobs[..] else {
        return Err("three jobs".into());
    };
    assert_eq!((lost.lost_before, lost.attempts, lost.epoch), (true, 2, 2));
    assert_eq!(claimed.next.map(|at| at.0), Some(50));
    commit(store, claimed.jobs.iter().map(finish).collect()).await?;
    for expected in ["first", "second", "third"] {
        let claimed = claim(store, 60, 10).await?.jobs;
        assert_eq!(names(&claimed), [expected]);
        if expected == "first" {
            assert_eq!(
                (claimed[0].attempts, claimed[0].last_error.as_deref()),
                (2, Some("later"))
            );
            assert!(!claimed[0].lost_before);
        }
        commit(store, claimed.iter().map(finish).collect()).await?;
    }
    let aside = store.job(&"aside".into()).await?;
    assert!(aside.is_some_and(|job| job.set_aside));
    Ok(())
}

/// Each commit adds to a counter, a journal and a record; every copy that is made meanwhile has the same of all three.
pub async fn a_copy_is_of_one_moment(from: Store, to: Store) -> Outcome {
    const COMMITS: u64 = 300;
    let writer = from.clone();
    let writing = tokio::spawn(async move {
        for n in 0..COMMITS {
            let expect = if n == 0 {
                Expect::Absent
            } else {
                Expect::Version(n)
            };
            let doc = put(agent("a"), named("x", 1), expect);
            commit(
                &*writer,
                vec![doc, append("r", n, &["1"]), add("n", 1, None)],
            )
            .await?;
        }
        Ok::<(), Broken>(())
    });
    let mut last = 0;
    while last < COMMITS {
        let copied = copy(&from).await?;
        let mut counted = (0, 0, 0);
        for item in &copied {
            match item {
                Item::Record { version, .. } => counted.0 = *version,
                Item::Entry { .. } => counted.1 += 1,
                Item::Counter { value, .. } => counted.2 = value.unsigned_abs(),
                Item::Job(_) => {}
            }
        }
        assert_eq!((counted.0, counted.0), (counted.1, counted.2));
        assert!(counted.0 >= last);
        last = counted.0;
        if writing.is_finished() && last < COMMITS {
            break;
        }
        tokio::task::yield_now().await;
    }
    writing.await??;
    to.import(from.export().await?).await?;
    assert_eq!(to.head(&run("r")).await?, COMMITS);
    Ok(())
}

/// Even where there is nothing but a counter, or a job.
pub async fn only_an_empty_store_is_filled(from: Store, to: Store) -> Outcome {
    let source: Store = Arc::new(MemoryStore::new());
    fill(&source).await?;
    for (store, op) in [
        (&from, add("spent", 1, None)),
        (&to, Op::Enqueue(job("j", None))),
    ] {
        commit(&**store, vec![op]).await?;
        let before = copy(store).await?;
        match store.import(source.export().await?).await {
            Err(ArchiveError::NotEmpty(_)) => {}
            other => return Err(format!("it was filled all the same: {other:?}").into()),
        }
        assert_eq!(copy(store).await?, before);
    }
    Ok(())
}

pub async fn a_copy_that_breaks_off_leaves_nothing(from: Store, to: Store) -> Outcome {
    fill(&from).await?;
    let copied = copy(&from).await?;
    for kept in [0, 1, copied.len()] {
        let cut = stream::iter([Err(ArchiveError::Cut("the cable was pulled".to_owned()))]);
        match to.import(items(&copied[..kept]).chain(cut).boxed()).await {
            Err(ArchiveError::Cut(text)) => assert_eq!(text, "the cable was pulled"),
            other => return Err(format!("half a copy was taken: {other:?}").into()),
        }
        assert_eq!(copy(&to).await?, []);
    }
    to.import(items(&copied)).await?;
    assert_eq!(copy(&to).await?, copied);
    Ok(())
}

pub async fn what_is_no_copy_is_refused(from: Store, to: Store) -> Outcome {
    fill(&from).await?;
    let copied = copy(&from).await?;
    let first = |wanted: fn(&Item) -> bool| copied.iter().find(|item| wanted(item)).cloned();
    let record = first(|item| matches!(item, Item::Record { .. })).ok_or("a record")?;
    let job = first(|item| matches!(item, Item::Job(_))).ok_or("a job")?;
    let changed = |change: fn(&mut Item)| {
        let mut item = record.clone();
        change(&mut item);
        vec![item]
    };
    let entry = |seq: u64| Item::Entry {
        journal: "run_events".to_owned(),
        team: TeamId::from("home"),
        id: "r".to_owned(),
        seq,
        entry: "{}".to_owned(),
    };
    let bad = [
        vec![record.clone(), record.clone()],
        vec![job.clone(), job],
        vec![entry(1)],
        vec![entry(0), entry(2)],
        vec![entry(0), entry(0)],
        changed(|item| {
            if let Item::Record { table, .. } = item {
                *table = "commits".to_owned()
            }
        }),
        changed(|item| {
            if let Item::Record { version, .. } = item {
                *version = 0
            }
        }),
        changed(|item| {
            if let Item::Record { id, .. } = item {
                *id = String::new()
            }
        }),
        changed(|item| {
            if let Item::Record { doc, .. } = item {
                *doc = format!("\"{}\"", "x".repeat(40_000))
            }
        }),
    ];
    for sequence in bad {
        match to.import(items(&sequence)).await {
            Err(ArchiveError::Malformed(_)) => {}
            other => return Err(format!("{sequence:?} was taken: {other:?}").into()),
        }
        assert_eq!(copy(&to).await?, []);
    }
    // The id of a refused import is no commit's: the store is as good as new.
    to.commit(batch(vec![create("a", "{}")])).await?;
    Ok(())
}

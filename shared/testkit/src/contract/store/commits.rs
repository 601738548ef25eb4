//! The one verb that writes: all or nothing, once per id, within limits that hold for every store.

use super::build::{
    add, agent, append, batch, claim, commit, conflict, counter, create, finish, job, named, put,
    run, set_aside,
};
use crate::contract::{Outcome, all_of};
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use ports::store::{
    Batch, Conflict, ConflictReason, Expect, MAX_BATCH_BYTES, MAX_DOCUMENT_BYTES, MAX_ID_BYTES,
    MAX_INDEXED_BYTES, MAX_OPS, Op, Rejected, Store, StoreError,
};
use std::sync::Arc;

/// One of each that writes, and at last one that conflicts.
pub async fn a_batch_is_all_or_nothing(store: Arc<dyn Store>) -> Outcome {
    commit(&*store, vec![create("there", "{}")]).await?;
    let ops = vec![
        create("a", "{}"),
        put(agent("there"), "{\"x\":1}", Expect::Version(1)),
        append("r", 0, &["{}", "{}"]),
        Op::Enqueue(job("j", None)),
        add("c", 5, None),
        append("s", 1, &["{}"]),
    ];
    let met = conflict(&*store, ops).await?;
    let reason = ConflictReason::Position { head: 0 };
    assert_eq!(met, Conflict { op: 5, reason });
    assert_eq!(store.get(&agent("a")).await?, None);
    let there = store.get(&agent("there")).await?;
    assert_eq!(there.map(|record| record.version), Some(1));
    assert_eq!(store.head(&run("r")).await?, 0);
    assert_eq!(store.job(&JobId::from("j")).await?, None);
    assert_eq!(store.counter(&counter("c")).await?, 0);
    Ok(())
}

pub async fn the_same_id_is_applied_once(store: Arc<dyn Store>) -> Outcome {
    let once = batch(vec![append("r", 0, &["{}"]), add("c", 1, None)]);
    assert!(!store.was_committed(&once.id).await?);
    store.commit(once.clone()).await?;
    assert!(store.was_committed(&once.id).await?);
    store.commit(once.clone()).await?;
    // What the batch holds is not looked at again.
    let other = Batch {
        ops: vec![append("r", 7, &["{}"])],
        ..once
    };
    store.commit(other).await?;
    assert_eq!(store.head(&run("r")).await?, 1);
    assert_eq!(store.counter(&counter("c")).await?, 1);
    Ok(())
}

pub async fn a_conflict_leaves_the_id_free(store: Arc<dyn Store>) -> Outcome {
    let first = batch(vec![append("r", 1, &["{}"])]);
    let met = store.commit(first.clone()).await;
    assert!(matches!(met, Err(StoreError::Conflict(_))), "{met:?}");
    assert!(!store.was_committed(&first.id).await?);
    let second = Batch {
        ops: vec![append("r", 0, &["{}"])],
        ..first
    };
    store.commit(second).await?;
    assert_eq!(store.head(&run("r")).await?, 1);
    Ok(())
}

pub async fn commit_ids_are_forgotten_by_age(store: Arc<dyn Store>) -> Outcome {
    let id = |at: i64| CommitId::new(format!("{}", 5000 - at));
    // More than a store would remove at once.
    for at in 0..1200 {
        let batch = Batch {
            id: id(at),
            at: Micros(at),
            ops: Vec::new(),
        };
        store.commit(batch).await?;
    }
    assert_eq!(store.forget_commits(Micros(1100)).await?, 1100);
    assert_eq!(store.forget_commits(Micros(1100)).await?, 0);
    assert!(!store.was_committed(&id(1099)).await?);
    assert!(store.was_committed(&id(1100)).await?);
    Ok(())
}

pub async fn limits_are_refused_before_anything(store: Arc<dyn Store>) -> Outcome {
    let big = "x".repeat(MAX_DOCUMENT_BYTES);
    let per_entry = MAX_BATCH_BYTES / MAX_DOCUMENT_BYTES + 1;
    let agents = |n: usize| (0..n).map(|i| create(&format!("a{i}"), "{}")).collect();
    let cases: Vec<Vec<Op>> = vec![
        agents(MAX_OPS + 1),
        vec![append("r", 0, &vec![big.as_str(); per_entry])],
        vec![create("a0", format!("{big}x"))],
        vec![append("r", 0, &[&format!("{big}x")])],
        vec![append("r", 0, &[])],
        vec![create("", "{}")],
        vec![create(&"i".repeat(201), "{}")],
        vec![append("", 0, &["{}"])],
        vec![Op::Enqueue(job(&"i".repeat(201), None))],
        vec![Op::Enqueue(job("j", Some(&"s".repeat(201))))],
        vec![create("a0", named(&"n".repeat(MAX_INDEXED_BYTES + 1), 1))],
        // Each of these is more than one item for DynamoDB.
        (0..=MAX_OPS / 2)
            .map(|i| append(&format!("r{i}"), 0, &["{}"]))
            .collect(),
        (0..=MAX_OPS / 3)
            .map(|i| Op::Enqueue(job(&format!("j{i}"), Some(&format!("s{i}")))))
            .collect(),
    ];
    for ops in cases {
        let batch = batch(ops);
        let answer = store.commit(batch.clone()).await;
        assert!(matches!(answer, Err(StoreError::Rejected(_))), "{answer:?}");
        assert!(!store.was_committed(&batch.id).await?);
    }
    assert_eq!(store.head(&run("r")).await?, 0);
    assert_eq!(store.query(super::build::all()).await?.records, []);
    commit(&*store, agents(MAX_OPS)).await?;
    assert_eq!(
        store.query(super::build::all()).await?.records.len(),
        MAX_OPS
    );
    Ok(())
}

/// The heaviest batches of each kind are taken.
pub async fn the_heaviest_batches_fit(store: Arc<dyn Store>) -> Outcome {
    let serial = |i: usize| format!("s{i}");
    let jobs = |name: &str, n: usize| -> Vec<Op> {
        let new = |i| Op::Enqueue(job(&format!("{name}{i}"), Some(&serial(i))));
        (0..n).map(new).collect()
    };
    // Two of each key, so that one that goes frees another.
    commit(&*store, jobs("a", MAX_OPS / 3)).await?;
    commit(&*store, jobs("b", MAX_OPS / 3)).await?;
    let claimed = claim(&*store, 0, 100).await?.jobs;
    assert_eq!(claimed.len(), MAX_OPS / 3);
    let (first, second) = claimed.split_at(claimed.len() / 2);
    let going = first.iter().map(finish);
    commit(&*store, going.chain(second.iter().map(set_aside)).collect()).await?;
    let claimed = claim(&*store, 0, 100).await?.jobs;
    assert_eq!(claimed.len(), MAX_OPS / 3);
    assert!(claimed.iter().all(|job| job.id.as_str().starts_with('b')));
    // Long ids, long fields in all indexes of a table, the largest entries.
    let id = |i: usize| format!("{i:0MAX_ID_BYTES$}");
    let text = "n".repeat(MAX_INDEXED_BYTES);
    let doc = serde_json::json!({ "created_at": 1, "name": text, "status": text }).to_string();
    let puts = (0..MAX_OPS).map(|i| create(&id(i), &doc)).collect();
    commit(&*store, puts).await?;
    let entry = format!("\"{}\"", "e".repeat(MAX_DOCUMENT_BYTES - 2));
    let entries = vec![entry.as_str(); MAX_BATCH_BYTES / MAX_DOCUMENT_BYTES];
    commit(&*store, vec![append("r", 0, &entries)]).await?;
    assert_eq!(store.read(&run("r"), 0, 1000).await?, entries);
    assert_eq!(store.read(&run("r"), 100, 3).await?, entries[..3]);
    Ok(())
}

pub async fn what_is_named_twice_is_refused(store: Arc<dyn Store>) -> Outcome {
    let finish = Op::Finish {
        job: JobId::from("j"),
        epoch: 1,
    };
    let check = Op::Check {
        key: agent("a"),
        expect: Expect::Absent,
    };
    for ops in [
        vec![check, create("a", "{}")],
        vec![append("r", 0, &["{}"]), append("r", 1, &["{}"])],
        vec![add("c", 1, None), add("c", 1, None)],
        vec![Op::Enqueue(job("j", None)), finish],
    ] {
        let answer = store.commit(batch(ops)).await;
        let twice = matches!(answer, Err(StoreError::Rejected(Rejected::NamedTwice(_))));
        assert!(twice, "{answer:?}");
    }
    Ok(())
}

/// Eight at once put over the same version, again and again: each version has one author.
pub async fn one_of_many_writers_wins(store: Arc<dyn Store>) -> Outcome {
    commit(&*store, vec![create("a", "{}")]).await?;
    let won = all_of(8, |_| {
        let store = store.clone();
        async move {
            let mut won = 0;
            for version in 1..=20 {
                let over = put(agent("a"), "{}", Expect::Version(version));
                match store.commit(batch(vec![over])).await {
                    Ok(()) => won += 1,
                    Err(StoreError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Ok(won)
        }
    })
    .await?;
    let version = store.get(&agent("a")).await?.map(|record| record.version);
    assert_eq!(version, Some(1 + won.iter().sum::<u64>()));
    assert!(version > Some(1));
    Ok(())
}

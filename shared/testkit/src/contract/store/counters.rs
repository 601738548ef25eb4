//! Counters: sums under a ceiling.

use super::build::{add, batch, commit, conflict, counter};
use crate::contract::{Outcome, all_of};
use ports::store::{Conflict, ConflictReason, CounterKey, Store, StoreError};
use std::sync::Arc;

fn ceiling(value: i64) -> Conflict {
    let reason = ConflictReason::Ceiling { value };
    Conflict { op: 0, reason }
}

pub async fn a_counter_adds_up(store: Arc<dyn Store>) -> Outcome {
    assert_eq!(store.counter(&counter("c")).await?, 0);
    for (delta, sum) in [(5, 5), (-7, -2), (0, -2), (i64::MAX, i64::MAX - 2)] {
        commit(&*store, vec![add("c", delta, None)]).await?;
        assert_eq!(store.counter(&counter("c")).await?, sum);
    }
    let theirs = CounterKey {
        team: "away".into(),
        ..counter("c")
    };
    assert_eq!(store.counter(&theirs).await?, 0);
    assert_eq!(store.counter(&counter("d")).await?, 0);
    Ok(())
}

pub async fn a_ceiling_is_not_passed(store: Arc<dyn Store>) -> Outcome {
    let met = conflict(&*store, vec![add("c", 11, Some(10))]).await?;
    assert_eq!(met, ceiling(0));
    commit(&*store, vec![add("c", 10, Some(10))]).await?;
    let met = conflict(&*store, vec![add("c", 1, Some(10))]).await?;
    assert_eq!(met, ceiling(10));
    commit(&*store, vec![add("c", 1, Some(11))]).await?;
    // Above a ceiling that came down, even a step down conflicts, unless it reaches below.
    let met = conflict(&*store, vec![add("c", -1, Some(5))]).await?;
    assert_eq!(met, ceiling(11));
    commit(&*store, vec![add("c", -6, Some(5))]).await?;
    commit(&*store, vec![add("c", -20, Some(-15))]).await?;
    assert_eq!(store.counter(&counter("c")).await?, -15);
    // The first step may be large, when what is there makes room for it.
    commit(&*store, vec![add("c", 20, Some(5))]).await?;
    assert_eq!(store.counter(&counter("c")).await?, 5);
    Ok(())
}

pub async fn a_sum_beyond_all_numbers_conflicts(store: Arc<dyn Store>) -> Outcome {
    commit(
        &*store,
        vec![add("up", i64::MAX, None), add("down", i64::MIN, None)],
    )
    .await?;
    for (id, delta, value) in [
        ("up", 1, i64::MAX),
        ("up", i64::MAX, i64::MAX),
        ("down", -1, i64::MIN),
        ("down", i64::MIN, i64::MIN),
    ] {
        let met = conflict(&*store, vec![add(id, delta, None)]).await?;
        assert_eq!(met, ceiling(value), "{id} {delta}");
        assert_eq!(store.counter(&counter(id)).await?, value);
    }
    Ok(())
}

pub async fn many_adders_stay_below_the_ceiling(store: Arc<dyn Store>) -> Outcome {
    let added = all_of(8, |_| {
        let store = store.clone();
        async move {
            let mut added = 0;
            for _ in 0..40 {
                match store.commit(batch(vec![add("c", 3, Some(200))])).await {
                    Ok(()) => added += 3,
                    Err(StoreError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Ok(added)
        }
    })
    .await?;
    let value = store.counter(&counter("c")).await?;
    assert_eq!(value, added.iter().sum::<i64>());
    assert_eq!(value, 198, "as far as steps of three go below 200");
    Ok(())
}

//! Journals: appended at their head, read in order.

use super::build::{append, batch, commit, conflict, run};
use crate::contract::{Outcome, all_of};
use domain::id::TeamId;
use ports::store::{Conflict, ConflictReason, JournalKey, Store, StoreError};
use std::sync::Arc;

pub async fn entries_are_read_in_order(store: Arc<dyn Store>) -> Outcome {
    assert_eq!(store.head(&run("r")).await?, 0);
    assert_eq!(store.read(&run("r"), 0, 10).await?, [""; 0]);
    commit(&*store, vec![append("r", 0, &["0", "1", "2"])]).await?;
    commit(&*store, vec![append("r", 3, &["3"])]).await?;
    commit(&*store, vec![append("r", 4, &["4", "5"])]).await?;
    assert_eq!(store.head(&run("r")).await?, 6);
    let all = store.read(&run("r"), 0, 1000).await?;
    assert_eq!(all, ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(store.read(&run("r"), 2, 3).await?, ["2", "3", "4"]);
    assert_eq!(store.read(&run("r"), 5, 3).await?, ["5"]);
    assert_eq!(store.read(&run("r"), 6, 3).await?, [""; 0]);
    assert_eq!(store.read(&run("r"), u64::MAX, 3).await?, [""; 0]);
    Ok(())
}

pub async fn an_append_names_the_head(store: Arc<dyn Store>) -> Outcome {
    commit(&*store, vec![append("r", 0, &["0", "1"])]).await?;
    for at in [0, 1, 3, u64::MAX] {
        let met = conflict(&*store, vec![append("r", at, &["9"])]).await?;
        let reason = ConflictReason::Position { head: 2 };
        assert_eq!(met, Conflict { op: 0, reason }, "at {at}");
    }
    let met = conflict(&*store, vec![append("new", 1, &["9"])]).await?;
    let reason = ConflictReason::Position { head: 0 };
    assert_eq!(met, Conflict { op: 0, reason });
    assert_eq!(store.read(&run("r"), 0, 10).await?, ["0", "1"]);
    Ok(())
}

pub async fn several_journals_in_one_batch(store: Arc<dyn Store>) -> Outcome {
    let both = vec![append("r", 0, &["10"]), append("s", 0, &["20", "21"])];
    commit(&*store, both).await?;
    assert_eq!(store.read(&run("s"), 0, 10).await?, ["20", "21"]);
    let theirs = JournalKey {
        team: TeamId::from("away"),
        ..run("r")
    };
    assert_eq!(store.head(&theirs).await?, 0);
    let seals = JournalKey {
        journal: &ports::repo::audit::AUDIT_SEALS,
        ..run("r")
    };
    assert_eq!(store.head(&seals).await?, 0);
    Ok(())
}

/// Eight at once append at what they believe is the head: no position is taken twice, none is left out.
pub async fn one_of_many_appenders_wins(store: Arc<dyn Store>) -> Outcome {
    all_of(8, |task| {
        let store = store.clone();
        async move {
            let mut done = 0;
            while done < 10 {
                let head = store.head(&run("r")).await?;
                let entry = format!("{{\"task\":{task},\"number\":{done}}}");
                match store
                    .commit(batch(vec![append("r", head, &[&entry])]))
                    .await
                {
                    Ok(()) => done += 1,
                    Err(StoreError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Ok(())
        }
    })
    .await?;
    let mut entries = store.read(&run("r"), 0, 1000).await?;
    assert_eq!(store.head(&run("r")).await?, 80);
    entries.sort();
    entries.dedup();
    assert_eq!(entries.len(), 80);
    Ok(())
}

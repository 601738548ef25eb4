//! The audit shows every change that was made behind its back.

use super::team::{SEAL_KEY, Team};
use crate::{Home, audit, commit_with};
use domain::{
    approval::Choice,
    audit::{Stream, StreamState},
};
use ports::{
    repo,
    store::{Batch, Op, Store},
};
use std::{sync::Arc, time::Duration};
use testkit::memory_store::MemoryStore;

async fn seal(home: &Home) -> Option<domain::audit::Seal> {
    commit_with(home, || async { Ok(audit::seal(home, SEAL_KEY).await?) })
        .await
        .unwrap()
}

/// A team with a run behind it, sealed, and something after the seal.
async fn sealed() -> (Team, String) {
    let team = Team::new().await;
    team.says("run: make").await;
    team.decides(Choice::Approve).await;
    let stream = crate::run::stream(&team.latest().await.id);
    seal(&team.home).await.unwrap();
    team.says("run: ls").await;
    (team, stream)
}

/// The same audit in another store, with the lines of one journal as `change` leaves them.
async fn tampered(team: &Team, place: &str, change: impl Fn(&mut Vec<String>)) -> Home {
    let store = Arc::new(MemoryStore::new());
    let mut ops = Vec::new();
    let streams = repo::collect::<Stream>(&*team.fakes.store, repo::all::<Stream>(&team.home.team))
        .await
        .unwrap();
    let mut journals = vec![("seals".to_owned(), repo::audit::seals(&team.home.team))];
    for stream in streams {
        ops.push(repo::create(&team.home.team, &stream.value).unwrap());
        journals.push((
            stream.value.name.clone(),
            repo::audit::journal(&team.home.team, &stream.value.name),
        ));
    }
    for (name, journal) in journals {
        let mut entries = team.fakes.store.journal(&journal);
        if name == place {
            change(&mut entries);
        }
        if !entries.is_empty() {
            ops.push(Op::Append {
                journal,
                at: 0,
                entries,
            });
        }
    }
    let id = domain::id::CommitId::new("copy");
    store
        .commit(Batch {
            id,
            at: team.home.now(),
            ops,
        })
        .await
        .unwrap();
    Home {
        store,
        ..team.home.clone()
    }
}

/// Positions of what was found, by place.
async fn found(home: &Home, key: &[u8]) -> Vec<(String, u64)> {
    let verified = audit::verify(home, key).await.unwrap();
    verified
        .findings
        .into_iter()
        .map(|finding| (finding.place, finding.position))
        .collect()
}

#[tokio::test]
async fn an_untouched_copy_verifies() {
    let (team, stream) = sealed().await;
    let copy = tampered(&team, &stream, |_| {}).await;
    assert_eq!(found(&copy, SEAL_KEY).await, []);
    let verified = audit::verify(&copy, SEAL_KEY).await.unwrap();
    assert!(
        verified.unsealed > 0 && verified.seals == 1 && verified.holds_until.is_some(),
        "{verified:?}"
    );
}

#[tokio::test]
async fn a_changed_entry_is_found_where_it_is() {
    let (team, stream) = sealed().await;
    let length = team
        .fakes
        .store
        .journal(&repo::audit::journal(&team.home.team, &stream))
        .len();
    assert!(length > 3);
    for i in 0..length {
        let copy = tampered(&team, &stream, |entries| {
            entries[i] = entries[i].replacen("\"at\":", "\"at\":1", 1)
        })
        .await;
        assert!(
            found(&copy, SEAL_KEY)
                .await
                .contains(&(stream.clone(), i as u64)),
            "entry {i}"
        );
        let copy = tampered(&team, &stream, |entries| entries[i] = "{}".to_owned()).await;
        assert!(
            found(&copy, SEAL_KEY)
                .await
                .contains(&(stream.clone(), i as u64)),
            "entry {i}"
        );
    }
}

#[tokio::test]
async fn removed_reordered_and_doubled_entries_are_found() {
    let (team, stream) = sealed().await;
    let length = team
        .fakes
        .store
        .journal(&repo::audit::journal(&team.home.team, &stream))
        .len();
    for i in 0..length {
        let copy = tampered(&team, &stream, |entries| drop(entries.remove(i))).await;
        assert!(!found(&copy, SEAL_KEY).await.is_empty(), "removed {i}");
        let copy = tampered(&team, &stream, |entries| {
            entries.insert(i, entries[i].clone())
        })
        .await;
        assert!(!found(&copy, SEAL_KEY).await.is_empty(), "doubled {i}");
        let copy = tampered(&team, &stream, |entries| entries.truncate(i)).await;
        assert!(!found(&copy, SEAL_KEY).await.is_empty(), "cut at {i}");
        if i > 0 {
            let copy = tampered(&team, &stream, |entries| entries.swap(i - 1, i)).await;
            assert!(!found(&copy, SEAL_KEY).await.is_empty(), "swapped {i}");
        }
    }
}

/// Whoever rewrites a chain consistently is found by the seal.
#[tokio::test]
async fn a_chain_made_anew_does_not_fit_its_seal() {
    let (team, stream) = sealed().await;
    let copy = tampered(&team, &stream, |entries| {
        let mut head = domain::audit::Head::default();
        for text in entries.iter_mut() {
            let mut entry: domain::audit::Entry = serde_json::from_str(text).unwrap();
            entry.deeds[0].actor = "system".to_owned();
            let new =
                domain::audit::Entry::next(&entry.stream, &head, entry.at, entry.deeds).unwrap();
            head = new.head();
            *text = domain::canonical_json(&new).unwrap();
        }
    })
    .await;
    assert!(!found(&copy, SEAL_KEY).await.is_empty());
}

#[tokio::test]
async fn seals_are_chained_and_keyed() {
    let (team, _) = sealed().await;
    team.fakes.clock.advance(Duration::from_secs(60));
    seal(&team.home).await.unwrap();
    assert_eq!(found(&team.home, SEAL_KEY).await, []);
    assert_eq!(found(&team.home, b"another key").await.len(), 2);
    for i in 0..2 {
        let copy = tampered(&team, "seals", |seals| {
            seals[i] = seals[i].replacen("\"len\":", "\"len\":1", 1)
        })
        .await;
        assert!(
            found(&copy, SEAL_KEY)
                .await
                .contains(&("audit_seals".to_owned(), i as u64))
        );
    }
    let copy = tampered(&team, "seals", |seals| drop(seals.remove(0))).await;
    assert!(!found(&copy, SEAL_KEY).await.is_empty());
    let copy = tampered(&team, "seals", |seals| seals.swap(0, 1)).await;
    assert!(!found(&copy, SEAL_KEY).await.is_empty());
}

#[tokio::test]
async fn a_stream_becomes_quiet_and_is_opened_by_the_next_deed() {
    let (team, stream) = sealed().await;
    seal(&team.home).await.unwrap();
    team.fakes.clock.advance(Duration::from_secs(3700));
    assert_eq!(seal(&team.home).await, None);
    let state = async || team.get::<Stream>(&stream).await.unwrap().state;
    assert_eq!(state().await, StreamState::Quiet);
    let deed = || vec![audit::deed("test", "system", "x", serde_json::json!({}))];
    crate::commit(
        &team.home,
        audit::append(&team.home, &stream, deed()).await.unwrap(),
    )
    .await
    .unwrap();
    assert_eq!(state().await, StreamState::Open);
    let seal = seal(&team.home).await.unwrap();
    assert_eq!(
        seal.heads.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        [&stream]
    );
    team.audit_holds().await;
}

/// The sealer looked at a stream, found it still, and somebody wrote before it said so: one of both has to try again.
#[tokio::test]
async fn what_is_written_while_a_stream_becomes_quiet_is_sealed() {
    let (team, stream) = sealed().await;
    seal(&team.home).await.unwrap();
    team.fakes.clock.advance(Duration::from_secs(3700));
    let writer = audit::append(
        &team.home,
        &stream,
        vec![audit::deed("late", "system", "x", serde_json::json!({}))],
    )
    .await
    .unwrap();
    let sealer = audit::seal(&team.home, SEAL_KEY).await.unwrap();
    crate::commit(&team.home, sealer.ops).await.unwrap();
    assert!(
        crate::commit(&team.home, writer).await.is_err(),
        "the writer has to look again"
    );
}

#[tokio::test]
async fn more_streams_than_one_seal_holds() {
    let team = Team::new().await;
    let stream = |n: u32| format!("member:{n}");
    let deed = || vec![audit::deed("test", "system", "x", serde_json::json!({}))];
    for n in 0..200 {
        crate::commit(
            &team.home,
            audit::append(&team.home, &stream(n), deed()).await.unwrap(),
        )
        .await
        .unwrap();
    }
    let mut seals = 1;
    while seal(&team.home).await.unwrap().more {
        seals += 1;
    }
    assert_eq!(seals, 3);
    let verified = audit::verify(&team.home, SEAL_KEY).await.unwrap();
    assert_eq!((verified.findings.len(), verified.unsealed), (0, 0));
    // The youngest of many open streams is not kept waiting by those that stand before it and did not grow.
    crate::commit(
        &team.home,
        audit::append(&team.home, &stream(199), deed())
            .await
            .unwrap(),
    )
    .await
    .unwrap();
    assert_eq!(seal(&team.home).await.unwrap().heads.len(), 1);
}

//! What nobody can come to any more is deleted, an hour later, and nothing else; also where workers die over it.

use super::{
    dying::Moment,
    ingest::docs,
    team::{Ended, LEASE, Team},
};
use crate::{
    ingest::{IngestPorts, New, add, documents, remove, verify},
    knowledge::{self, Reader, own},
};
use domain::{
    knowledge::{Collection, Document, HISTORY, Outline, Passage, Revision},
    member::Member,
};
use ports::{
    job::{self, Clear, Ingest},
    repo::{self, Stored},
    store::Op,
};
use std::{sync::Arc, time::Duration};
use testkit::search::MemoryIndex;

const HOUR: Duration = Duration::from_secs(3601);

fn alone(member: &Member) -> Reader<'_> {
    let alone = true;
    Reader { member, alone }
}

impl Team {
    /// Ann's or the team's, as people make one.
    async fn makes(&self, name: &str) -> Collection {
        let made = self.does(|| knowledge::create(&self.home, alone(&self.ann), name, false));
        made.await.unwrap()
    }

    async fn brings(&self, collection: &Collection, name: &str, text: &str) {
        let new = New {
            collection,
            name,
            bytes: text.as_bytes(),
            tell: None,
        };
        self.does(|| add(&self.home, &self.ann, new)).await.unwrap();
        self.work().await;
    }

    pub async fn hour_goes_by(&self) {
        self.fakes.clock.advance(HOUR);
        self.work().await;
    }

    async fn fits(&self, collection: &Collection) {
        let verified = verify(&self.ingest, collection).await.unwrap();
        assert_eq!(verified.findings, [""; 0], "{}", collection.name);
        assert!(verified.documents > 0);
    }

    async fn records(&self, collection: &Collection) -> usize {
        let id = collection.id.as_str();
        let query = repo::by::<Document>(&self.home.team, "by_name", id);
        let found = repo::collect::<Document>(&*self.store, query)
            .await
            .unwrap();
        found.len()
    }
}

#[tokio::test]
async fn what_was_merged_is_deleted_and_what_is_named_stays() {
    let index = Arc::new(MemoryIndex::new());
    let mut team = Team::new().await;
    team.ingest.index = index.clone();
    for n in 0..10 {
        team.sends(&format!("{n}.txt"), &format!("apples and {n}"))
            .await
            .unwrap();
        team.work().await;
    }
    let named = team.manifest().await.segments.len();
    assert!(index.count() > named);
    team.hour_goes_by().await;
    assert_eq!(index.count(), named);
    assert_eq!(team.finds("apples").await.len(), 10);
    team.fits(&docs()).await;
    // A job that names what counts, as a worker's does that was slower than another one.
    let work = Ingest::Clear(Clear {
        collection: Some(docs().id),
        segments: team.manifest().await.segments,
        contents: Vec::new(),
    });
    let job = job::new_job(&team.home.team, "slow".to_owned(), &work, team.home.now()).unwrap();
    crate::commit(&team.home, vec![Op::Enqueue(job)])
        .await
        .unwrap();
    team.work().await;
    team.fits(&docs()).await;
    team.is_quiet();
}

#[tokio::test]
async fn what_is_taken_out_is_deleted_and_the_same_elsewhere_stays() {
    let team = Team::new().await;
    let (one, two) = (team.makes("one").await, team.makes("two").await);
    let none = team.fakes.blobs.count();
    team.brings(&one, "a.txt", "apples").await;
    let kept = team.fakes.blobs.count();
    team.brings(&two, "a.txt", "apples").await;
    let id = crate::ingest::document_id(&two.id, "a.txt");
    let takes_out = || async {
        let home = &team.home;
        let stored = repo::get::<Document>(&*home.store, &home.team, id.as_str()).await?;
        remove(home, &team.ann, stored.unwrap()).await
    };
    team.does(takes_out).await.unwrap();
    team.work().await;
    assert_eq!(team.fakes.blobs.count() - none, 2 * (kept - none));
    team.hour_goes_by().await;
    assert_eq!(team.fakes.blobs.count(), kept);
    team.fits(&one).await;
    // The name may come again, and is another content then.
    team.brings(&two, "a.txt", "apples").await;
    let now = team.get::<Document>(id.as_str()).await.unwrap();
    assert_eq!((now.revision, now.history.len()), (2, 0));
    team.fits(&two).await;
}

#[tokio::test]
async fn a_collection_that_is_no_more_leaves_nothing() {
    for moment in [None, Some(Moment::Before), Some(Moment::After)] {
        for commit in 1..=3 {
            let team = Team::new().await;
            let (handbook, other) = (team.makes("handbook").await, team.makes("other").await);
            let none = team.fakes.blobs.count();
            team.brings(&other, "0.txt", "apples and 0").await;
            let kept = team.fakes.blobs.count();
            for n in 0..30 {
                team.brings(&handbook, &format!("{n}.txt"), &format!("apples and {n}"))
                    .await;
            }
            // One is still being read.
            let new = New {
                collection: &handbook,
                name: "late.txt",
                bytes: b"pears",
                tell: None,
            };
            team.does(|| add(&team.home, &team.ann, new)).await.unwrap();
            let removed = team.does(|| knowledge::remove(&team.home, alone(&team.ann), "handbook"));
            removed.await.unwrap();
            assert_eq!(team.records(&handbook).await, 31);
            team.fakes.clock.advance(HOUR);
            if let Some(moment) = moment {
                team.store.die_at(commit, moment);
            }
            while team.work().await == Ended::Died {
                team.store.revive();
                team.fakes.clock.advance(LEASE + Duration::from_secs(1));
            }
            team.hour_goes_by().await;
            assert_eq!(team.records(&handbook).await, 0);
            let manifest = team.get::<domain::knowledge::Manifest>(handbook.id.as_str());
            assert_eq!(manifest.await, None);
            assert_eq!(team.fakes.blobs.count() - none, kept - none);
            team.fits(&other).await;
            team.audit_holds().await;
            team.is_quiet();
        }
    }
}

#[tokio::test]
async fn what_history_has_no_room_for_and_what_could_not_be_read_go() {
    let team = Team::new().await;
    let one = team.makes("one").await;
    let none = team.fakes.blobs.count();
    for n in 0..HISTORY + 4 {
        team.brings(&one, "a.txt", &format!("apples and {n}")).await;
    }
    team.hour_goes_by().await;
    let listed = documents(&team.home, &one).await.unwrap();
    assert_eq!(listed[0].history.len(), HISTORY);
    // The original, the passages, and where these are.
    assert_eq!(team.fakes.blobs.count() - none, (HISTORY + 1) * 3);
    team.fits(&one).await;
    team.brings(&one, "b.txt", "\n \n").await;
    let new = New {
        collection: &one,
        name: "c.txt",
        bytes: b"\xff\xfe",
        tell: None,
    };
    team.does(|| add(&team.home, &team.ann, new)).await.unwrap();
    team.work().await;
    team.hour_goes_by().await;
    assert_eq!(team.fakes.blobs.count() - none, (HISTORY + 1) * 3);
}

/// Somebody who can write to the database puts words into a document's mouth, with all digests right.
#[tokio::test]
async fn a_passage_that_does_not_stem_from_the_original_is_found_out() {
    let team = Team::new().await;
    let one = team.makes("one").await;
    team.brings(
        &one,
        "a.txt",
        "Hotels cost 120 a night.\n\nBook before noon.\n",
    )
    .await;
    team.fits(&one).await;
    let ports: &IngestPorts = &team.ingest;
    let home = &ports.home;
    let id = crate::ingest::document_id(&one.id, "a.txt");
    let Stored { mut value, version } =
        repo::get::<Document>(&*home.store, &home.team, id.as_str())
            .await
            .unwrap()
            .unwrap();
    let of = Revision {
        document: id.clone(),
        revision: 1,
    };
    let reading = value.current.as_mut().unwrap();
    let outline = own::get(home, &of, &reading.outline).await.unwrap();
    let mut outline: Outline = serde_json::from_slice(&outline).unwrap();
    let part = own::get(home, &of, &outline.parts[0].1).await.unwrap();
    let mut passages: Vec<Passage> = serde_json::from_slice(&part).unwrap();
    passages[0].text = passages[0].text.replace("120", "190");
    let part = serde_json::to_vec(&passages).unwrap();
    outline.parts[0].1 = own::put(home, &of, &part).await.unwrap();
    let forged = serde_json::to_vec(&outline).unwrap();
    reading.outline = own::put(home, &of, &forged).await.unwrap();
    let put = repo::put(&home.team, &value, Some(version)).unwrap();
    crate::commit(home, vec![put]).await.unwrap();
    let verified = verify(ports, &one).await.unwrap();
    assert_eq!(
        verified.findings,
        [
            "“Hotels cost 190 a night.\n\nBook before no…” does not stand where it should in the original of “a.txt”: forget it and add it again."
        ]
    );
}

//! From a file to something that can be found, also where workers die and several come at once.

use super::{
    dying::Moment,
    team::{Ended, LEASE, Team},
};
use crate::{
    CommandError, Problem,
    ingest::{Added, IngestPorts, New, add, document_id, find, reindex, remove, verify},
};
use domain::{
    Digest,
    id::{CollectionId, SessionId},
    knowledge::{Collection, Document, DocumentStatus, MANY_SEGMENTS, Manifest},
    member::{Member, Role},
};
use insta::assert_snapshot;
use ports::search::Search;
use std::{sync::Arc, time::Duration};

pub fn docs() -> Collection {
    Collection {
        id: CollectionId::new("docs"),
        name: "docs".to_owned(),
        description: String::new(),
        owner: None,
        created_by: "chat:ann".into(),
        created_at: testkit::clock::MONDAY,
        updated_at: testkit::clock::MONDAY,
    }
}

/// The blob of a content's bytes.
fn original(document: &Document, revision: u32, text: &str) -> Digest {
    Digest::of_bytes(format!("{} {revision}\n{text}", document.id))
}

impl Team {
    pub async fn sends(&self, name: &str, text: &str) -> Result<Added, Problem> {
        self.sends_as(&self.ann, name, text.as_bytes()).await
    }

    async fn sends_as(&self, member: &Member, name: &str, bytes: &[u8]) -> Result<Added, Problem> {
        let collection = docs();
        let new = New {
            collection: &collection,
            name,
            bytes,
            tell: Some(&self.session),
        };
        self.does(|| add(&self.home, member, new)).await
    }

    async fn document(&self, name: &str) -> Document {
        let id = document_id(&docs().id, name);
        self.get::<Document>(id.as_str()).await.expect("a document")
    }

    pub async fn manifest(&self) -> Manifest {
        self.get::<Manifest>("docs").await.expect("a manifest")
    }

    /// The names of the documents that are found, each with its revision.
    pub async fn finds(&self, words: &str) -> Vec<String> {
        let search = Search {
            text: words.to_owned(),
            limit: 50,
        };
        let Some(manifest) = self.get::<Manifest>("docs").await else {
            return Vec::new();
        };
        let hits = self
            .ingest
            .index
            .search(&[manifest], &search)
            .await
            .unwrap();
        let mut found = Vec::new();
        for hit in hits {
            let document = self.get::<Document>(hit.document.as_str()).await.unwrap();
            found.push(format!("{} {}", document.name, hit.revision));
        }
        found.sort();
        found
    }

    async fn is_whole(&self) {
        let verified = verify(&self.ingest, &docs()).await.unwrap();
        assert_eq!(verified.findings, Vec::<String>::new());
        assert!(verified.documents > 0);
    }

    async fn takes_out(&self, member: &Member, name: &str) -> Result<Document, Problem> {
        self.does(|| async {
            let found = find(&self.home, member, name, &[docs()]).await?;
            remove(&self.home, member, found).await
        })
        .await
    }
}

#[tokio::test]
async fn a_file_is_read_and_found() {
    let team = Team::new().await;
    let added = team
        .sends("guide/trains.md", "Trains leave at noon.\n\nBook before.")
        .await;
    assert!(matches!(added, Ok(Added::New(_))));
    assert_eq!(team.finds("noon").await, Vec::<String>::new());
    team.work().await;
    assert_eq!(team.finds("noon").await, ["guide/trains.md 1"]);
    let document = team.document("guide/trains.md").await;
    let reading = document.current.unwrap();
    assert_eq!(
        (document.status, reading.passages),
        (DocumentStatus::Ready, 1)
    );
    assert_eq!(
        (reading.bytes, &*reading.title),
        (35, "Trains leave at noon.")
    );
    assert_snapshot!(team.transcript(), @"bot> [Ready] guide/trains.md");
    team.is_whole().await;
    team.audit_holds().await;
    team.is_quiet();
}

#[tokio::test]
async fn the_same_content_is_recognised_and_a_new_one_replaces_the_old() {
    let team = Team::new().await;
    team.sends("a.txt", "apples").await.unwrap();
    assert!(
        matches!(team.sends("a.txt", "apples").await, Ok(Added::Same(_))),
        "on its way"
    );
    team.work().await;
    assert!(matches!(
        team.sends("a.txt", "apples").await,
        Ok(Added::Same(_))
    ));
    let copy = team.sends("b.txt", "apples").await.unwrap();
    assert_eq!(
        (
            copy.document().name.as_str(),
            matches!(copy, Added::Same(_))
        ),
        ("a.txt", true)
    );
    assert!(matches!(
        team.sends("a.txt", "pears").await,
        Ok(Added::Version(_))
    ));
    assert_eq!(team.finds("apples").await, ["a.txt 1"], "until it is read");
    team.work().await;
    assert_eq!(team.finds("apples").await, Vec::<String>::new());
    assert_eq!(team.finds("pears").await, ["a.txt 2"]);
    let document = team.document("a.txt").await;
    let history: Vec<u32> = document.history.iter().map(|one| one.revision).collect();
    assert_eq!((document.revision, history), (2, vec![1]));
    team.is_whole().await;
    team.is_quiet();
}

#[tokio::test]
async fn two_contents_at_once_are_read_in_order_and_the_last_one_is_found() {
    let team = Team::new().await;
    team.sends("a.txt", "apples").await.unwrap();
    team.sends("a.txt", "pears").await.unwrap();
    team.sends("b.txt", "plums").await.unwrap();
    team.work().await;
    assert_eq!(
        team.finds("apples pears plums").await,
        ["a.txt 2", "b.txt 1"]
    );
    team.hour_goes_by().await;
    team.is_whole().await;
    team.is_quiet();
}

#[tokio::test]
async fn what_cannot_be_read_says_why_and_what_was_read_before_is_still_found() {
    let team = Team::new().await;
    team.sends("a.txt", "apples").await.unwrap();
    team.work().await;
    team.sends_as(&team.ann, "a.txt", b"\xff\xfe\xfd")
        .await
        .unwrap();
    team.work().await;
    let document = team.document("a.txt").await;
    assert_eq!(document.status, DocumentStatus::Failed);
    assert_eq!(team.finds("apples").await, ["a.txt 1"]);
    team.sends("empty.txt", "  \n ").await.unwrap();
    team.work().await;
    assert_snapshot!(team.transcript(), @r"
    bot> [Ready] a.txt
    bot> [Failed] a.txt this is no text.
    bot> [Failed] empty.txt there is no text in it.
    ");
    // The same bytes again are read again.
    assert!(matches!(
        team.sends("empty.txt", "  \n ").await,
        Ok(Added::Version(_))
    ));
    team.work().await;
    team.is_whole().await;
}

#[tokio::test]
async fn who_may_not_and_what_is_nothing() {
    let team = Team::new().await;
    let vic = team.joins("vic", Role::Viewer).await;
    let bob = team.joins("bob", Role::Operator).await;
    let refused = team.sends_as(&vic, "a.txt", b"x").await.unwrap_err();
    assert_eq!(
        refused,
        Problem::NotAllowed {
            needed: Role::Operator
        }
    );
    assert!(matches!(
        team.sends("a.txt", "").await,
        Err(Problem::Invalid(_))
    ));
    team.sends("a.txt", "apples").await.unwrap();
    team.sends_as(&bob, "b.txt", b"pears").await.unwrap();
    team.work().await;
    let refused = team.takes_out(&bob, "a.txt").await.unwrap_err();
    assert_eq!(
        refused,
        Problem::NotAllowed {
            needed: Role::Owner
        }
    );
    team.takes_out(&bob, "b.txt").await.unwrap();
    assert_eq!(team.finds("apples pears").await, ["a.txt 1"]);
    let again = team.takes_out(&bob, "b.txt").await.unwrap_err();
    assert!(matches!(again, Problem::NotFound { .. }));
    // It may come again.
    team.sends_as(&bob, "b.txt", b"pears").await.unwrap();
    team.work().await;
    assert_eq!(team.finds("pears").await, ["b.txt 2"]);
    team.is_whole().await;
}

#[tokio::test]
async fn a_pdf_is_left_to_a_process_with_a_sandbox() {
    let team = Team::new().await;
    team.sends("a.pdf", "%PDF and what is in it").await.unwrap();
    let job = team.claim().await.unwrap();
    team.perform(&job, ports::sandbox::Cancel::default())
        .await
        .unwrap();
    let left: Vec<String> = team
        .fakes
        .store
        .jobs()
        .iter()
        .map(|job| job.lane.clone())
        .collect();
    assert_eq!(left, ["sandbox"]);
}

#[tokio::test]
async fn lost_bytes_are_said() {
    let team = Team::new().await;
    let added = team.sends("a.txt", "apples").await.unwrap();
    let original = |revision| original(added.document(), revision, "apples");
    team.fakes.blobs.lose(&original(1));
    team.work().await;
    assert_snapshot!(team.transcript(), @"bot> [Failed] a.txt its bytes are not in the blob store any more: add it again.");
    team.sends("a.txt", "apples").await.unwrap();
    team.work().await;
    team.fakes.blobs.lose(&original(2));
    let outline = team.document("a.txt").await.current.unwrap().outline;
    let findings = async || verify(&team.ingest, &docs()).await.unwrap().findings;
    assert_eq!(
        findings().await,
        ["the original bytes of “a.txt” are lost: forget it and add it again."]
    );
    team.sends("b.txt", "pears").await.unwrap();
    team.work().await;
    team.fakes.blobs.lose(&outline);
    assert_eq!(findings().await.len(), 1);
}

#[tokio::test]
async fn many_documents_are_in_few_segments_and_a_lost_index_is_made_again() {
    let team = Team::new().await;
    for n in 0..40 {
        team.sends(&format!("{n}.txt"), &format!("apples and {n}"))
            .await
            .unwrap();
        team.work().await;
    }
    for n in 0..10 {
        team.takes_out(&team.ann, &format!("{n}.txt"))
            .await
            .unwrap();
    }
    let manifest = team.manifest().await;
    assert!(
        manifest.segments.len() <= MANY_SEGMENTS,
        "{}",
        manifest.segments.len()
    );
    assert_eq!(team.finds("apples").await.len(), 30);
    team.hour_goes_by().await;
    team.is_whole().await;
    team.is_quiet();
    let without = IngestPorts {
        index: Arc::new(testkit::search::MemoryIndex::new()),
        ..team.ingest.clone()
    };
    let lost = verify(&without, &docs()).await.unwrap();
    assert_eq!(lost.findings.len(), 1, "{:?}", lost.findings);
    let done = reindex(&team.home, &*team.ingest.index, &docs())
        .await
        .unwrap();
    assert_eq!((done.documents, done.passages, done.segments), (30, 30, 1));
    assert_eq!(team.finds("apples").await.len(), 30);
    assert_eq!(team.manifest().await.gone, []);
    team.is_whole().await;
}

/// Whatever commit a worker dies at: the document is there once, as a whole.
#[tokio::test]
async fn workers_die_at_every_commit() {
    for moment in [Moment::Before, Moment::After] {
        for commit in 1..=4 {
            let team = Team::new().await;
            team.sends("a.txt", "apples").await.unwrap();
            team.work().await;
            team.sends("a.txt", "pears").await.unwrap();
            team.sends("b.txt", "plums").await.unwrap();
            team.store.die_at(commit, moment);
            while team.work().await == Ended::Died {
                team.store.revive();
                team.fakes.clock.advance(LEASE + Duration::from_secs(1));
            }
            assert_eq!(
                team.finds("apples pears plums").await,
                ["a.txt 2", "b.txt 1"]
            );
            assert_eq!(team.manifest().await.segments.len(), 3);
            team.is_whole().await;
            team.audit_holds().await;
        }
    }
}

#[tokio::test]
async fn nobody_hears_of_what_nobody_asked() {
    let team = Team::new().await;
    let collection = docs();
    let new = New {
        collection: &collection,
        name: "a.txt",
        bytes: b"x",
        tell: None::<&SessionId>,
    };
    let added: Result<_, CommandError> =
        crate::commit_with(&team.home, || add(&team.home, &team.ann, new)).await;
    assert!(added.is_ok());
    team.work().await;
    assert_eq!(team.transcript(), "");
}

//! Files of agents and skills that wait for a yes: who may send one is asked first, only what has a card is kept, and who writes on waits for no
//! place for files.

use super::*;
use domain::skill::Package;
use ports::{
    Blobs,
    blob::BlobError,
    shelf::{Fetched, Offer, Shelf, ShelfError},
};
use std::sync::atomic::{AtomicUsize, Ordering};

const AGENT: &str = "---\nname: scout\ndescription: Looks\npreset: read-only\n---\nYou look.\n";

/// A shelf that counts what it unpacks.
#[derive(Default)]
struct Counting(MemoryShelf, AtomicUsize);

#[async_trait::async_trait]
impl Shelf for Counting {
    async fn offers(&self) -> Result<Vec<Offer>, ShelfError> {
        self.0.offers().await
    }
    async fn fetch(&self, name: &str) -> Result<Fetched, ShelfError> {
        Err(ShelfError::Missing(name.to_owned()))
    }
    fn is_skill(&self, name: &str, bytes: &[u8]) -> bool {
        self.0.is_skill(name, bytes)
    }
    async fn unpack(&self, name: &str, bytes: &[u8]) -> Result<Package, ShelfError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpack(name, bytes).await
    }
}

/// A place for files that is away.
struct Away;

#[async_trait::async_trait]
impl Blobs for Away {
    async fn put(&self, _: &[u8]) -> Result<Digest, BlobError> {
        Err(BlobError::Io("no space left".to_owned()))
    }
    async fn get(&self, _: &Digest) -> Result<Vec<u8>, BlobError> {
        Err(BlobError::Io("no space left".to_owned()))
    }
    async fn delete(&self, _: &Digest) -> Result<(), BlobError> {
        Err(BlobError::Io("no space left".to_owned()))
    }
}

impl World {
    async fn sends(&mut self, who: i64, name: &str, text: &str) -> String {
        let file = json!({"document": {"file_id": text, "file_name": name, "file_size": 5}});
        self.message(who, who, file).await
    }

    async fn offered(&self) -> usize {
        let all = repo::all::<Setting>(&self.fakes.team);
        let all = repo::collect(&*self.fakes.store, all).await.unwrap();
        let is_offer = |one: &&repo::Stored<Setting>| one.value.name.starts_with("offer:");
        all.iter().filter(is_offer).count()
    }
}

async fn world() -> (World, Arc<Counting>, String) {
    let mut world = World::new().await;
    let shelf = Arc::new(Counting::default());
    let front = "---\nname: greet\ndescription: Greets people.\n---\nSay hello.\n";
    let package = Package::read([("SKILL.md".to_owned(), front.as_bytes().to_vec())]).unwrap();
    let pin = handlers::skills::pin(&package.digest).to_owned();
    shelf.0.put(package);
    world.talk.shelf = shelf.clone();
    (world, shelf, pin)
}

#[tokio::test]
async fn who_may_not_install_is_told_before_anything_is_unpacked() {
    let (mut world, shelf, _) = world().await;
    for (name, text) in [("greet.zip", "zip"), ("scout.md", AGENT)] {
        let said = world.sends(BOB, name, text).await;
        assert!(said.contains("That takes an owner."), "{name}: {said}");
    }
    assert_eq!(
        (shelf.1.load(Ordering::SeqCst), world.offered().await),
        (0, 0)
    );
}

#[tokio::test]
async fn what_has_no_card_is_not_kept() {
    let (mut world, _, pin) = world().await;
    let card = world.sends(ANN, "greet.zip", "zip").await;
    assert!(card.contains("Install the skill greet?"), "{card}");
    assert_eq!(world.offered().await, 1);
    let done = world.tap(ANN, &format!("skill:greet:{pin}")).await;
    assert!(done.contains("greet is installed."), "{done}");
    assert_eq!(world.offered().await, 0);
    let said = world.sends(ANN, "greet.zip", "zip").await;
    assert!(
        said.contains("Exactly this content of greet is installed."),
        "{said}"
    );
    assert_eq!(world.offered().await, 0);
    // The card of an offer that is over; nothing of that name is on the shelf.
    world.say(ANN, "/skill remove greet").await;
    let said = world.tap(ANN, &format!("skill:greet:{pin}")).await;
    assert!(said.contains("send the file again"), "{said}");
}

#[tokio::test]
async fn who_writes_on_waits_for_no_place_for_files() {
    let (mut world, ..) = world().await;
    let blobs = std::mem::replace(&mut world.talk.home.blobs, Arc::new(Away));
    for (name, text) in [
        ("greet.zip", "zip"),
        ("scout.md", AGENT),
        ("notes.txt", "apples"),
    ] {
        let said = world.sends(ANN, name, text).await;
        assert!(
            said.contains("can’t be kept at the moment"),
            "{name}: {said}"
        );
    }
    world.talk.home.blobs = blobs;
    let card = world.sends(ANN, "scout.md", AGENT).await;
    assert!(card.contains("Make the agent scout"), "{card}");
}

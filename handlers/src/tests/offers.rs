//! Files that wait for a yes: what is answered, and what nobody answers, goes with its bytes; what was sent again stays.

use super::team::Team;
use crate::{offers, tick};
use ports::{
    repo::{self, settings::Setting},
    store::Op,
};
use std::time::Duration;

impl Team {
    async fn offers(&self, pin: &str, text: &str) {
        let file = ("greet.zip", text.as_bytes());
        let ops = offers::keep(&self.home, pin, file).await.unwrap();
        self.commits(ops).await;
    }

    async fn commits(&self, ops: Vec<Op>) {
        crate::commit(&self.home, ops).await.unwrap();
    }

    async fn offered(&self, pin: &str) -> Option<Vec<u8>> {
        let found = offers::find(&self.home, pin).await.unwrap();
        found.map(|offer| offer.bytes)
    }

    async fn settings(&self) -> usize {
        let all = repo::all::<Setting>(&self.home.team);
        let all = repo::collect::<Setting>(&*self.home.store, all).await;
        let of_offers = |one: &&repo::Stored<Setting>| one.value.name.starts_with("offer:");
        all.unwrap().iter().filter(of_offers).count()
    }
}

#[tokio::test]
async fn what_is_answered_goes_with_its_bytes() {
    let team = Team::new().await;
    let none = team.fakes.blobs.count();
    team.offers("one", "hello").await;
    team.offers("two", "hello").await;
    let found = offers::find(&team.home, "one").await.unwrap().unwrap();
    assert_eq!((&*found.name, &*found.bytes), ("greet.zip", &b"hello"[..]));
    team.commits(found.settled).await;
    assert_eq!(team.offered("one").await, None);
    team.hour_goes_by().await;
    // The same bytes in another offer are its own.
    assert_eq!(team.offered("two").await.as_deref(), Some(&b"hello"[..]));
    let declined = offers::decline(&team.home, "two").await.unwrap();
    team.commits(declined).await;
    // Sent again before the first one's bytes were deleted.
    team.offers("two", "hello").await;
    team.hour_goes_by().await;
    assert_eq!(team.offered("two").await.as_deref(), Some(&b"hello"[..]));
    team.offers("two", "hello again").await;
    team.hour_goes_by().await;
    assert_eq!(team.fakes.blobs.count(), none + 1);
    let declined = offers::decline(&team.home, "two").await.unwrap();
    team.commits(declined).await;
    team.hour_goes_by().await;
    assert_eq!((team.fakes.blobs.count(), team.settings().await), (none, 0));
}

#[tokio::test]
async fn what_nobody_answers_goes_after_a_day() {
    let team = Team::new().await;
    let none = team.fakes.blobs.count();
    team.commits(vec![tick::first(&team.home).unwrap()]).await;
    for n in 0..60 {
        team.offers(&format!("pin{n}"), "hello").await;
    }
    team.fakes.clock.advance(Duration::from_secs(20 * 3600));
    team.offers("late", "hello").await;
    team.work().await;
    assert_eq!(team.settings().await, 61);
    team.waits(Duration::from_secs(5 * 3600)).await;
    assert_eq!(team.settings().await, 1);
    team.hour_goes_by().await;
    assert_eq!(team.fakes.blobs.count(), none + 1);
    assert!(team.offered("late").await.is_some());
}

/// As it was before: its bytes may be somebody else's, and stay.
#[tokio::test]
async fn an_old_one_is_read_and_goes_alone() {
    let team = Team::new().await;
    let blob = team.home.blobs.put(b"hello").await.unwrap();
    let setting = Setting {
        name: "offer:old".to_owned(),
        value: serde_json::json!({"name": "greet.zip", "blob": blob}),
    };
    let kept = repo::create(&team.home.team, &setting).unwrap();
    team.commits(vec![kept, tick::first(&team.home).unwrap()])
        .await;
    assert_eq!(team.offered("old").await.as_deref(), Some(&b"hello"[..]));
    // It has its day from the first look on.
    team.waits(Duration::from_secs(3600)).await;
    assert_eq!(team.offered("old").await.as_deref(), Some(&b"hello"[..]));
    team.waits(Duration::from_secs(25 * 3600)).await;
    team.hour_goes_by().await;
    assert_eq!(team.settings().await, 0);
    assert!(team.home.blobs.get(&blob).await.is_ok());
}

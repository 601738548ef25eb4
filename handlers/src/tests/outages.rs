//! Absences: cards that stood where nobody heard a tap say so, and the newest of several edits is the one that is sent.

use super::team::Team;
use crate::outage;
use domain::approval::{ApprovalStatus, Choice};
use insta::assert_snapshot;
use ports::message::{Body, SendError};
use std::time::Duration;

const BOT: &str = "chat.42";
/// What the surface keeps.
const LIFE: Duration = Duration::from_secs(150);

async fn heard(team: &Team, surface: &str) {
    outage::heard(&team.home, surface, LIFE).await.unwrap();
    team.work().await;
}

async fn with_a_card() -> Team {
    let team = Team::new().await;
    heard(&team, BOT).await;
    team.says("run: make").await;
    team.transcript();
    team
}

#[tokio::test]
async fn a_card_says_that_nobody_listened_and_can_be_tapped_again() {
    let team = with_a_card().await;
    let card = team.card().await;
    team.fakes.clock.advance(Duration::from_secs(600));
    heard(&team, BOT).await;
    assert_eq!(team.card().await, card, "nothing about it has changed");
    team.decides(Choice::Approve).await;
    assert_snapshot!(team.transcript(), @"
    edit> [away for 600 s] run_command: make
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    ");
    let arrived = team.fakes.messenger.arrived();
    let cards = arrived
        .iter()
        .filter(|sending| matches!(sending.message.body, Body::Card { .. }));
    assert_eq!(cards.count(), 1, "it was not posted again");
    team.is_quiet();
}

#[tokio::test]
async fn silence_is_no_absence() {
    let team = with_a_card().await;
    for _ in 0..20 {
        // An idle bot is heard of once a poll.
        team.fakes.clock.advance(Duration::from_secs(80));
        heard(&team, BOT).await;
    }
    // Another bot has ears of its own.
    team.fakes.clock.advance(Duration::from_secs(100));
    heard(&team, "chat.43").await;
    assert_eq!(team.transcript(), "");
    team.is_quiet();
}

#[tokio::test]
async fn only_cards_that_stood_there_and_still_wait_are_told() {
    let team = with_a_card().await;
    team.decides(Choice::Deny {
        reason: String::new(),
    })
    .await;
    // This one does not arrive before the absence is over.
    team.writes("run: make all").await.unwrap();
    let step = team.claim().await.unwrap();
    team.perform(&step, ports::sandbox::Cancel::default())
        .await
        .unwrap();
    let away = SendError::NotDelivered("no route".to_owned());
    team.fakes.messenger.fail([away]);
    team.work().await;
    team.transcript();
    team.fakes.clock.advance(Duration::from_secs(1));
    outage::heard(&team.home, BOT, Duration::ZERO)
        .await
        .unwrap();
    team.waits(Duration::from_secs(60)).await;
    assert_snapshot!(team.transcript(), @"bot> [approval asked] run_command: make all");
    team.is_quiet();
}

#[tokio::test]
async fn only_the_newest_edit_of_a_card_is_sent() {
    let team = with_a_card().await;
    // The surface is away for the edits, too.
    let away = || SendError::NotDelivered("no route".to_owned());
    team.fakes.messenger.fail([away()]);
    for _ in 0..3 {
        team.fakes.clock.advance(Duration::from_secs(600));
        outage::heard(&team.home, BOT, LIFE).await.unwrap();
    }
    let card = team.card().await;
    team.choose(&team.ann, &card.id, Choice::Approve)
        .await
        .unwrap();
    team.work().await;
    team.waits(Duration::from_secs(60)).await;
    assert_snapshot!(team.transcript(), @"
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    ");
    team.is_quiet();
}

#[tokio::test]
async fn a_card_that_waits_and_was_deleted_is_sent_anew() {
    let team = with_a_card().await;
    team.fakes.messenger.fail([SendError::Missing]);
    team.fakes.clock.advance(Duration::from_secs(600));
    heard(&team, BOT).await;
    team.decides(Choice::Approve).await;
    assert_snapshot!(team.transcript(), @"
    bot> [away for 600 s] run_command: make
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    ");
    let edit = team
        .fakes
        .messenger
        .arrived()
        .into_iter()
        .rfind(|sending| sending.edits.is_some());
    // The first card was message 1, the new one is 2.
    assert_eq!(
        edit.and_then(|edit| edit.edits)
            .map(|sent| sent.message)
            .as_deref(),
        Some("2")
    );
    team.is_quiet();
}

#[tokio::test]
async fn whoever_has_gone_meanwhile_can_not_decide() {
    let team = with_a_card().await;
    team.fakes
        .messenger
        .fail([SendError::Gone("blocked".to_owned())]);
    team.fakes.clock.advance(Duration::from_secs(600));
    heard(&team, BOT).await;
    assert_eq!(
        team.all_cards().await[0].status,
        ApprovalStatus::Undeliverable
    );
    team.audit_holds().await;
}

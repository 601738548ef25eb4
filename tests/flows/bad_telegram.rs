//! Bad days of Telegram in the middle of a conversation: nothing is lost, and nothing is said twice without saying so.

use super::Team;
use tests::servers::telegram::{Fault, User};

const AGAIN: &str = "sent again";

fn answers(team: &Team, text: &str) -> usize {
    team.ann
        .messages()
        .iter()
        .filter(|m| m.is_bots() && m.text.contains(text))
        .count()
}

#[tokio::test]
async fn too_many_requests_are_waited_for() {
    let mut team = Team::start().await;
    team.tg.inject("sendMessage", Fault::TooManyRequests(1));
    team.ask("/help", "/approvals").await;
    assert_eq!(
        answers(&team, AGAIN),
        0,
        "Telegram said that it did not take it"
    );
    team.program.assert_well();
}

#[tokio::test]
async fn what_never_arrived_is_sent_again_silently_and_what_may_have_arrived_says_so() {
    let mut team = Team::start().await;
    team.tg.inject("sendMessage", Fault::DropAfter);
    let asked = team.ann.send("/help");
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains(AGAIN))
        .await;
    assert_eq!(
        answers(&team, "/approvals"),
        2,
        "it had arrived, which nobody could know"
    );
    for fault in [Fault::InternalServerError, Fault::BadGateway] {
        team.tg.inject("sendMessage", fault);
        let asked = team.ann.send("/agents");
        team.ann
            .wait_for_message(|m| m.id > asked && m.text.contains("coder"))
            .await;
    }
    team.program.assert_well();
}

#[tokio::test]
async fn a_card_and_its_decision_survive_bad_connections() {
    let mut team = Team::start().await;
    team.tg.inject("sendMessage", Fault::DropBefore);
    team.tg
        .inject("editMessageText", Fault::InternalServerError);
    team.tg
        .inject("answerCallbackQuery", Fault::InternalServerError);
    team.tg.inject("getUpdates", Fault::BadGateway);
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    team.tg.inject("getUpdates", Fault::DropAfter);
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("once >> effects"))
        .await;
    assert_eq!(team.effects(), 1);
    team.program.assert_well();
}

#[tokio::test]
async fn a_card_that_nobody_can_get_is_undeliverable_and_not_denied() {
    let mut team = Team::start().await;
    let code = super::team::code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;
    team.tg.inject("sendMessage", Fault::Blocked);
    bob.send("run: echo bob >> effects");
    let told = team.ann.wait_for_text("could not be delivered").await;
    assert!(!told.text.contains("denied"), "{}", told.text);
    let (_, all, _) = team.program.run(&["approvals", "list", "--all"]).await;
    assert!(all.contains("undeliverable"), "{all}");
    assert_eq!(team.effects(), 0);
    bob.send("run: echo hello again");
    bob.wait_for_text("hello again").await;
    team.program.assert_well();
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed() {
    let mut team = Team::start().await;
    let ann = User::new(1001, "Ann");
    let (old, new) = (team.tg.group(-500, "Work"), team.tg.group(-100_500, "Work"));
    old.add_bot(&ann);
    let (old, seat) = (old.seat(&ann), new.seat(&ann));
    old.wait_for_text("Hello").await;
    new.add_bot(&ann);
    seat.wait_for_text("Hello").await;
    team.tg.inject("sendMessage", Fault::MigratedTo(-100_500));
    old.send("/help@fake_test_bot");
    seat.wait_for_text("/approvals").await;
    team.program.assert_well();
}

#[tokio::test]
async fn updates_that_come_together_are_answered_in_order() {
    let team = Team::start().await;
    team.tg.hold_updates();
    let first = team.ann.send("run: echo one");
    team.ann.send("run: echo two");
    team.ann.send("run: echo three");
    team.tg.release_updates();
    team.ann
        .wait_for_message(|m| m.id > first && m.text.contains("three"))
        .await;
    let at = |text: &str| {
        team.ann
            .messages()
            .iter()
            .position(|m| m.is_bots() && m.text.contains(&format!("echo {text}")))
            .unwrap()
    };
    assert!(
        at("one") < at("two") && at("two") < at("three"),
        "{}",
        team.ann.transcript()
    );
}

#[tokio::test]
async fn somebody_else_who_polls_with_the_same_token_is_outlasted() {
    let mut team = Team::start().await;
    let conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    team.tg
        .inject("getUpdates", Fault::Error(409, conflict.to_owned()));
    team.ask("run: echo one", "one").await;
    team.ask("run: echo two", "two").await;
    team.program.assert_well();
}

#[tokio::test]
async fn telegram_being_away_at_the_start_is_no_reason_to_stop() {
    let mut team = Team::start().await;
    team.program.quiet().await;
    team.program.kill().await;
    team.tg.inject_times("getMe", Fault::BadGateway, 1);
    team.program.up().await;
    team.ask("run: echo there again", "there again").await;
    team.program.assert_well();
}

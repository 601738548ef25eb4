//! `kill -9` while a card waits: the run is a row, so nothing is lost and nothing happens twice.

use super::{Home, Team, in_each_home};
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::servers::{
    model::{Dialect, Gate, Reply, Script},
    telegram::Message,
};

#[tokio::test]
async fn a_card_outlives_the_process() {
    let mut team = Team::start().await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    assert_eq!(team.effects(), 0, "nothing happens before the yes");

    team.program.quiet().await;
    team.program.kill().await;
    team.program.up().await;
    team.ann.tap(card.id, "Approve");

    let answer = team
        .ann
        .wait_for_message(|m| m.is_bots() && m.id > card.id && m.text.contains("once >> effects"))
        .await;
    assert_eq!(team.effects(), 1, "one effect");
    let answers = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.is_bots() && m.text == answer.text)
        .count();
    assert_eq!(answers, 1, "one answer");
}

#[tokio::test]
async fn a_message_that_came_while_nobody_was_up_is_answered_once() {
    let mut team = Team::start().await;
    team.program.quiet().await;
    team.program.kill().await;
    let asked = team.ann.send("/help");
    team.program.up().await;
    team.ann
        .wait_for_message(|m| m.is_bots() && m.id > asked && m.text.contains("/approvals"))
        .await;
    team.program.quiet().await;
    team.program.kill().await;
    team.program.up().await;
    let again = team.ann.send("/agents");
    team.ann
        .wait_for_message(|m| m.is_bots() && m.id > again && m.text.contains("coder"))
        .await;
    let helps = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.is_bots() && m.text.contains("/approvals"))
        .count();
    assert_eq!(helps, 1);
}

/// A program that was killed in the middle of an effect: the effect is there, and nobody wrote that down. The question about it.
async fn interrupted() -> (Team, Message) {
    let mut team = Team::start().await;
    team.ann.send("run: echo once >> effects; sleep 100");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.program.effects("effects", 1).await;
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    team.program.kill().await;
    team.program.leases_run_out();
    team.program.up().await;
    let question = team.ann.wait_for_button("It happened").await;
    assert!(
        question.id != card.id
            && question.text.contains("Did it happen?")
            && question.text.contains("sleep 100"),
        "{}",
        question.text
    );
    assert_eq!(team.effects(), 1, "an effect is never repeated by itself");
    (team, question)
}

#[tokio::test]
async fn an_effect_that_was_interrupted_asks_whether_it_happened() {
    let (mut team, question) = interrupted().await;
    let id = super::team::short_id(&team.ask("/approvals", "/deny <id>").await);
    team.ask(&format!("/approve {id}"), "choose on its card")
        .await;
    team.ann.tap(question.id, "It happened");
    team.ann
        .wait_for_message(|m| m.id == question.id && m.text.contains("Ann"))
        .await;
    team.ann
        .wait_for_message(|m| m.id > question.id && !m.silent && m.buttons().is_empty())
        .await;
    assert_eq!(team.effects(), 1);
    team.ask("run: echo all is well", "all is well").await;
    team.program.assert_well();
}

#[tokio::test]
async fn an_effect_that_was_interrupted_is_run_again_when_a_person_says_so() {
    let (team, question) = interrupted().await;
    team.ann.tap(question.id, "Run again");
    team.program.effects("effects", 2).await;
    team.ask("/cancel", "being stopped").await;
    team.ann.wait_for_text("was cancelled").await;
    assert_eq!(team.effects(), 2);
}

#[tokio::test]
async fn an_effect_that_was_interrupted_is_left_when_a_person_says_so() {
    let (team, question) = interrupted().await;
    team.ann.tap(question.id, "Stop");
    team.ann
        .wait_for_message(|m| m.id == question.id && m.buttons().is_empty())
        .await;
    team.ann
        .wait_for_message(|m| m.id > question.id && !m.silent && m.buttons().is_empty())
        .await;
    assert_eq!(team.effects(), 1);
    team.ask("run: echo all is well", "all is well").await;
}

#[tokio::test]
async fn a_message_whose_fate_a_crash_hid_is_sent_again_and_says_so() {
    let mut team = Team::start().await;
    team.program.quiet().await;
    let held = team.tg.hold_answer("sendMessage");
    let asked = team.ann.send("/help");
    held.reached().await;
    team.program.kill().await;
    held.release();
    team.program.leases_run_out();
    team.program.up().await;
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("sent again"))
        .await;
    let helps = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.is_bots() && m.id > asked && m.text.contains("/approvals"))
        .count();
    assert_eq!(helps, 2, "{}", team.ann.transcript());
}

in_each_home! { a_model_that_was_asked_when_the_program_was_killed_is_asked_again }

async fn a_model_that_was_asked_when_the_program_was_killed_is_asked_again(home: Home) {
    let gate = Gate::new();
    let (held, count) = (gate.clone(), AtomicUsize::new(0));
    let script = Script::answering(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::text("lost").held_by(&held),
        _ => Reply::text("Here is the answer."),
    });
    let (mut team, model) = Team::in_home_with_model(home, Dialect::Anthropic, script).await;
    team.ann.send("Hello?");
    model.wait_for_requests(1).await;
    team.kill().await;
    gate.open();
    team.come_back().await;
    team.ann.wait_for_text("Here is the answer.").await;
    let answers = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.text.contains("Here is the answer."))
        .count();
    assert_eq!((answers, model.requests().len()), (1, 2));
}

//! `kill -9` while a card waits: the run is a row, so nothing is lost and nothing happens twice.

use super::Team;

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

//! Free text and slash commands.

use super::Team;

#[tokio::test]
async fn harmless_things_happen_without_a_card() {
    let team = Team::start().await;
    team.ask("run: echo hello there", "hello there").await;
    let cards = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.reply_markup.is_some())
        .count();
    assert_eq!(cards, 0);
}

#[tokio::test]
async fn every_command_answers() {
    let team = Team::start().await;
    team.ask("/help", "/approvals").await;
    team.ask("/start", "").await;
    team.ask("/agents", "coder").await;
    team.ask("/agent coder", "coder").await;
    team.ask("/agent assistant run: echo one shot", "one shot")
        .await;
    team.ask("/agent nobody", "nobody").await;
    team.ask("/runs", "assistant").await;
    team.ask("/approvals", "").await;
    team.ask("/rules", "").await;
    team.ask("/audit", "").await;
    team.ask("/cost", "$0").await;
    team.ask("/settings", "").await;
    team.ask("/cancel", "").await;
    team.ask("/new", "").await;
    team.ask("/run nothing", "nothing").await;
    team.ask("/aprovals", "/approvals").await;
    team.ask("/agent", "").await;
}

#[tokio::test]
async fn approvals_are_listed_and_decided_by_command() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    let list = team.ask("/approvals", "/deny <id>").await;
    let id = list
        .split_whitespace()
        .find(|word| word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit()))
        .expect("a short id")
        .to_owned();
    team.ask(&format!("/deny {id} no need"), "").await;
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Denied by Ann"))
        .await;
    let runs = team.ask("/runs", "/run <id>").await;
    let run = runs
        .split_whitespace()
        .find(|word| word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit()))
        .expect("a short id")
        .to_owned();
    team.ask(&format!("/run {run}"), "no need").await;
}

#[tokio::test]
async fn cancel_stops_what_works_and_withdraws_its_card() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    team.ask("/cancel", "").await;
    team.ann
        .wait_for_message(|m| m.id == card.id && m.edits > 0 && m.reply_markup.is_none())
        .await;
    assert_eq!(team.program.workspace_file("effects"), None);
}

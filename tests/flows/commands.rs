//! Free text and slash commands.

use super::Team;

/// Sends it and answers the first reply that holds `expected`.
async fn ask(team: &Team, text: &str, expected: &str) -> String {
    let asked = team.ann.send(text);
    team.ann.wait_for_message(|m| m.is_bots() && m.id > asked && m.text.contains(expected)).await.text
}

#[tokio::test]
async fn harmless_things_happen_without_a_card() {
    let team = Team::start().await;
    ask(&team, "run: echo hello there", "hello there").await;
    let cards = team.ann.messages().into_iter().filter(|m| m.reply_markup.is_some()).count();
    assert_eq!(cards, 0);
}

#[tokio::test]
async fn every_command_answers() {
    let team = Team::start().await;
    ask(&team, "/help", "/approvals").await;
    ask(&team, "/start", "").await;
    ask(&team, "/agents", "coder").await;
    ask(&team, "/agent coder", "coder").await;
    ask(&team, "/agent assistant run: echo one shot", "one shot").await;
    ask(&team, "/agent nobody", "nobody").await;
    ask(&team, "/runs", "assistant").await;
    ask(&team, "/approvals", "").await;
    ask(&team, "/rules", "").await;
    ask(&team, "/audit", "").await;
    ask(&team, "/cost", "$0").await;
    ask(&team, "/settings", "").await;
    ask(&team, "/cancel", "").await;
    ask(&team, "/new", "").await;
    ask(&team, "/run nothing", "nothing").await;
    ask(&team, "/aprovals", "/approvals").await;
    ask(&team, "/agent", "").await;
}

#[tokio::test]
async fn approvals_are_listed_and_decided_by_command() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    let list = ask(&team, "/approvals", "/deny <id>").await;
    let id = list.split_whitespace().find(|word| word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit())).expect("a short id").to_owned();
    ask(&team, &format!("/deny {id} no need"), "").await;
    team.ann.wait_for_message(|m| m.id == card.id && m.text.contains("Denied by Ann")).await;
    let runs = ask(&team, "/runs", "/run <id>").await;
    let run = runs.split_whitespace().find(|word| word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit())).expect("a short id").to_owned();
    ask(&team, &format!("/run {run}"), "no need").await;
}

#[tokio::test]
async fn cancel_stops_what_works_and_withdraws_its_card() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Approve").await;
    ask(&team, "/cancel", "").await;
    team.ann.wait_for_message(|m| m.id == card.id && m.edits > 0 && m.reply_markup.is_none()).await;
    assert_eq!(team.program.workspace_file("effects"), None);
}

#[tokio::test]
async fn a_long_answer_is_split_and_a_very_long_one_is_a_file() {
    let team = Team::start().await;
    ask(&team, "run: seq 1 3000", "").await;
    team.ann.wait_for_message(|m| m.is_bots() && m.text.contains("(2/")).await;
    for message in team.ann.messages() {
        assert!(message.text.encode_utf16().count() <= 4096);
    }
}

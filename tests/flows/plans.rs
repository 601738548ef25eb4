//! A command in two stages: its plan is on the card, the card is approved by its capability, and another plan is another card.

use super::Team;

const DEPLOY: &str = r#"{"tool": "run_command", "arguments": {"command": "cat wanted >> effects", "plan": "cat wanted", "capability": "deploy"}}"#;

/// Ann has a file that a plan can show.
async fn wanted(text: &str) -> Team {
    let team = Team::start().await;
    team.ann.send(&format!("write: wanted: {text}"));
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && !m.silent && m.text.contains("wanted"))
        .await;
    team
}

#[tokio::test]
async fn what_the_card_shows_is_applied_and_what_it_does_not_show_is_another_card() {
    let team = wanted("server one").await;
    let asked = team.ann.send(DEPLOY);
    let first = team
        .ann
        .wait_for_message(|m| m.id > asked && m.text.contains("/approve deploy"))
        .await;
    for part in ["Plan: cat wanted", "server one", "cat wanted >> effects"] {
        assert!(first.text.contains(part), "{part}:\n{}", first.text);
    }
    assert!(first.button("Always").is_none());
    std::fs::write(team.program.workspace_path("wanted"), "server two").unwrap();
    team.ann.send("/approve deploy");
    let second = team
        .ann
        .wait_for_message(|m| m.id > first.id && m.text.contains("/approve deploy"))
        .await;
    assert!(second.text.contains("server two"), "{}", second.text);
    assert_eq!(team.effects(), 0);
    team.ann.send("/approve deploy");
    team.ann
        .wait_for_message(|m| m.id == second.id && m.text.contains("Approved by Ann"))
        .await;
    team.ann
        .wait_for_message(|m| m.id > second.id && !m.silent && m.text.contains("cat wanted"))
        .await;
    let effects = team.program.workspace_file("effects");
    assert_eq!(effects.as_deref(), Some("server two"));
    team.ask("/approve deploy", "no approval").await;
}

#[tokio::test]
async fn a_line_of_the_rehearsal_plans_too_and_a_plan_that_would_be_asked_about_is_not_made() {
    let team = wanted("server one").await;
    let asked = team.ann.send("plan: cat wanted => touch effects");
    let card = team
        .ann
        .wait_for_message(|m| m.id > asked && m.text.contains("Plan: cat wanted"))
        .await;
    team.ann.send("/deny all");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Denied by Ann"))
        .await;
    team.ask(
        "plan: touch effects => cat wanted; touch effects",
        "its plan needs an approval of its own",
    )
    .await;
    assert_eq!(team.effects(), 0);
    assert_eq!(team.program.workspace_file("effects"), None);
}

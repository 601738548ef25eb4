//! A person changes a call on its card, and what they then approve is what runs.

use super::Team;

#[tokio::test]
async fn the_changed_call_runs_after_a_yes_of_its_own_and_the_agent_is_told() {
    let team = Team::start().await;
    team.ann.send("run: echo one >> effects");
    let card = team.ann.wait_for_button("Modify").await;
    let old = card.button("Approve").unwrap().data.unwrap();
    team.ann.tap(card.id, "Modify");
    let question = team
        .ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("Reply to this message"))
        .await;
    team.ann
        .reply_to(question.id, "echo two >> effects; echo three >> effects");
    let changed = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("echo three"))
        .await;
    assert!(
        changed
            .text
            .contains("Changed by: Ann; the agent proposed: echo one"),
        "{}",
        changed.text
    );
    let late = team.ann.tap_data(card.id, &old);
    assert!(
        team.ann
            .wait_for_answer(&late)
            .await
            .contains("out of date")
    );
    assert_eq!(team.effects(), 0);
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    team.ann
        .wait_for_message(|m| {
            m.id > question.id && !m.silent && m.text.contains("A person changed this call")
        })
        .await;
    assert_eq!(team.effects(), 2);
}

#[tokio::test]
async fn a_file_and_bad_json_and_the_command_line() {
    let team = Team::start().await;
    team.ann.send("write: notes.md: buy milk");
    let card = team.ann.wait_for_button("Approve").await;
    let id = super::team::short_id(&team.ask("/approvals", "/deny <id>").await);
    let said = team
        .ask(
            &format!(r#"/modify {id} {{"path": "notes.md", "txt": "x"}}"#),
            "txt",
        )
        .await;
    assert!(said.contains("There is no argument “txt”"), "{said}");
    let arguments = r#"{"path": "todo.md", "text": "buy bread"}"#;
    let (status, out, err) = team
        .program
        .run(&["approvals", "modify", &id, "--arguments", arguments])
        .await;
    assert_eq!(
        (status, out.contains("still needs a yes")),
        (0, true),
        "{err}"
    );
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("todo.md"))
        .await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && !m.silent && m.text.contains("todo.md"))
        .await;
    assert_eq!(
        team.program.workspace_file("todo.md").as_deref(),
        Some("buy bread")
    );
    assert_eq!(team.program.workspace_file("notes.md"), None);
}

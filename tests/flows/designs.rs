//! Agents from plain words: drafted, changed, created after a restart, cancelled; on the command line too.

use super::Team;

#[tokio::test]
async fn an_agent_is_drafted_changed_and_created_after_a_restart() {
    let mut team = Team::start().await;
    team.ann
        .send("/agent new a careful reviewer of our Rust PRs who knows our handbook");
    let card = team.ann.wait_for_button("Create").await;
    assert!(
        card.text.contains("Denied") || card.text.contains("Asks"),
        "{}",
        card.text
    );
    let tap = team.ann.tap(card.id, "Change");
    assert_eq!(
        team.ann.wait_for_answer(&tap).await,
        "Reply to my message below."
    );
    let question = team
        .ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("what should be different"))
        .await;
    team.ann.reply_to(question.id, "it must be read-only");
    let second = team
        .ann
        .wait_for_message(|m| {
            m.id > question.id && m.text.contains("preset: read-only") && !m.buttons().is_empty()
        })
        .await;
    team.program.terminate().await;
    team.program.up().await;
    team.ann.tap(second.id, "Create");
    team.ann
        .wait_for_message(|m| m.id > second.id && m.text.contains("/agent careful-reviewer"))
        .await;
    // It is used once: nothing is left on it to be tapped.
    team.ann
        .wait_for_message(|m| m.id == second.id && m.buttons().is_empty())
        .await;
    team.ask("/agents show careful-reviewer", "read-only").await;
    team.ask("/agent history careful-reviewer", "Ann made it")
        .await;
}

#[tokio::test]
async fn a_cancelled_draft_is_no_agent() {
    let team = Team::start().await;
    team.ann.send("/agent new a poet");
    let card = team.ann.wait_for_button("Create").await;
    let tap = team.ann.tap(card.id, "Cancel");
    assert_eq!(team.ann.wait_for_answer(&tap).await, "No agent is made.");
    team.ann.wait_for_text("No agent was made").await;
    team.ask("/agents show poet", "no agent").await;
}

#[tokio::test]
async fn the_command_line_drafts_exports_imports_and_takes_back() {
    let team = Team::start().await;
    let program = &team.program;
    let (status, _, err) = program
        .run(&["agents", "create", "a poet of the sea", "--wait", "0"])
        .await;
    assert_eq!(status, 4, "it waits for a yes: {err}");
    let (_, list, _) = program.run(&["--json", "approvals", "list"]).await;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let id = list[0]["id"].as_str().unwrap().to_owned();
    let (status, _, err) = program.run(&["approvals", "approve", &id]).await;
    assert_eq!(status, 0, "{err}");
    // The step is another process's: ask until it is done.
    let mut shown = -1;
    for _ in 0..200 {
        shown = program.run(&["agents", "show", "poet"]).await.0;
        if shown == 0 {
            break;
        }
    }
    assert_eq!(shown, 0);
    let (_, file, _) = program.run(&["agents", "export", "poet"]).await;
    assert!(file.starts_with("---\nname: poet\n"), "{file}");
    let path = program.home().join("poet.md");
    std::fs::write(
        &path,
        file.replace("a poet of the sea", "a poet of the hills"),
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let (status, out, err) = program.run(&["agents", "import", path]).await;
    assert_eq!(
        (status, out.trim()),
        (0, "Agent poet is as the file says (version 2)."),
        "{err}"
    );
    let (_, out, _) = program.run(&["agents", "history", "poet"]).await;
    assert!(
        out.contains("-description: a poet of the sea\n+description: a poet of the hills"),
        "{out}"
    );
    let (status, _, err) = program.run(&["agents", "undo", "poet"]).await;
    assert_eq!(status, 0, "{err}");
    let (_, again, _) = program.run(&["agents", "export", "poet"]).await;
    assert_eq!(again, file);
}

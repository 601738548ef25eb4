//! The everyday conversations.

use super::team::Team;
use domain::approval::Choice;
use insta::assert_snapshot;

#[tokio::test]
async fn what_is_allowed_runs_at_once() {
    let team = Team::new().await;
    team.workspace().put("notes.md", "buy milk");
    team.says("read: notes.md\nrun: ls").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> read: notes.md ⏎ run: ls
    bot> [answered] done: buy milk | ran: ls
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn what_needs_a_person_waits_for_one_card_and_runs_once() {
    let team = Team::new().await;
    team.says("say: I need this.\nrun: make all").await;
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    let card = team.card().await;
    assert_eq!(
        (card.shown.what.as_str(), card.shown.why.as_str()),
        ("make all", "I need this.")
    );
    team.decides(Choice::Approve).await;
    assert_eq!(team.fakes.sandbox.started(), ["make all"]);
    assert_snapshot!(team.transcript(), @r#"
    ann> say: I need this. ⏎ run: make all
    bot> [approval asked] run_command: make all
    ann> (Approve)
    edit> [approved by ann] run_command: make all
    bot> [answered] done: ran: make all
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

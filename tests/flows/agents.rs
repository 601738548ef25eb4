//! Agents, made and changed in the chat: every verb of `/agents`, and what a paused or archived one answers.

use super::{Team, team::redacted};

#[tokio::test]
async fn an_agent_is_made_changed_chosen_paused_archived_and_deleted() {
    let team = Team::start().await;
    let begun = team.ann.transcript().len();
    team.ask("/agents new scout Looks around", "scout").await;
    team.ask("/agents set scout preset read-only", "read-only")
        .await;
    team.ask(
        "/agents set scout prompt You look around, and touch nothing.",
        "touch nothing",
    )
    .await;
    team.ask("/agent scout", "scout now").await;
    team.ask("/agents pause scout", "paused").await;
    team.ask("run: ls", "is paused").await;
    team.ask("/agents resume scout", "scout").await;
    team.ask("run: touch effects", "touch effects").await;
    team.ask("/agents archive scout", "archived").await;
    team.ask("/agents delete scout", "gone").await;
    team.ask("/agents set nobody preset read-only", "nobody")
        .await;
    team.ask("/agents set assistant preset godlike", "godlike")
        .await;
    team.ask("/agents set assistant colour blue", "The fields are")
        .await;
    insta::assert_snapshot!(redacted(&team.ann.transcript()[begun..]), @r#"
    Ann: /agents new scout Looks around
    Bot (silent): scout
         Looks around

         model: the default one
         preset: ask-first
    Ann: /agents set scout preset read-only
    Bot (silent): scout
         Looks around

         model: the default one
         preset: read-only
    Ann: /agents set scout prompt You look around, and touch nothing.
    Bot (silent): scout
         Looks around

         model: the default one
         preset: read-only

         You look around, and touch nothing.
    Ann: /agent scout
    Bot (silent): This chat talks to scout now: Looks around
    Ann: /agents pause scout
    Bot (silent): scout (paused)
         Looks around

         model: the default one
         preset: read-only

         You look around, and touch nothing.
    Ann: run: ls
    Bot (re "run: ls", silent): Agent scout is paused; /agents resume scout wakes it.
    Ann: /agents resume scout
    Bot (silent): scout
         Looks around

         model: the default one
         preset: read-only

         You look around, and touch nothing.
    Ann: run: touch effects
    Bot: run_command “touch effects”: denied, one line.

         Not run: no rule allows “touch effects”, and what is not allowed is denied.
    Ann: /agents archive scout
    Bot (silent): scout (archived)
         Looks around

         model: the default one
         preset: read-only

         You look around, and touch nothing.
    Ann: /agents delete scout
    Bot (silent): The agent is gone: scout
    Ann: /agents set nobody preset read-only
    Bot (re "/agents set nobody prese…", silent): There is no agent “nobody”. /agents lists them.
    Ann: /agents set assistant preset godlike
    Bot (re "/agents set assistant pr…", silent): There is no preset “godlike”. There are ask-first, read-only, development, full-access.
    Ann: /agents set assistant colour blue
    Bot (re "/agents set assistant co…", silent): The fields are name, description, prompt, model, fallbacks, preset, skills, knowledge and metadata: /agents set coder model anthropic/claude-sonnet-4-5
    "#);
}

#[tokio::test]
async fn details_tells_everything_about_a_call() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Details").await;
    let tap = team.ann.tap(card.id, "Details");
    assert_eq!(team.ann.wait_for_answer(&tap).await, "Sent below.");
    let details = team
        .ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("Digest"))
        .await;
    for part in ["touch effects", "Impact", "Rollback", "Because", "Approval"] {
        assert!(details.text.contains(part), "{part}:\n{}", details.text);
    }
    let card = team.ann.wait_for_button("Approve").await;
    assert_eq!(card.edits, 0, "the card still waits");
}

#[tokio::test]
async fn deny_by_button_and_the_reason_afterwards() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    let card = team.ann.wait_for_button("Deny").await;
    let tap = team.ann.tap(card.id, "Deny");
    assert!(
        team.ann
            .wait_for_answer(&tap)
            .await
            .contains("Reply to the card")
    );
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Denied by Ann"))
        .await;
    team.ann.reply_to(card.id, "it is too late today");
    let card = team
        .ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("it is too late today"))
        .await;
    assert!(card.buttons().is_empty());
    assert_eq!(team.program.workspace_file("effects"), None);
}

#[tokio::test]
async fn approve_by_id() {
    let team = Team::start().await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    let id = super::team::short_id(&team.ask("/approvals", "/deny <id>").await);
    team.ask(&format!("/approve {id}"), "Approved.").await;
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    team.ann
        .wait_for_message(|m| m.id > card.id && !m.silent && m.text.contains("once >> effects"))
        .await;
    assert_eq!(team.effects(), 1);
    team.ask(&format!("/approve {id}"), "approved before").await;
    team.ask("/approve 000000", "no approval").await;
}

//! Several conversations in one chat: begun, left with open cards, gone back to.

use super::team::Team;
use crate::{Problem, sessions};
use domain::{approval::Choice, message::Message};

async fn list(team: &Team) -> String {
    let all = sessions::conversations(&team.home, &team.session)
        .await
        .unwrap();
    let lines = all.iter().map(|one| {
        let here = if one.here { " (here)" } else { "" };
        format!(
            "{} {:?} with {}, {:?}{here}",
            one.number, one.title, one.agent, one.run
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn resume(team: &Team, number: u32) -> Result<(), Problem> {
    let resume = || sessions::resume(&team.home, &team.ann, &team.session, number);
    team.does(resume).await.map(drop)
}

async fn renew(team: &Team) {
    let renew = || sessions::renew(&team.home, &team.ann, &team.session);
    team.does(renew).await.unwrap();
}

/// What the model was told that was said before.
fn history(team: &Team) -> Vec<String> {
    let request = team.model.requests().pop().unwrap();
    let said = request.messages.iter().filter_map(|message| match message {
        Message::User { text } => Some(text.head().to_owned()),
        _ => None,
    });
    said.collect()
}

#[tokio::test]
async fn a_conversation_is_left_with_an_open_card_and_taken_up_again() {
    let team = Team::new().await;
    team.says("say: first").await;
    team.says("run: make").await;
    renew(&team).await;
    renew(&team).await;
    team.says("say: second").await;
    assert_eq!(history(&team), ["say: second"]);
    insta::assert_snapshot!(list(&team).await, @r#"
    2 "say: second" with assistant, None (here)
    1 "say: first" with assistant, Some(Waiting)
    "#);
    // The card of the conversation that was left holds; what comes of it is told, and belongs there.
    team.decides(Choice::Approve).await;
    insta::assert_snapshot!(list(&team).await, @r#"
    2 "say: second" with assistant, None (here)
    1 "say: first" with assistant, None
    "#);
    resume(&team, 1).await.unwrap();
    team.says("say: third").await;
    assert_eq!(history(&team), ["say: first", "run: make", "say: third"]);
    resume(&team, 2).await.unwrap();
    resume(&team, 2).await.unwrap();
    insta::assert_snapshot!(list(&team).await, @r#"
    2 "say: second" with assistant, None (here)
    1 "say: first" with assistant, None
    "#);
    team.says("say: fourth").await;
    assert_eq!(history(&team), ["say: second", "say: fourth"]);
    insta::assert_snapshot!(format!("{:?}", resume(&team, 7).await.unwrap_err()), @r#"NotFound { what: "conversation", name: "7" }"#);
    renew(&team).await;
    assert_eq!(team.talk().await.conversation, 3);
    insta::assert_snapshot!(team.transcript(), @r#"
    ann> say: first
    bot> [answered] first
    ann> run: make
    bot> [approval asked] run_command: make
    ann> say: second
    bot> [answered] second
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    ann> say: third
    bot> [answered] third
    ann> say: fourth
    bot> [answered] fourth
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn who_goes_back_to_a_run_that_waits_talks_behind_it() {
    let team = Team::new().await;
    team.says("run: make").await;
    renew(&team).await;
    team.says("say: meanwhile").await;
    resume(&team, 1).await.unwrap();
    team.says("say: after that").await;
    assert_eq!(team.talk().await.queued.len(), 1, "the run still waits");
    team.decides(Choice::Approve).await;
    assert_eq!(history(&team), ["run: make", "say: after that"]);
    team.is_quiet();
}

#[tokio::test]
async fn a_question_is_answered_by_nobody_who_went_elsewhere() {
    let team = Team::new().await;
    team.says("say: one").await;
    renew(&team).await;
    team.says("ask: Which?").await;
    resume(&team, 1).await.unwrap();
    team.work().await;
    team.says("say: two").await;
    assert_eq!(history(&team), ["say: one", "say: two"]);
    insta::assert_snapshot!(list(&team).await, @r#"
    1 "say: one" with assistant, None (here)
    2 "ask: Which?" with assistant, None
    "#);
    team.is_quiet();
}

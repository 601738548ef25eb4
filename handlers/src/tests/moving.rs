//! A place that gets another id, as a Telegram group does when it becomes a supergroup: the conversation goes on there.

use super::{rehearsal::told, team::Team};
use crate::{ask, tick};
use domain::{
    approval::{ApprovalStatus, Choice},
    id::SessionId,
};
use insta::assert_snapshot;
use ports::{message::SendError, repo::settings::Setting};
use std::time::Duration;

fn new() -> SessionId {
    SessionId::new("chat:1000")
}

/// The next so many messages to the old place are told where it is now.
fn moves(team: &Team, messages: usize) {
    let moved = (0..messages).map(|_| SendError::Moved(new()));
    team.fakes.messenger.fail(moved);
}

async fn says_there(team: &Team, text: &str) -> ask::Asked {
    let place = new();
    let asked = team
        .does(|| ask::ask(&team.home, &team.ann, &place, text, None))
        .await
        .unwrap();
    team.work().await;
    asked
}

#[tokio::test]
async fn a_question_that_moved_is_answered_where_it_is_now() {
    let team = Team::new().await;
    team.says("write: notes.md = one").await;
    team.decides(Choice::Approve).await;
    let first = team.latest().await.id;
    team.writes("ask: Which colour?\nthen\nread: notes.md")
        .await
        .unwrap();
    moves(&team, 1);
    team.work().await;
    team.transcript();
    let asked = team.latest().await;
    assert_eq!(
        says_there(&team, "blue").await,
        ask::Asked::Answered {
            run: asked.id.clone()
        }
    );
    // The answer is for the old place, which in this test takes messages again.
    let told_now = told(team.model.requests().last().unwrap());
    assert_eq!(told_now[0], "blue");
    assert!(told_now[1].contains("one"), "{told_now:?}");
    // The history and the files are the same ones, and a run is one of the same session.
    says_there(&team, "read: notes.md").await;
    let run = team.latest().await;
    assert_eq!(run.session, team.session);
    let turns = team.talk().await.turns;
    let runs: Vec<_> = turns.iter().map(|turn| turn.run.clone()).collect();
    assert_eq!(runs, [first, asked.id, run.id]);
    let request = team.model.requests().pop().unwrap();
    assert!(format!("{:?}", request.messages).contains("Which colour?"));
    assert!(told(&request)[0].contains("one"));
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_card_that_moved_is_decided_and_edited_where_it_is_now() {
    let team = Team::new().await;
    team.writes("run: make").await.unwrap();
    team.fakes.messenger.moves(&team.session, &new());
    team.work().await;
    team.decides(Choice::Approve).await;
    assert_snapshot!(team.transcript(), @"
    ann> run: make
    bot> @chat:1000 [approval asked] run_command: make
    ann> (Approve)
    edit> @chat:1000 [approved by ann] run_command: make
    bot> @chat:1000 [answered] done: ran: make
    ");
    let edits: Vec<bool> = team
        .fakes
        .messenger
        .arrived()
        .iter()
        .map(|sending| sending.edits.is_some())
        .collect();
    assert_eq!(edits, [false, true, false]);
    team.is_quiet();
}

#[tokio::test]
async fn a_card_that_moved_was_seen() {
    let team = Team::new().await;
    crate::commit(&team.home, vec![tick::first(&team.home).unwrap()])
        .await
        .unwrap();
    team.writes("run: make").await.unwrap();
    moves(&team, 1);
    team.work().await;
    team.waits(Duration::from_secs(25 * 3600)).await;
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Expired);
}

#[tokio::test]
async fn what_works_at_the_new_place_already_ends_first() {
    let team = Team::new().await;
    team.says("run: ls").await;
    // Somebody wrote there before anybody knew what it had been.
    says_there(&team, "ask: Which size?").await;
    let own = team.latest().await;
    assert_eq!(own.session, new());
    moves(&team, 1);
    team.says("hello").await;
    assert_eq!(team.get::<Setting>("session_at.chat:1000").await, None);
    assert_eq!(
        says_there(&team, "small").await,
        ask::Asked::Answered { run: own.id }
    );
    moves(&team, 1);
    team.says("hello again").await;
    says_there(&team, "run: ls").await;
    assert_eq!(team.latest().await.session, team.session);
    team.is_quiet();
}

#[tokio::test]
async fn a_place_can_move_twice_and_back() {
    let team = Team::new().await;
    moves(&team, 1);
    team.says("run: ls").await;
    let third = SessionId::new("chat:2000");
    for (from, to) in [
        (new(), third.clone()),
        (third.clone(), team.session.clone()),
    ] {
        let ops = crate::sessions::moved(&team.home, &from, &to)
            .await
            .unwrap();
        if !ops.is_empty() {
            crate::commit(&team.home, ops).await.unwrap();
        }
    }
    for place in [new(), third, team.session.clone()] {
        let (session, _) = crate::sessions::get_or_new(&team.home, &place)
            .await
            .unwrap();
        assert_eq!(session.id, team.session);
    }
}

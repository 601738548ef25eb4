//! Messages whose fate stays unknown, and what becomes of questions and cards that can't arrive.

use super::{
    rehearsal::told,
    team::{Team, member},
};
use domain::{
    approval::{ApprovalStatus, Choice},
    content::Content,
    id::SessionId,
    member::Role,
    rich_text::RichText,
    run::RunStatus,
};
use insta::assert_snapshot;
use ports::{
    job::{self, Outage},
    message::{Body, Outgoing, SendError},
    store::Op,
};
use serde_json::json;
use std::time::Duration;
use testkit::scripted_model::{ScriptedModel, Turn};

fn unknown(times: usize) -> impl Iterator<Item = SendError> {
    (0..times).map(|_| SendError::Unknown("502".to_owned()))
}

async fn put(team: &Team, id: &str, message: &Outgoing) {
    let job = job::new_job(&team.home.team, id.to_owned(), message, team.home.now()).unwrap();
    crate::commit(&team.home, vec![Op::Enqueue(job)])
        .await
        .unwrap();
    team.work().await;
}

fn to_ann(team: &Team, body: Body) -> Outgoing {
    Outgoing {
        to: team.session.clone(),
        body,
        tag: None,
        rings: false,
        reply_to: None,
        approval: None,
    }
}

fn text(team: &Team, text: &str) -> Outgoing {
    let text = RichText::plain(text);
    to_ann(team, Body::text(text))
}

/// A person who is asked, and says what they want after it.
fn asks() -> ScriptedModel {
    let finish = || Turn::text_and_calls("ok".to_owned(), [("finish", json!({"answer": "done"}))]);
    let question = json!({"question": "Delete the old backups?"});
    ScriptedModel::queue([
        Turn::text_and_calls("I ask.".to_owned(), [("ask_person", question)]),
        finish(),
        finish(),
    ])
}

/// The card that stands in the chat is to say that there was an outage.
async fn outage(team: &Team) {
    let from = team.home.now();
    team.fakes.clock.advance(Duration::from_secs(600));
    let to = team.home.now();
    let surface = "chat".to_owned();
    let work = Outage { surface, from, to };
    let job = job::new_job(&team.home.team, "outage".to_owned(), &work, to).unwrap();
    crate::commit(&team.home, vec![Op::Enqueue(job)])
        .await
        .unwrap();
}

#[tokio::test]
async fn an_edit_that_fails_leaves_the_card_as_it_stands() {
    let team = Team::new().await;
    team.says("run: make").await;
    outage(&team).await;
    team.fakes.messenger.fail(unknown(30));
    for _ in 0..60 {
        team.waits(Duration::from_secs(65)).await;
    }
    assert_eq!(team.card().await.status, ApprovalStatus::Pending);
    team.decides(Choice::Approve).await;
    assert_snapshot!(team.transcript(), @r"
    ann> run: make
    bot> [approval asked] run_command: make
    edit> [away for 600 s] run_command: make
    ann> (Approve)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    ");
    team.is_quiet();
}

#[tokio::test]
async fn an_edit_that_is_refused_leaves_the_card_as_it_stands() {
    let team = Team::new().await;
    team.says("run: make").await;
    outage(&team).await;
    team.fakes
        .messenger
        .fail([SendError::Refused("too long".to_owned())]);
    team.work().await;
    team.decides(Choice::Approve).await;
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Approved);
    assert_eq!(team.fakes.sandbox.started(), ["make"]);
}

#[tokio::test]
async fn what_may_have_arrived_twelve_times_lets_others_pass_and_is_tried_now_and_then() {
    let team = Team::new().await;
    team.fakes.messenger.fail(unknown(12));
    put(&team, "one", &text(&team, "one")).await;
    put(&team, "two", &text(&team, "two")).await;
    for _ in 0..12 {
        team.waits(Duration::from_secs(65)).await;
    }
    assert_snapshot!(team.transcript(), @"bot> two");
    team.fakes.messenger.fail(unknown(30));
    for _ in 0..30 {
        team.waits(Duration::from_secs(6 * 3600)).await;
    }
    let tried = team.fakes.messenger.sendings().len();
    assert_eq!(tried, 12 + 1 + 30, "not once more than it was due");
    team.waits(Duration::from_secs(6 * 3600)).await;
    assert_snapshot!(team.transcript(), @"bot> one (again)");
    team.is_quiet();
}

#[tokio::test]
async fn a_question_that_is_late_arrives_and_its_answer_is_one() {
    let team = Team::with(asks()).await;
    team.fakes.messenger.fail(unknown(12));
    team.writes("tidy up").await.unwrap();
    for _ in 0..40 {
        team.waits(Duration::from_secs(65)).await;
    }
    team.says("yes").await;
    assert_snapshot!(team.transcript(), @r"
    ann> tidy up
    bot> [question] Delete the old backups? (again)
    ann> yes
    bot> [answered] done
    ");
    team.is_quiet();
}

#[tokio::test]
async fn a_late_question_that_was_answered_is_not_asked() {
    let team = Team::with(asks()).await;
    team.fakes.messenger.fail(unknown(12));
    team.writes("tidy up").await.unwrap();
    for _ in 0..12 {
        team.waits(Duration::from_secs(65)).await;
    }
    team.says("whatever it is: yes").await;
    team.waits(Duration::from_secs(6 * 3600)).await;
    assert_snapshot!(team.transcript(), @r"
    ann> tidy up
    ann> whatever it is: yes
    bot> [answered] done
    ");
    team.is_quiet();
}

#[tokio::test]
async fn a_question_that_nobody_can_see_is_not_answered_by_the_next_words() {
    let team = Team::with(asks()).await;
    let otto = team.joins("otto", Role::Operator).await;
    let place = SessionId::new("chat:otto");
    team.fakes
        .messenger
        .fail([SendError::Refused("not allowed to write".to_owned())]);
    let words = async |text: &str| {
        let asked = team
            .does(|| crate::ask::ask(&team.home, &otto, &place, text, None))
            .await;
        team.work().await;
        asked.unwrap()
    };
    words("tidy up").await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    assert_eq!(
        told(&team.model.requests()[1]),
        ["Not answered: the person could not be reached. Decide yourself, or finish."]
    );
    let next = words("please list my files").await;
    assert!(
        matches!(next, crate::ask::Asked::Started { .. }),
        "{next:?}"
    );
    assert_snapshot!(team.transcript(), @r"
    bot> [undelivered message] chat:otto: not allowed to write
    bot> @chat:otto [answered] done
    bot> @chat:otto [answered] done
    ");
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_card_whose_rest_never_comes_can_not_be_approved() {
    let team = Team::new().await;
    let otto = member("otto", Role::Operator, "chat:otto");
    team.put(&otto).await;
    team.says("run: make").await;
    let card = team.card().await;
    let body = Body::File {
        name: "command.sh".to_owned(),
        content: Content::inline("make"),
        caption: String::new(),
    };
    let mut file = to_ann(&team, body);
    file.approval = Some(card.id.clone());
    team.fakes
        .messenger
        .fail([SendError::Refused("too large".to_owned())]);
    put(&team, "file", &file).await;
    assert!(team.choose(&otto, &card.id, Choice::Approve).await.is_err());
    assert_eq!(
        team.all_cards().await[0].status,
        ApprovalStatus::Undeliverable
    );
    assert!(team.fakes.sandbox.started().is_empty());
    team.is_quiet();
}

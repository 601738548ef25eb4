//! The outbox: what is repeated, what is not, and what becomes of a card that can't arrive.

use super::{
    dying::Moment,
    team::{Ended, LEASE, Team},
};
use domain::{
    approval::{ApprovalStatus, Choice},
    id::SessionId,
    rich_text::RichText,
    run::RunStatus,
};
use insta::assert_snapshot;
use ports::{
    job,
    message::{Body, Outgoing, SendError},
    sandbox::Cancel,
    store::Op,
};
use std::time::Duration;

fn enqueue(team: &Team, message: &Outgoing) -> Op {
    Op::Enqueue(job::new_job(&team.home.team, "out".to_owned(), message, team.home.now()).unwrap())
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

fn text(team: &Team) -> Outgoing {
    to_ann(team, Body::text(RichText::plain("hello")))
}

async fn put(team: &Team, message: &Outgoing) {
    crate::commit(&team.home, vec![enqueue(team, message)])
        .await
        .unwrap();
    team.work().await;
}

#[tokio::test]
async fn being_told_to_wait_is_no_failed_attempt() {
    let team = Team::new().await;
    team.fakes
        .messenger
        .fail((0..30).map(|_| SendError::RetryAfter(Duration::from_secs(7))));
    put(&team, &text(&team)).await;
    for _ in 0..30 {
        assert_eq!(team.fakes.store.jobs()[0].attempts, 0);
        team.waits(Duration::from_secs(8)).await;
    }
    let arrived = team.fakes.messenger.arrived();
    assert_eq!((arrived.len(), arrived[0].again), (1, false));
    team.is_quiet();
}

#[tokio::test]
async fn what_may_have_arrived_is_sent_again_and_says_so() {
    let team = Team::new().await;
    team.fakes.messenger.fail([
        SendError::Unknown("timed out".to_owned()),
        SendError::NotDelivered("no route".to_owned()),
    ]);
    put(&team, &text(&team)).await;
    team.waits(Duration::from_secs(600)).await;
    team.waits(Duration::from_secs(600)).await;
    let marks: Vec<bool> = team
        .fakes
        .messenger
        .sendings()
        .iter()
        .map(|sending| sending.again)
        .collect();
    // Once unknown, always unknown.
    assert_eq!(marks, [false, true, true]);
    team.is_quiet();
}

#[tokio::test]
async fn what_arrived_and_could_not_be_written_down_is_marked_too() {
    let team = Team::new().await;
    team.fakes
        .store
        .fail_commits(0, ports::store::StoreError::Unavailable);
    crate::commit(&team.home, vec![enqueue(&team, &text(&team))])
        .await
        .unwrap();
    team.fakes
        .store
        .fail_commits(1, ports::store::StoreError::Unavailable);
    team.work().await;
    team.waits(Duration::from_secs(600)).await;
    let marks: Vec<bool> = team
        .fakes
        .messenger
        .sendings()
        .iter()
        .map(|sending| sending.again)
        .collect();
    assert_eq!(marks, [false, true]);
}

#[tokio::test]
async fn a_worker_that_died_while_sending_is_told_apart() {
    let team = Team::new().await;
    crate::commit(&team.home, vec![enqueue(&team, &text(&team))])
        .await
        .unwrap();
    team.store.die_at(1, Moment::Before);
    assert_eq!(team.work().await, Ended::Died);
    team.store.revive();
    team.waits(LEASE + Duration::from_secs(1)).await;
    let marks: Vec<bool> = team
        .fakes
        .messenger
        .sendings()
        .iter()
        .map(|sending| sending.again)
        .collect();
    assert_eq!(marks, [false, true]);
    team.is_quiet();
}

#[tokio::test]
async fn a_card_for_somebody_who_is_gone_is_undeliverable_and_the_owner_knows() {
    let team = Team::new().await;
    let otto = team.joins("otto", domain::member::Role::Operator).await;
    let place = SessionId::new("chat:otto");
    team.does(|| crate::ask::ask(&team.home, &otto, &place, "run: make", None))
        .await
        .unwrap();
    team.fakes
        .messenger
        .fail([SendError::Gone("blocked".to_owned())]);
    team.work().await;
    assert_eq!(
        team.all_cards().await[0].status,
        ApprovalStatus::Undeliverable
    );
    assert_snapshot!(team.transcript(), @r#"
    bot> [undelivered card] chat:otto: blocked
    edit> @chat:otto [undeliverable by nobody] run_command: make
    bot> @chat:otto [answered] done: Not run: the person could not be reached.
    "#);
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_card_that_does_not_reach_who_asked_still_reaches_who_approves() {
    let team = Team::new().await;
    team.adds("ask shell_exec deploy * by owner").await;
    let otto = team.joins("otto", domain::member::Role::Operator).await;
    let place = SessionId::new("chat:otto");
    team.does(|| crate::ask::ask(&team.home, &otto, &place, "run: deploy", None))
        .await
        .unwrap();
    let step = team.claim().await.unwrap();
    team.perform(&step, Cancel::default()).await.unwrap();
    team.fakes
        .messenger
        .fail([SendError::Gone("blocked".to_owned())]);
    let mut jobs = Vec::new();
    while let Some(job) = team.claim().await {
        jobs.push(job);
    }
    // The message to otto is tried before the others are sent theirs.
    jobs.sort_by_key(|job| job.name != <Outgoing as job::Work>::NAME);
    for job in &jobs {
        team.perform(job, Cancel::default()).await.unwrap();
    }
    team.work().await;
    let card = team.card().await;
    assert_eq!(card.unreachable, [place]);
    team.decides(Choice::Approve).await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy"]);
    assert_snapshot!(team.transcript(), @"
    bot> [undelivered card] chat:otto: blocked
    bot> [approval asked] run_command: deploy
    ann> (Approve)
    edit> @chat:otto [approved by ann] run_command: deploy
    edit> [approved by ann] run_command: deploy
    bot> @chat:otto [answered] done: ran: deploy
    ");
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_card_that_does_not_reach_who_asked_is_sent_on_in_its_time() {
    let team = Team::new().await;
    crate::commit(&team.home, vec![crate::tick::first(&team.home).unwrap()])
        .await
        .unwrap();
    team.adds("ask shell_exec deploy * escalate 600s").await;
    team.joins("otto", domain::member::Role::Operator).await;
    team.fakes
        .messenger
        .fail([SendError::Gone("blocked".to_owned())]);
    team.says("run: deploy").await;
    let lost = team.card().await.unreachable;
    assert_eq!(lost, std::slice::from_ref(&team.session));
    for _ in 0..11 {
        team.waits(Duration::from_secs(60)).await;
    }
    assert_snapshot!(team.transcript(), @"
    ann> run: deploy
    bot> @chat:otto [approval asked] run_command: deploy
    ");
}

#[tokio::test]
async fn a_card_that_was_decided_elsewhere_is_only_given_up() {
    let team = Team::new().await;
    team.writes("run: make").await.unwrap();
    let step = team.claim().await.unwrap();
    team.perform(&step, ports::sandbox::Cancel::default())
        .await
        .unwrap();
    let card = team.card().await;
    team.choose(&team.ann, &card.id, Choice::Approve)
        .await
        .unwrap();
    team.fakes
        .messenger
        .fail([SendError::Gone("blocked".to_owned())]);
    team.work().await;
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Approved);
    assert_eq!(team.fakes.sandbox.started(), ["make"]);
    team.is_quiet();
}

#[tokio::test]
async fn a_place_that_moved_is_followed() {
    let team = Team::new().await;
    team.fakes
        .messenger
        .fail([SendError::Moved(SessionId::new("chat:1000"))]);
    put(&team, &text(&team)).await;
    assert_snapshot!(team.transcript(), @"bot> @chat:1000 hello");
    team.is_quiet();
}

#[tokio::test]
async fn the_settled_card_is_the_one_that_was_sent() {
    let team = Team::new().await;
    team.says("run: make").await;
    team.decides(Choice::Approve).await;
    let arrived = team.fakes.messenger.arrived();
    let card = arrived
        .iter()
        .position(|sending| matches!(sending.message.body, Body::Card { .. }))
        .unwrap();
    let edit = arrived
        .iter()
        .find(|sending| matches!(sending.message.body, Body::EditCard { .. }))
        .unwrap();
    assert_eq!(
        edit.edits.as_ref().map(|sent| sent.message.clone()),
        Some((card + 1).to_string())
    );
}

#[tokio::test]
async fn an_edit_whose_message_is_gone_is_dropped() {
    let team = Team::new().await;
    team.says("run: make").await;
    let card = team.card().await;
    team.choose(&team.ann, &card.id, Choice::Approve)
        .await
        .unwrap();
    team.fakes.messenger.fail([SendError::Missing]);
    team.work().await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    team.is_quiet();
}

#[tokio::test]
async fn a_toast_is_never_repeated() {
    let team = Team::new().await;
    for (fails, sendings) in [
        (SendError::Unknown("x".to_owned()), 1),
        (SendError::RetryAfter(Duration::from_secs(1)), 2),
    ] {
        team.fakes.messenger.fail([fails]);
        let toast = Body::Toast {
            tap: "1".to_owned(),
            text: "Approved".to_owned(),
        };
        put(&team, &to_ann(&team, toast)).await;
        team.waits(Duration::from_secs(600)).await;
        assert_eq!(team.fakes.messenger.sendings().len(), sendings);
        team.is_quiet();
    }
}

#[tokio::test]
async fn what_did_not_arrive_is_tried_until_it_does() {
    let team = Team::new().await;
    team.fakes
        .messenger
        .fail((0..200).map(|_| SendError::NotDelivered("no route".to_owned())));
    put(&team, &text(&team)).await;
    for _ in 0..200 {
        // However long it was away: a minute after it is back, it has the message.
        team.waits(Duration::from_secs(65)).await;
    }
    let arrived = team.fakes.messenger.arrived();
    assert_eq!((arrived.len(), arrived[0].again), (1, false));
    team.is_quiet();
}

#[tokio::test]
async fn a_card_outlives_an_outage_and_its_own_expiry_decides() {
    let team = Team::new().await;
    team.fakes
        .messenger
        .fail((0..100).map(|_| SendError::NotDelivered("no route".to_owned())));
    team.writes("run: make").await.unwrap();
    for _ in 0..110 {
        team.waits(Duration::from_secs(65)).await;
    }
    assert_eq!(team.card().await.status, ApprovalStatus::Pending);
    let arrived = team.fakes.messenger.arrived();
    let cards = arrived
        .iter()
        .filter(|sending| matches!(sending.message.body, Body::Card { .. }));
    assert_eq!(cards.count(), 1);
}

#[tokio::test]
async fn the_owner_hears_of_an_answer_that_nobody_gets() {
    let team = Team::new().await;
    team.fakes
        .messenger
        .fail([SendError::Refused("not allowed to write".to_owned())]);
    let mut message = text(&team);
    message.to = SessionId::new("chat:group");
    put(&team, &message).await;
    assert_snapshot!(team.transcript(), @"bot> [undelivered message] chat:group: not allowed to write");
    team.is_quiet();
}

#[tokio::test]
async fn a_process_that_stopped_while_sending_is_told_apart() {
    let team = Team::new().await;
    crate::commit(&team.home, vec![enqueue(&team, &text(&team))])
        .await
        .unwrap();
    let job = team.claim().await.unwrap();
    // What the worker writes down for a send that it drops in the middle.
    let back = Op::Postpone {
        job: job.id,
        epoch: job.epoch,
        due: team.home.now(),
        error: format!("{}: the process stopped", crate::send::UNKNOWN),
        counted: false,
    };
    crate::commit(&team.home, vec![back]).await.unwrap();
    // Nor does an attempt that surely failed make it forget.
    team.fakes
        .messenger
        .fail([SendError::NotDelivered("no route".to_owned())]);
    team.work().await;
    team.waits(Duration::from_secs(65)).await;
    let marks: Vec<bool> = team
        .fakes
        .messenger
        .sendings()
        .iter()
        .map(|sending| sending.again)
        .collect();
    assert_eq!(marks, [true, true]);
    team.is_quiet();
}

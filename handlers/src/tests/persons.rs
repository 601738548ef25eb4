//! Who decides, and when: several persons, those who are sent a card, those who stand in, reminders, cards that are sent on.

use super::team::Team;
use crate::{Problem, circulate, members, rules, tick};
use domain::{
    approval::{ApprovalStatus, Choice, Refusal},
    member::{Member, Role},
    permission::{NewRule, parse_rule},
};
use insta::assert_snapshot;
use ports::message::SendError;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn refused<T>(refusal: Refusal) -> Result<T, Problem> {
    Err(Problem::Decision(refusal))
}

fn deny() -> Choice {
    let reason = String::new();
    Choice::Deny { reason }
}

/// Ann owns, a rule asks about `deploy`, changed by `with`.
async fn team(with: impl Fn(&mut NewRule)) -> Team {
    let team = Team::new().await;
    crate::commit(&team.home, vec![tick::first(&team.home).unwrap()])
        .await
        .unwrap();
    let rule = || {
        let mut rule = parse_rule("ask shell_exec deploy *").unwrap();
        with(&mut rule);
        rule
    };
    team.does(|| rules::add(&team.home, &team.ann, rule()))
        .await
        .unwrap();
    team
}

async fn two_persons() -> Team {
    team(|rule| rule.persons = Some(2)).await
}

async fn away(team: &Team, who: &Member, deputy: Option<&str>) {
    team.does(|| members::away(&team.home, &who.id, 8 * HOUR, deputy))
        .await
        .unwrap();
}

/// A run that Ann's own chat doesn't show: Otto asks in his.
async fn otto_asks(team: &Team, otto: &Member) {
    let session = domain::id::SessionId::new(&*otto.home);
    team.does(|| crate::ask::ask(&team.home, otto, &session, "run: deploy", None))
        .await
        .unwrap();
    team.work().await;
}

#[tokio::test]
async fn two_persons_approve_and_who_asked_is_none_of_them() {
    let team = two_persons().await;
    let otto = team.joins("otto", Role::Operator).await;
    let bob = team.joins("bob", Role::Operator).await;
    let vera = team.joins("vera", Role::Viewer).await;
    team.says("run: deploy").await;
    let card = team.card().await;
    assert_eq!((card.persons, card.sent.len()), (2, 2));
    let yes = Choice::Approve;
    assert_eq!(
        team.choose(&team.ann, &card.id, yes.clone()).await,
        refused(Refusal::OwnRequest)
    );
    assert!(team.choose(&vera, &card.id, yes.clone()).await.is_err());
    let first = team.choose(&bob, &card.id, yes.clone()).await.unwrap();
    assert_eq!(first.approval.status, ApprovalStatus::Pending);
    team.work().await;
    assert_eq!(
        team.choose(&bob, &card.id, yes.clone()).await,
        refused(Refusal::Voted)
    );
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    let second = team.choose(&otto, &card.id, yes).await.unwrap();
    assert_eq!(second.approval.status, ApprovalStatus::Approved);
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy"]);
    assert_snapshot!(team.transcript(), @"
    ann> run: deploy
    bot> [approval asked] run_command: deploy
    bot> @chat:bob [approval asked] run_command: deploy
    bot> @chat:otto [approval asked] run_command: deploy
    ann> (Approve)
    vera> (Approve)
    bob> (Approve)
    edit> [1 of 2: bob] run_command: deploy
    edit> @chat:bob [1 of 2: bob] run_command: deploy
    edit> @chat:otto [1 of 2: bob] run_command: deploy
    bob> (Approve)
    otto> (Approve)
    edit> [approved by otto] run_command: deploy
    edit> @chat:bob [approved by otto] run_command: deploy
    edit> @chat:otto [approved by otto] run_command: deploy
    bot> [answered] done: ran: deploy
    ");
    let stream = crate::run::stream(&team.latest().await.id);
    let deeds = crate::queries::audit(&team.home, &stream, 50)
        .await
        .unwrap();
    let deeds = serde_json::to_string(&deeds).unwrap();
    assert_eq!(deeds.matches("approval.voted").count(), 1);
    assert_eq!(deeds.matches("approval.approved").count(), 1);
    team.audit_holds().await;
}

#[tokio::test]
async fn one_no_settles_it_whoever_says_it() {
    let team = two_persons().await;
    let bob = team.joins("bob", Role::Operator).await;
    team.says("run: deploy").await;
    let card = team.card().await;
    team.choose(&bob, &card.id, Choice::Approve).await.unwrap();
    team.work().await;
    team.choose(&team.ann, &card.id, deny()).await.unwrap();
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), Vec::<String>::new());
    assert_snapshot!(team.transcript(), @r#"
    ann> run: deploy
    bot> [approval asked] run_command: deploy
    bot> @chat:bob [approval asked] run_command: deploy
    bob> (Approve)
    edit> [1 of 2: bob] run_command: deploy
    edit> @chat:bob [1 of 2: bob] run_command: deploy
    ann> (Deny { reason: "" })
    edit> [denied by ann] run_command: deploy
    edit> @chat:bob [denied by ann] run_command: deploy
    bot> [answered] done: Not run: the person denied it.
    "#);
    team.audit_holds().await;
}

#[tokio::test]
async fn a_first_yes_counts_no_more_when_its_role_is_taken_away() {
    let team = team(|rule| (rule.persons, rule.approvers) = (Some(2), Some(Role::Owner))).await;
    let mut owners = Vec::new();
    for name in ["bob", "carl", "dora"] {
        owners.push(team.joins(name, Role::Owner).await);
    }
    team.says("run: deploy").await;
    let card = team.card().await;
    team.choose(&owners[0], &card.id, Choice::Approve)
        .await
        .unwrap();
    team.put(&Member {
        role: Role::Operator,
        ..owners[0].clone()
    })
    .await;
    let second = team
        .choose(&owners[1], &card.id, Choice::Approve)
        .await
        .unwrap();
    let names: Vec<&str> = second
        .approval
        .votes
        .iter()
        .map(|vote| &*vote.by.name)
        .collect();
    assert_eq!(
        (second.approval.status, names),
        (ApprovalStatus::Pending, vec!["carl"])
    );
    let third = team
        .choose(&owners[2], &card.id, Choice::Approve)
        .await
        .unwrap();
    assert_eq!(third.approval.status, ApprovalStatus::Approved);
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy"]);
}

#[tokio::test]
async fn who_cannot_decide_alone_has_the_card_sent_to_those_who_can() {
    let team = team(|rule| rule.approvers = Some(Role::Owner)).await;
    let otto = team.joins("otto", Role::Operator).await;
    team.joins("bob", Role::Operator).await;
    otto_asks(&team, &otto).await;
    let card = team.card().await;
    assert!(team.choose(&otto, &card.id, Choice::Approve).await.is_err());
    team.choose(&team.ann, &card.id, Choice::Approve)
        .await
        .unwrap();
    team.work().await;
    assert_snapshot!(team.transcript(), @"
    bot> @chat:otto [approval asked] run_command: deploy
    bot> [approval asked] run_command: deploy
    otto> (Approve)
    ann> (Approve)
    edit> @chat:otto [approved by ann] run_command: deploy
    edit> [approved by ann] run_command: deploy
    bot> @chat:otto [answered] done: ran: deploy
    ");
    team.audit_holds().await;
}

#[tokio::test]
async fn a_card_is_lost_only_when_it_arrives_nowhere() {
    let team = team(|rule| rule.approvers = Some(Role::Owner)).await;
    let otto = team.joins("otto", Role::Operator).await;
    let gone = |chat: &str| SendError::Gone(chat.to_owned());
    team.fakes.messenger.fail([gone("otto's")]);
    otto_asks(&team, &otto).await;
    assert_eq!(team.card().await.unreachable, [team.card().await.session]);
    team.choose(&team.ann, &team.card().await.id, Choice::Approve)
        .await
        .unwrap();
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy"]);

    team.fakes.messenger.fail([gone("otto's"), gone("ann's")]);
    otto_asks(&team, &otto).await;
    let statuses: Vec<_> = team
        .all_cards()
        .await
        .into_iter()
        .map(|card| card.status)
        .collect();
    assert_eq!(
        statuses,
        [ApprovalStatus::Approved, ApprovalStatus::Undeliverable]
    );
    team.audit_holds().await;
}

#[tokio::test]
async fn a_deputy_decides_what_the_absent_could() {
    let team = team(|rule| rule.approvers = Some(Role::Owner)).await;
    let otto = team.joins("otto", Role::Operator).await;
    let bob = team.joins("bob", Role::Operator).await;
    away(&team, &team.ann, Some("Bob")).await;
    otto_asks(&team, &otto).await;
    let card = team.card().await;
    assert!(team.choose(&otto, &card.id, Choice::Approve).await.is_err());
    team.choose(&bob, &card.id, Choice::Approve).await.unwrap();
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy"]);
    assert_snapshot!(team.transcript(), @"
    bot> @chat:otto [approval asked] run_command: deploy
    bot> @chat:bob [approval asked] run_command: deploy
    otto> (Approve)
    bob> (Approve)
    edit> @chat:otto [approved by bob for ann] run_command: deploy
    edit> @chat:bob [approved by bob for ann] run_command: deploy
    bot> @chat:otto [answered] done: ran: deploy
    ");

    // Back before the time is over, or when it is: nobody's deputy any more.
    team.does(|| members::back(&team.home, &team.ann.id))
        .await
        .unwrap();
    otto_asks(&team, &otto).await;
    let card = team.card().await;
    assert!(team.choose(&bob, &card.id, deny()).await.is_err());
    away(&team, &team.ann, Some("bob")).await;
    team.fakes.clock.advance(9 * HOUR);
    assert!(team.choose(&bob, &card.id, deny()).await.is_err());
    let stream = crate::run::stream(&card.run);
    team.choose(&team.ann, &card.id, deny()).await.unwrap();
    team.work().await;
    let deeds = crate::queries::audit(&team.home, &stream, 50)
        .await
        .unwrap();
    assert!(!serde_json::to_string(&deeds).unwrap().contains("\"for\""));
    team.audit_holds().await;
}

#[tokio::test]
async fn a_deputy_is_not_two_persons_nor_the_one_who_asked() {
    let team = two_persons().await;
    let bob = team.joins("bob", Role::Operator).await;
    let carl = team.joins("carl", Role::Operator).await;
    away(&team, &carl, Some("bob")).await;
    away(&team, &team.ann, Some("bob")).await;
    team.says("run: deploy").await;
    let card = team.card().await;
    team.choose(&bob, &card.id, Choice::Approve).await.unwrap();
    let again = team.choose(&bob, &card.id, Choice::Approve).await;
    assert_eq!(again, refused(Refusal::Voted));
    team.choose(&carl, &card.id, Choice::Approve).await.unwrap();
    team.work().await;
    assert_eq!(team.fakes.sandbox.started(), ["deploy"]);
}

#[tokio::test]
async fn who_may_stand_in() {
    let team = Team::new().await;
    team.joins("vera", Role::Viewer).await;
    let tries = async |name: &'static str| {
        let away = || members::away(&team.home, &team.ann.id, HOUR, Some(name));
        team.does(away).await.map(|_| ())
    };
    assert!(matches!(tries("vera").await, Err(Problem::Invalid(_))));
    assert!(matches!(tries("ann").await, Err(Problem::Invalid(_))));
    assert!(matches!(
        tries("nobody").await,
        Err(Problem::NotFound { .. })
    ));
    let long = || members::away(&team.home, &team.ann.id, 91 * 24 * HOUR, None);
    assert!(team.does(long).await.is_err());
    assert_eq!(
        team.get::<Member>(team.ann.id.as_str()).await.unwrap().away,
        None
    );
}

#[tokio::test]
async fn one_reminder_rings_where_the_card_arrived() {
    let team = two_persons().await;
    team.joins("bob", Role::Operator).await;
    team.says("run: deploy").await;
    team.transcript();
    team.waits(23 * HOUR - Duration::from_secs(60)).await;
    assert_eq!(team.transcript(), "", "not before the last hour");
    team.waits(Duration::from_secs(90)).await;
    team.waits(Duration::from_secs(90)).await;
    assert_snapshot!(team.transcript(), @"
    bot> [reminder] run_command: deploy
    bot> @chat:bob [reminder] run_command: deploy
    ");
    let reminders = team.fakes.messenger.arrived();
    let reminders = reminders
        .iter()
        .filter(|sending| sending.message.reply_to.is_some());
    assert!(reminders.clone().all(|sending| sending.message.rings));
    assert_eq!(reminders.count(), 2);
    team.waits(HOUR).await;
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Expired);
    assert_snapshot!(team.transcript(), @"
    edit> [expired by nobody] run_command: deploy
    edit> @chat:bob [expired by nobody] run_command: deploy
    bot> [sealed] 1
    bot> [answered] done: Not run: nobody decided in time.
    ");
}

#[tokio::test]
async fn a_copy_that_arrived_was_seen() {
    let team = two_persons().await;
    team.joins("bob", Role::Operator).await;
    let far = SendError::RetryAfter(48 * HOUR);
    team.fakes.messenger.fail([far]);
    team.says("run: deploy").await;
    team.waits(25 * HOUR).await;
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Expired);
    team.audit_holds().await;
}

#[tokio::test]
async fn what_nobody_decides_is_sent_on_to_one_after_the_other() {
    let team = team(|_| ()).await;
    for (name, role) in [
        ("otto", Role::Operator),
        ("bob", Role::Owner),
        ("carl", Role::Operator),
        ("vera", Role::Viewer),
    ] {
        team.joins(name, role).await;
    }
    let carl = team.get::<Member>("chat:carl").await.unwrap();
    away(&team, &carl, None).await;
    let set = |by: Member| {
        let home = team.home.clone();
        async move { circulate::set_escalation(&home, &by, Some(2 * HOUR)).await }
    };
    let otto = team.get::<Member>("chat:otto").await.unwrap();
    assert!(team.does(|| set(otto.clone())).await.is_err());
    team.does(|| set(team.ann.clone())).await.unwrap();
    team.says("run: deploy").await;
    team.transcript();
    team.waits(2 * HOUR - Duration::from_secs(30)).await;
    assert_eq!(team.card().await.sent, []);
    for _ in 0..6 {
        team.waits(HOUR).await;
    }
    let sent: Vec<_> = team
        .card()
        .await
        .sent
        .into_iter()
        .map(|sent| (sent.to.to_string(), sent.escalated))
        .collect();
    assert_eq!(
        sent,
        [
            ("chat:bob".to_owned(), true),
            ("chat:otto".to_owned(), true)
        ]
    );
    team.choose(&otto, &team.card().await.id, Choice::Approve)
        .await
        .unwrap();
    team.work().await;
    assert_snapshot!(team.transcript(), @"
    bot> @chat:bob [approval asked] run_command: deploy
    bot> @chat:otto [approval asked] run_command: deploy
    otto> (Approve)
    edit> [approved by otto] run_command: deploy
    edit> @chat:bob [approved by otto] run_command: deploy
    edit> @chat:otto [approved by otto] run_command: deploy
    bot> [answered] done: ran: deploy
    ");
    let stream = crate::run::stream(&team.latest().await.id);
    let deeds = crate::queries::audit(&team.home, &stream, 50)
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_string(&deeds)
            .unwrap()
            .matches("approval.escalated")
            .count(),
        2
    );
    team.audit_holds().await;
}

//! The tick: expiry, seals, forgetting.

use super::{rehearsal::told, team::Team};
use crate::{receive, sessions, tick};
use domain::{approval::ApprovalStatus, id::SessionId, member::Role, rich_text::RichText};
use ports::{
    job,
    message::{Body, Outgoing, SendError},
    repo::{sent::SENT_MESSAGES, updates::UPDATES},
    store::{Op, StoreError},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600 + 30);

async fn ticking() -> Team {
    let team = Team::new().await;
    crate::commit(&team.home, vec![tick::first(&team.home).unwrap()])
        .await
        .unwrap();
    team.work().await;
    team
}

#[tokio::test]
async fn a_card_that_was_never_sent_expires_unseen() {
    let team = ticking().await;
    team.fakes
        .messenger
        .fail((0..3).map(|_| SendError::RetryAfter(Duration::from_secs(48 * 3600))));
    team.says("run: make").await;
    team.waits(DAY).await;
    assert_eq!(
        team.all_cards().await[0].status,
        ApprovalStatus::ExpiredUnseen
    );
    assert_eq!(
        told(team.model.requests().last().unwrap()),
        ["Not run: nobody decided in time."]
    );
    team.audit_holds().await;
}

#[tokio::test]
async fn ticking_goes_on_whatever_fails() {
    let team = ticking().await;
    for _ in 0..20 {
        team.fakes.clock.advance(Duration::from_secs(21));
        let job = team.claim().await.expect("the tick is due");
        assert_eq!((job.name.as_str(), job.attempts), ("tick", 1));
        // The first questions fail, what finishes the tick does not.
        team.fakes.store.fail_next(2, StoreError::Unavailable);
        team.perform(&job, ports::sandbox::Cancel::default())
            .await
            .unwrap();
    }
    assert!(tick::first(&team.home).is_ok());
    assert_eq!(team.fakes.store.jobs().len(), 1);
}

#[tokio::test]
async fn one_approval_that_cannot_expire_does_not_keep_the_others() {
    let team = ticking().await;
    team.says("run: make").await;
    let mut broken = team.card().await;
    // Its run was never there, so the journal can't be read by anybody; the append itself works, the other card matters.
    broken.id = domain::id::ApprovalId::new("0");
    broken.expires_at = broken.asked_at;
    team.put(&broken).await;
    team.waits(DAY).await;
    assert!(team.cards().await.is_empty());
}

#[tokio::test]
async fn seals_are_made_and_one_a_day_is_posted_to_the_owner() {
    let team = ticking().await;
    team.transcript();
    for _ in 0..5 {
        team.says("run: ls").await;
        team.waits(Duration::from_secs(700)).await;
    }
    let posted = |text: String| text.matches("[sealed]").count();
    assert_eq!(
        posted(team.transcript()),
        0,
        "the first one waits for a day"
    );
    team.fakes.clock.advance(DAY);
    team.says("run: ls").await;
    team.waits(Duration::from_secs(700)).await;
    assert_eq!(posted(team.transcript()), 1);
    let verified = crate::audit::verify(&team.home, super::team::SEAL_KEY)
        .await
        .unwrap();
    assert_eq!((verified.findings.len(), verified.unsealed), (0, 0));
    assert!(verified.seals >= 6 && verified.holds_until.is_some());
}

#[tokio::test]
async fn what_was_received_is_forgotten_when_nobody_can_deliver_it_again() {
    let team = ticking().await;
    let session = SessionId::new("chat:1");
    let incoming = |from: u32, to: u32| -> Vec<receive::Incoming> {
        let one = |n: u32| receive::Incoming {
            surface: "chat.7".to_owned(),
            update: n.to_string(),
            session: session.clone(),
            raw: "{}".to_owned(),
        };
        (from..to).map(one).collect()
    };
    assert_eq!(
        receive::receive(&team.home, &incoming(0, 200))
            .await
            .unwrap(),
        200
    );
    assert_eq!(
        receive::receive(&team.home, &incoming(150, 210))
            .await
            .unwrap(),
        10
    );
    team.fakes.clock.advance(Duration::from_secs(60 * 3600));
    // As text these stand before most of the old ones.
    receive::receive(&team.home, &incoming(1000, 1100))
        .await
        .unwrap();
    team.fakes.clock.advance(Duration::from_secs(13 * 3600));
    let tick = loop {
        let job = team.home.store.claim(ports::store::Claim {
            lanes: vec![ports::job::lane::TICK.to_owned()],
            worker: "test".to_owned(),
            now: team.home.now(),
            lease: super::team::LEASE,
            limit: 1,
        });
        if let Some(job) = job.await.unwrap().jobs.pop() {
            break job;
        }
    };
    team.perform(&tick, ports::sandbox::Cancel::default())
        .await
        .unwrap();
    assert_eq!(team.fakes.store.records(&UPDATES).len(), 100);
}

#[tokio::test]
async fn receipts_are_kept_as_long_as_cards_may_wait() {
    let team = ticking().await;
    team.says("run: make").await;
    team.waits(DAY).await;
    let kept = team.fakes.store.records(&SENT_MESSAGES).len();
    assert_eq!(kept, 2, "the card, and which edit of it is the newest");
    team.waits(Duration::from_secs(91 * 24 * 3600)).await;
    assert_eq!(team.fakes.store.records(&SENT_MESSAGES).len(), 0);
}

/// A text to a terminal, whose lane only the process there serves.
async fn to_terminal(team: &Team, session: &SessionId) {
    let message = Outgoing {
        to: session.clone(),
        body: Body::text(RichText::plain("done")),
        tag: None,
        rings: false,
        reply_to: None,
        approval: None,
    };
    let id = team.home.chance.id();
    let job = job::new_job(&team.home.team, id, &message, team.home.now()).unwrap();
    crate::commit(&team.home, vec![Op::Enqueue(job)])
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_command_did_not_fetch_is_dropped_after_a_day() {
    let team = ticking().await;
    let gone = sessions::of_command(&team.home);
    let named = SessionId::new("terminal:ask-me");
    let open = SessionId::new("terminal:main");
    for session in [&gone, &gone, &gone, &named, &open] {
        to_terminal(&team, session).await;
    }
    let left = || {
        let jobs = team.fakes.store.jobs().into_iter();
        jobs.filter(|job| job.name == "send")
            .map(|job| (job.lane, job.attempts))
            .collect::<Vec<_>>()
    };
    team.waits(Duration::from_secs(23 * 3600)).await;
    assert_eq!(left().len(), 5);
    to_terminal(&team, &gone).await;
    team.waits(Duration::from_secs(3700)).await;
    // The young one may still be fetched, and what belongs to a conversation waits until that is opened again.
    let lane = |session: &SessionId| (job::lane::of_terminal(session), 0);
    assert_eq!(left(), [lane(&named), lane(&open), lane(&gone)]);
}

#[tokio::test]
async fn there_is_one_tick() {
    let team = ticking().await;
    let second = crate::commit(&team.home, vec![tick::first(&team.home).unwrap()]).await;
    assert!(matches!(second, Err(StoreError::Conflict(_))));
    let _ = team.joins("otto", Role::Operator).await;
}

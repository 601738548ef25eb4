//! Workers die at every commit, and others go on: one effect, one answer, a whole audit.

use super::rehearsal::rehearse;
use super::{
    dying::Moment,
    team::{Ended, LEASE, Team},
};
use crate::{HandlerError, budgets};
use domain::{
    MicroUsd,
    approval::{ApprovalStatus, Choice, Question},
    budget::Scope,
    run::{Event, RunStatus},
};
use insta::assert_snapshot;
use ports::sandbox::Cancel;
use std::time::Duration;
use testkit::scripted_model::{Gate, ScriptedModel};

/// Works like workers that are started again whenever one dies, whose leases have to run out before.
async fn survives(team: &Team) {
    while team.work().await == Ended::Died {
        team.store.revive();
        team.fakes.clock.advance(LEASE + Duration::from_secs(1));
    }
}

/// A patient person and workers that may die, until everything is over.
async fn lives_through(team: &Team, prompt: &str) {
    team.writes(prompt).await.unwrap();
    loop {
        survives(team).await;
        if let Some(card) = team.cards().await.into_iter().next() {
            let choice = match card.question {
                Question::Call => Choice::Approve,
                Question::Unknown => Choice::Happened,
                Question::Budget => Choice::Raise,
            };
            team.choose(&team.ann, &card.id, choice).await.unwrap();
        } else if team.talk().await.expects.is_some() {
            team.writes("blue").await.unwrap();
        } else {
            return;
        }
    }
}

/// What each answer costs; 50 are reserved for it.
const COST: MicroUsd = MicroUsd(30);

const CONVERSATIONS: [&str; 5] = [
    "read: notes.md\nrun: ls\nthen\nrun: wc notes.md",
    "run: make",
    "run: make a\nrun: make b\nthen\nwrite: out.txt = x\nrun: make c",
    "ask: Which?\nthen\nrun: make\nthen\nfinish: Done.",
    "write: a.txt = 1\nrun: ls\nthen\ncall: edit_file = {\"path\": \"a.txt\", \"old\": \"1\", \"new\": \"2\"}",
];

async fn dies(prompt: &str, commit: i64, moment: Moment) -> bool {
    let team = Team::with(ScriptedModel::answering(|request| {
        rehearse(request).cost(COST)
    }))
    .await;
    team.model.set_ceiling(MicroUsd(50));
    // Enough for a first call and no second one: each run asks for more.
    let budget = || budgets::set(&team.home, &team.ann, &Scope::Team, MicroUsd(70));
    team.does(budget).await.unwrap();
    team.workspace().put("notes.md", "buy milk");
    team.store.die_at(commit, moment);
    lives_through(&team, prompt).await;
    let reached = team.store.pause() < 0;
    let at = format!("{prompt:?}, {moment:?} commit {commit}");

    let run = team.latest().await;
    assert_eq!(run.status, RunStatus::Answered, "{at}");
    let events = team.events(&run.id).await;
    let count = |what: fn(&Event) -> bool| events.iter().filter(|event| what(event)).count();
    assert_eq!(
        count(|event| matches!(event, Event::Finished { .. })),
        1,
        "{at}"
    );

    // Effects happened once. What only shows things may be run again by nobody's leave, but was not when its outcome was asked.
    let mut started = team.fakes.sandbox.started();
    let before = started.len();
    started.sort();
    started.dedup();
    assert_eq!(started.len(), before, "{at}: an effect happened twice");

    // Each approval of a call was used once.
    let cards = team.all_cards().await;
    for card in cards.iter().filter(|card| card.question == Question::Call) {
        let used = events
            .iter()
            .filter(|event| matches!(event, Event::CallStarted { approval: Some(id), .. } if *id == card.id))
            .count();
        assert!(
            card.status == ApprovalStatus::Approved && used <= 1,
            "{at}: used {used} times"
        );
    }
    let unknown = cards
        .iter()
        .filter(|card| card.question == Question::Unknown)
        .count();
    assert!(unknown <= 1, "{at}: one death, {unknown} unknown outcomes");

    // One answer; a second one only where a worker died while it was sent, and it says so.
    let arrived = team.fakes.messenger.arrived();
    let finals = arrived.iter().filter(|sending| {
        let text = serde_json::to_string(&sending.message.body).unwrap();
        text.contains("[answered]") && !sending.again
    });
    assert_eq!(finals.count(), 1, "{at}");
    assert!(
        arrived.iter().filter(|sending| sending.again).count() <= 1,
        "{at}"
    );

    // Each answer was paid once, and what was asked and never heard of as it was reserved.
    let answers = count(|event| matches!(event, Event::ModelReplied { .. }));
    let lost = count(|event| matches!(event, Event::ModelAsked { .. })) - answers;
    assert!(lost <= 1, "{at}: one death, {lost} lost answers");
    let paid = COST.0 * i64::try_from(answers).unwrap() + 50 * i64::try_from(lost).unwrap();
    let paid = MicroUsd(paid);
    assert_eq!(run.cost, paid, "{at}");
    for standing in budgets::list(&team.home).await.unwrap() {
        assert_eq!(standing.spent, paid, "{at}");
    }

    team.audit_holds().await;
    team.is_quiet();
    reached
}

async fn dies_everywhere(prompt: &str) {
    for moment in [Moment::Before, Moment::After] {
        let mut commit = 1;
        while dies(prompt, commit, moment).await {
            commit += 1;
            assert!(commit < 200, "it never ends");
        }
        assert!(commit > 4, "{prompt:?} took {commit} commits only");
    }
}

#[tokio::test]
async fn at_every_commit_of_reads() {
    dies_everywhere(CONVERSATIONS[0]).await;
}

#[tokio::test]
async fn at_every_commit_of_one_approval() {
    dies_everywhere(CONVERSATIONS[1]).await;
}

#[tokio::test]
async fn at_every_commit_of_several_approvals() {
    dies_everywhere(CONVERSATIONS[2]).await;
}

#[tokio::test]
async fn at_every_commit_of_a_question() {
    dies_everywhere(CONVERSATIONS[3]).await;
}

#[tokio::test]
async fn at_every_commit_of_changes_of_files() {
    dies_everywhere(CONVERSATIONS[4]).await;
}

/// The worker dies after the command, before anybody knows.
async fn with_unknown_outcome() -> Team {
    let team = Team::new().await;
    team.says("run: make").await;
    let card = team.card().await;
    team.choose(&team.ann, &card.id, Choice::Approve)
        .await
        .unwrap();
    // The start, then the next model call's, with the result.
    team.store.die_at(2, Moment::Before);
    assert_eq!(team.work().await, Ended::Died);
    team.store.revive();
    assert_eq!(team.fakes.sandbox.started(), ["make"]);
    team.transcript();
    team.waits(LEASE + Duration::from_secs(1)).await;
    assert_eq!(team.card().await.question, Question::Unknown);
    team
}

#[tokio::test]
async fn an_unknown_effect_is_run_again_when_a_person_says_so() {
    let team = with_unknown_outcome().await;
    team.decides(Choice::RunAgain).await;
    assert_eq!(team.fakes.sandbox.started(), ["make", "make"]);
    assert_snapshot!(team.transcript(), @r#"
    edit> [approved by ann] run_command: make
    bot> [outcome unknown] run_command: make
    ann> (RunAgain)
    edit> [approved by ann] run_command: make
    bot> [answered] done: ran: make
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn or_taken_as_happened_or_stopped() {
    let team = with_unknown_outcome().await;
    team.decides(Choice::Happened).await;
    assert_snapshot!(team.transcript(), @r#"
    edit> [approved by ann] run_command: make
    bot> [outcome unknown] run_command: make
    ann> (Happened)
    edit> [approved by ann] run_command: make
    bot> [answered] done: The connection to this call was lost; the person says that it happened. Its output is not known.
    "#);
    let team = with_unknown_outcome().await;
    let card = team.card().await;
    assert!(
        team.choose(&team.ann, &card.id, Choice::Approve)
            .await
            .is_err()
    );
    team.decides(Choice::Stop).await;
    assert_snapshot!(team.transcript(), @r#"
    edit> [approved by ann] run_command: make
    bot> [outcome unknown] run_command: make
    ann> (Approve)
    ann> (Stop)
    edit> [denied by ann] run_command: make
    bot> [denied]
    "#);
    assert_eq!(team.fakes.sandbox.started(), ["make"]);
    team.is_quiet();
}

#[tokio::test]
async fn running_it_again_may_end_unknown_too() {
    let team = with_unknown_outcome().await;
    let card = team.card().await;
    team.choose(&team.ann, &card.id, Choice::RunAgain)
        .await
        .unwrap();
    // The start, then the result.
    team.store.die_at(2, Moment::Before);
    assert_eq!(team.work().await, Ended::Died);
    team.store.revive();
    assert_eq!(team.fakes.sandbox.started().len(), 2);
    team.waits(LEASE + Duration::from_secs(1)).await;
    let again = team.card().await;
    assert_eq!(again.question, Question::Unknown);
    assert_ne!(again.id, card.id);
    team.decides(Choice::Happened).await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    team.audit_holds().await;
}

#[tokio::test]
async fn a_rule_that_forbids_it_meanwhile_holds_for_running_it_again() {
    let team = with_unknown_outcome().await;
    let rule = || domain::permission::parse_rule("deny shell_exec make *").unwrap();
    team.does(|| crate::rules::add(&team.home, &team.ann, rule()))
        .await
        .unwrap();
    team.decides(Choice::RunAgain).await;
    assert_eq!(team.fakes.sandbox.started(), ["make"]);
    assert_snapshot!(team.transcript(), @r#"
    edit> [approved by ann] run_command: make
    bot> [outcome unknown] run_command: make
    ann> (RunAgain)
    edit> [approved by ann] run_command: make
    bot> [answered] done: Not run: a rule forbids it now.
    "#);
    team.is_quiet();
}

#[tokio::test]
async fn a_slow_worker_whose_lease_is_gone_writes_nothing() {
    let team = Team::new().await;
    let gate = Gate::new();
    team.fakes.sandbox.hold(&gate);
    team.writes("run: ls\nthen\nrun: ls -a").await.unwrap();
    let slow = team.claim().await.unwrap();
    let takeover = async {
        team.fakes.sandbox.wait_for_started(1).await;
        team.fakes.clock.advance(LEASE + Duration::from_secs(1));
        let job = team.claim().await.expect("the lease ran out");
        assert_eq!(job.id, slow.id);
        assert!(job.lost_before);
        team.perform(&job, Cancel::default()).await.unwrap();
        let run = team.latest().await.id;
        let before = (team.events(&run).await, team.fakes.store.commits());
        gate.open();
        before
    };
    let (worked, (events, commits)) =
        tokio::join!(team.perform(&slow, Cancel::default()), takeover);
    assert!(matches!(worked, Err(HandlerError::LeaseLost)), "{worked:?}");
    let run = team.latest().await.id;
    assert_eq!(
        (team.events(&run).await, team.fakes.store.commits()),
        (events, commits)
    );
    // The command was an effect in flight: its successor asks.
    assert_eq!(team.card().await.question, Question::Unknown);
    team.answers_everything().await;
    assert_eq!(team.fakes.sandbox.started(), ["ls", "ls -a"]);
    team.audit_holds().await;
}

#[tokio::test]
async fn a_file_whose_writing_was_begun_is_written_by_the_successor() {
    let team = Team::new().await;
    team.says("write: a.txt = first").await;
    let card = team.card().await;
    team.choose(&team.ann, &card.id, Choice::Approve)
        .await
        .unwrap();
    // Dies between the start and the result: the successor repeats it.
    team.store.die_at(2, Moment::After);
    let _ = team.work().await;
    team.store.revive();
    team.waits(LEASE + Duration::from_secs(1)).await;
    assert_eq!(team.workspace().text("a.txt").as_deref(), Some("first"));
    assert_eq!(team.latest().await.status, RunStatus::Answered);
}

#[tokio::test]
async fn a_connection_that_is_lost_in_mid_commit_repeats_nothing() {
    for commit in 0..12 {
        let team = Team::new().await;
        team.writes("run: make").await.unwrap();
        let mut lost = false;
        let mut done = 0;
        while let Some(job) = team.claim().await {
            if done == commit {
                team.fakes.store.fail_after_commit(1);
                lost = true;
            }
            done += 1;
            team.perform(&job, Cancel::default()).await.unwrap();
            if let Some(card) = team.cards().await.pop() {
                team.choose(&team.ann, &card.id, Choice::Approve)
                    .await
                    .unwrap();
            }
        }
        assert_eq!(team.fakes.sandbox.started(), ["make"]);
        assert_eq!(team.latest().await.status, RunStatus::Answered);
        team.is_quiet();
        team.audit_holds().await;
        if !lost {
            return;
        }
    }
}

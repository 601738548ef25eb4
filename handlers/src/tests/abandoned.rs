//! A run whose step can't be done any more.

use super::{
    dying::Moment,
    rehearsal::rehearse,
    team::{Ended, Team},
};
use crate::{draft, queries, run::abandon, tick};
use domain::{
    MicroUsd, Micros,
    approval::ApprovalStatus,
    run::{Outcome, RunStatus, State},
};
use insta::assert_snapshot;
use ports::store::{Job, Op};
use std::time::Duration;
use testkit::scripted_model::ScriptedModel;

#[tokio::test]
async fn it_ends_for_everybody_and_the_session_goes_on() {
    let team = Team::with(ScriptedModel::answering(rehearse)).await;
    team.says("run: make all").await;
    team.says("run: ls").await;
    let run = team.talk().await.run.unwrap();
    let ops = abandon(&team.home, &run, "event 3: not an event")
        .await
        .unwrap();
    draft::commit(&team.home, ops).await.unwrap();
    team.work().await;

    let summary = team.get::<domain::run::RunSummary>(run.as_str()).await;
    assert_eq!(summary.unwrap().status, RunStatus::Failed);
    let state = State::fold(&team.journal(&run).await).unwrap();
    assert!(
        matches!(state.phase, domain::run::Phase::Over(Outcome::Failed { why }) if why.contains("event 3"))
    );
    let cards = team.all_cards().await;
    assert!(
        cards
            .iter()
            .all(|card| card.status == ApprovalStatus::Withdrawn)
    );
    assert_eq!(cards.len(), 1);
    assert_eq!(team.talk().await.run, None, "what waited was done");
    assert_snapshot!(team.transcript(), @r"
    ann> run: make all
    bot> [approval asked] run_command: make all
    ann> run: ls
    bot> [failed] the work could not go on: event 3: not an event
    edit> [withdrawn by nobody] run_command: make all
    bot> [answered] done: ran: ls
    ");
    let again = abandon(&team.home, &run, "again").await.unwrap();
    assert!(again.is_empty(), "it ends once");
    team.audit_holds().await;
}

#[tokio::test]
async fn what_it_spent_is_counted() {
    let team = Team::with(ScriptedModel::answering(|request| {
        rehearse(request).cost(MicroUsd(50))
    }))
    .await;
    team.model.set_ceiling(MicroUsd(50));
    team.writes("run: ls\nthen\nrun: ls -a").await.unwrap();
    team.store.die_at(3, Moment::Before);
    assert_eq!(team.work().await, Ended::Died);
    team.store.revive();
    let run = team.latest().await.id;
    let state = State::fold(&team.journal(&run).await).unwrap();
    assert_eq!(state.cost, MicroUsd(50));
    let ops = abandon(&team.home, &run, "boom").await.unwrap();
    draft::commit(&team.home, ops).await.unwrap();
    let cost = queries::cost(&team.home, Micros(0), |_| true).await;
    assert_eq!(cost.unwrap().total, state.cost);
    let summary = team.latest().await;
    assert_eq!((summary.cost, summary.steps), (state.cost, state.steps));
    assert_eq!(summary.status, RunStatus::Failed);
}

/// A run whose job was taken off by somebody who did nothing else, and a tick.
async fn without_a_job(off: impl Fn(Job) -> Op) -> Team {
    let team = Team::with(ScriptedModel::answering(rehearse)).await;
    team.writes("run: ls").await.unwrap();
    let job = team.claim().await.unwrap();
    let ops = vec![off(job), tick::first(&team.home).unwrap()];
    crate::commit(&team.home, ops).await.unwrap();
    team.work().await;
    assert_eq!(team.latest().await.status, RunStatus::Running);
    team
}

fn aside(job: Job) -> Op {
    Op::SetAside {
        job: job.id,
        epoch: job.epoch,
        error: "no".to_owned(),
    }
}

#[tokio::test]
async fn a_run_whose_job_is_gone_or_set_aside_goes_on() {
    let gone = |job: Job| Op::Finish {
        job: job.id,
        epoch: job.epoch,
    };
    for team in [without_a_job(gone).await, without_a_job(aside).await] {
        for _ in 0..3 {
            team.waits(Duration::from_secs(20 * 60)).await;
        }
        insta::allow_duplicates!(assert_snapshot!(team.transcript(), @r"
        ann> run: ls
        bot> [answered] done: ran: ls
        "));
        assert_eq!(team.latest().await.status, RunStatus::Answered);
        team.audit_holds().await;
    }
}

#[tokio::test]
async fn a_run_that_can_not_go_on_is_over_whoever_failed_to_say_so() {
    let team = without_a_job(aside).await;
    team.fakes.clock.advance(Duration::from_secs(40 * 60));
    let mut asides = 0;
    while let Some(job) = team.claim().await {
        if job.name == "run" {
            // Nor does anybody say so this time.
            crate::commit(&team.home, vec![aside(job)]).await.unwrap();
            asides += 1;
        } else {
            let _ = team.perform(&job, ports::sandbox::Cancel::default()).await;
        }
    }
    assert_eq!(asides, 1);
    team.waits(Duration::from_secs(30)).await;
    assert_eq!(team.latest().await.status, RunStatus::Failed);
    assert_eq!(team.talk().await.run, None);
    assert_snapshot!(team.transcript(), @r"
    ann> run: ls
    bot> [failed] the work could not go on: no
    ");
    team.audit_holds().await;
}

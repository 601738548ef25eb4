//! Cancelling, wherever the run is.

use super::{rehearsal::rehearse, team::Team};
use crate::{Problem, cancel};
use domain::{
    approval::{ApprovalStatus, Choice},
    member::Role,
    run::{Event, RunStatus},
};
use insta::assert_snapshot;
use ports::{sandbox::Cancel, store::Renewal};
use testkit::scripted_model::{Gate, ScriptedModel};

async fn cancels(team: &Team) {
    let run = team.latest().await.id;
    team.does(|| cancel::cancel(&team.home, &team.ann, &run))
        .await
        .unwrap();
}

#[tokio::test]
async fn while_it_waits_for_a_card() {
    let team = Team::new().await;
    team.says("run: make\nrun: make more").await;
    team.writes("say: next").await.unwrap();
    cancels(&team).await;
    team.work().await;
    assert_snapshot!(team.transcript(), @r#"
    ann> run: make ⏎ run: make more
    bot> [approval asked] run_command: make
    bot> [approval asked] run_command: make more
    bot> [2 wait]
    ann> say: next
    edit> [withdrawn by nobody] run_command: make
    edit> [withdrawn by nobody] run_command: make more
    bot> [cancelled]
    bot> [answered] next
    "#);
    assert!(
        team.all_cards()
            .await
            .iter()
            .all(|card| card.status == ApprovalStatus::Withdrawn)
    );
    let card = team.all_cards().await[0].id.clone();
    assert!(
        team.choose(&team.ann, &card, Choice::Approve)
            .await
            .is_err()
    );
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn while_it_waits_for_an_answer() {
    let team = Team::new().await;
    team.says("ask: Which?").await;
    cancels(&team).await;
    team.work().await;
    assert_eq!(team.latest().await.status, RunStatus::Cancelled);
    team.says("say: something else").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> ask: Which?
    bot> [question] Which?
    bot> [cancelled]
    ann> say: something else
    bot> [answered] something else
    "#);
    team.is_quiet();
}

/// Works on the next job, and raises the flag when the lease's renewal says so, as the app's worker does.
async fn works_with_renewal(team: &Team, ready: impl Future<Output = ()>) {
    let job = team.claim().await.unwrap();
    let flag = Cancel::default();
    let renewal = async {
        ready.await;
        cancels(team).await;
        let until = team.home.now().plus(super::team::LEASE);
        assert_eq!(
            team.home
                .store
                .renew(&job.id, job.epoch, until)
                .await
                .unwrap(),
            Renewal::Signalled
        );
        flag.raise();
    };
    let (worked, ()) = tokio::join!(team.perform(&job, flag.clone()), renewal);
    worked.unwrap();
    team.work().await;
}

#[tokio::test]
async fn while_a_command_runs() {
    let team = Team::new().await;
    team.fakes.sandbox.hold(&Gate::new());
    team.writes("run: cat endless\nrun: ls").await.unwrap();
    works_with_renewal(&team, team.fakes.sandbox.wait_for_started(1)).await;
    assert_snapshot!(team.transcript(), @r#"
    ann> run: cat endless ⏎ run: ls
    bot> [cancelled]
    "#);
    assert_eq!(
        team.fakes.sandbox.started(),
        ["cat endless"],
        "nothing starts after the cancel"
    );
    assert_eq!(team.fakes.sandbox.ended(), 1);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn while_the_model_is_asked() {
    let gate = Gate::new();
    let held = gate.clone();
    let team = Team::with(ScriptedModel::answering(move |request| {
        rehearse(request).held_by(&held)
    }))
    .await;
    team.writes("run: ls").await.unwrap();
    works_with_renewal(&team, team.model.wait_for_requests(1)).await;
    assert_snapshot!(team.transcript(), @r#"
    ann> run: ls
    bot> [cancelled]
    "#);
    let run = team.latest().await.id;
    let cancelled = team
        .events(&run)
        .await
        .iter()
        .filter(|event| matches!(event, Event::Cancelled))
        .count();
    assert_eq!(cancelled, 1);
    team.is_quiet();
}

#[tokio::test]
async fn between_the_card_being_made_and_being_shown() {
    let gate = Gate::new();
    let held = gate.clone();
    let team = Team::with(ScriptedModel::answering(move |request| {
        rehearse(request).held_by(&held)
    }))
    .await;
    team.writes("run: make").await.unwrap();
    // Nobody raises the flag: the worker finds the cancel in the journal when it commits the card.
    let person = async {
        team.model.wait_for_requests(1).await;
        cancels(&team).await;
        gate.open();
    };
    tokio::join!(team.work(), person);
    assert_eq!(team.all_cards().await, []);
    assert_snapshot!(team.transcript(), @r#"
    ann> run: make
    bot> [cancelled]
    "#);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn who_may() {
    let team = Team::new().await;
    let otto = team.joins("otto", Role::Operator).await;
    let vera = team.joins("vera", Role::Viewer).await;
    team.says("run: make").await;
    let run = team.latest().await.id;
    let refused = |needed| Err(Problem::NotAllowed { needed });
    assert_eq!(
        team.does(|| cancel::cancel(&team.home, &otto, &run)).await,
        refused(Role::Owner)
    );
    assert_eq!(
        team.does(|| cancel::cancel(&team.home, &vera, &run)).await,
        refused(Role::Owner)
    );
    cancels(&team).await;
    team.work().await;
    assert_eq!(
        team.does(|| cancel::cancel(&team.home, &team.ann, &run))
            .await,
        Err(Problem::NothingToCancel)
    );
}

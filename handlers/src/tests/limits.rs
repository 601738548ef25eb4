//! Ceilings, and agents that go in circles.

use super::{
    rehearsal::{rehearse, told},
    team::Team,
};
use domain::{
    MicroUsd, Usage,
    approval::Choice,
    run::{Event, Limit, Outcome, RunStatus},
};
use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;
use testkit::scripted_model::{Gate, ScriptedModel, Turn, last_text};

/// How the latest run ended.
async fn outcome(team: &Team) -> Outcome {
    let run = team.latest().await.id;
    match team.events(&run).await.pop() {
        Some(Event::Finished { outcome, .. }) => outcome,
        other => panic!("not over: {other:?}"),
    }
}

fn reached(limit: Limit) -> Outcome {
    Outcome::LimitReached { limit }
}

#[tokio::test]
async fn a_call_that_is_repeated_is_refused_and_then_the_run_is_ended() {
    let team = Team::with(ScriptedModel::answering(|_| {
        Turn::calls([("run_command", json!({"command": "ls"}))])
    }))
    .await;
    team.says("loop").await;
    assert_eq!(team.fakes.sandbox.started().len(), 3);
    assert_eq!(
        team.model.requests().len(),
        6,
        "three that ran, three that were refused"
    );
    assert_snapshot!(team.transcript(), @r#"
    ann> loop
    bot> [failed] the agent repeated the same call again and again; it was stopped.
    "#);
    assert!(matches!(outcome(&team).await, Outcome::Failed { .. }));
    team.is_quiet();
}

#[tokio::test]
async fn running_the_tests_after_each_change_is_no_circle() {
    let team = Team::new().await;
    let steps: Vec<String> = (0..5)
        .map(|i| format!("write: a.txt = {i}\nthen\nrun: ls tests"))
        .collect();
    team.writes(&steps.join("\nthen\n")).await.unwrap();
    team.work().await;
    team.answers_everything().await;
    assert_eq!(team.fakes.sandbox.started().len(), 5);
    assert_eq!(outcome(&team).await, Outcome::Answered);
}

#[tokio::test]
async fn steps() {
    let team = Team::with(ScriptedModel::answering(|request| {
        Turn::calls([(
            "run_command",
            json!({"command": format!("ls {}", request.messages.len())}),
        )])
    }))
    .await;
    team.setting("limits", json!({"steps": 4})).await;
    team.says("loop").await;
    assert_eq!(
        (team.model.requests().len(), outcome(&team).await),
        (4, reached(Limit::Steps))
    );
    assert_eq!(
        team.fakes.sandbox.started().len(),
        4,
        "what was proposed is finished"
    );
}

#[tokio::test]
async fn tokens() {
    let usage = Usage {
        input: 60,
        output: 0,
        cache_read: 0,
        cache_write: 0,
    };
    let team = Team::with(ScriptedModel::answering(move |request| {
        rehearse(request).usage(usage)
    }))
    .await;
    team.setting("limits", json!({"tokens": 100})).await;
    team.says("run: ls\nthen\nrun: ls -a\nthen\nrun: ls -b")
        .await;
    assert_eq!(
        (team.model.requests().len(), outcome(&team).await),
        (2, reached(Limit::Tokens))
    );
    // An answer that is there counts, whatever it cost.
    team.says("run: ls").await;
    assert_eq!(outcome(&team).await, Outcome::Answered);
}

#[tokio::test]
async fn cost_is_reserved_before_it_is_spent() {
    let team = Team::with(ScriptedModel::answering(|request| {
        rehearse(request).cost(MicroUsd(30))
    }))
    .await;
    team.model.set_ceiling(MicroUsd(50));
    team.setting("limits", json!({"cost": 100})).await;
    team.says("run: ls\nthen\nrun: ls -a\nthen\nrun: ls -b")
        .await;
    // 30, 60: a third could make it 110.
    assert_eq!(team.model.requests().len(), 2);
    assert_eq!(team.latest().await.cost, MicroUsd(60));
    team.decides(Choice::Stop).await;
    assert_eq!(
        (team.model.requests().len(), outcome(&team).await),
        (2, reached(Limit::Cost))
    );
    assert_eq!(team.latest().await.cost, MicroUsd(60));
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn work_has_an_end_but_waiting_is_not_work() {
    let team = Team::new().await;
    team.setting("limits", json!({"wall_s": 3600})).await;
    team.says("run: make\nthen\nrun: ls").await;
    team.fakes.clock.advance(Duration::from_secs(5 * 3600));
    team.decides(Choice::Approve).await;
    assert_eq!(outcome(&team).await, Outcome::Answered);

    let gate = Gate::new();
    team.fakes.sandbox.hold(&gate);
    team.writes("run: ls\nrun: ls -a").await.unwrap();
    let person = async {
        team.fakes.sandbox.wait_for_started(3).await;
        team.fakes.clock.advance(Duration::from_secs(3700));
        gate.open();
    };
    tokio::join!(team.work(), person);
    assert_eq!(outcome(&team).await, reached(Limit::Wall));
    assert_eq!(
        team.fakes.sandbox.started().len(),
        3,
        "the second one was not begun"
    );
}

#[tokio::test]
async fn an_answer_that_came_late_is_an_answer() {
    let gate = Gate::new();
    let held = gate.clone();
    let team = Team::with(ScriptedModel::answering(move |request| {
        assert_eq!(last_text(request), "think");
        Turn::text("42").held_by(&held)
    }))
    .await;
    team.setting("limits", json!({"wall_s": 60})).await;
    team.writes("think").await.unwrap();
    let person = async {
        team.model.wait_for_requests(1).await;
        team.fakes.clock.advance(Duration::from_secs(61));
        gate.open();
    };
    tokio::join!(team.work(), person);
    assert_eq!(outcome(&team).await, Outcome::Answered);
}

#[tokio::test]
async fn a_step_without_time_for_the_model_goes_on_in_a_new_job() {
    let mut team = Team::new().await;
    team.step = Duration::from_secs(150);
    let clock = team.fakes.clock.clone();
    team.fakes.sandbox.answer(move |exec| {
        clock.advance(Duration::from_secs(40));
        testkit::sandbox::exited(0, format!("ran: {}", exec.command))
    });
    team.says("run: ls\nthen\nrun: ls -a\nthen\nrun: ls -b")
        .await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    assert_eq!(told(team.model.requests().last().unwrap()).len(), 3);
    assert_eq!(team.latest().await.steps, 4);
    team.is_quiet();
    team.audit_holds().await;
}

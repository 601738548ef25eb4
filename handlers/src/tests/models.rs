//! Models that don't answer.

use super::team::Team;
use crate::agents;
use domain::{
    MicroUsd,
    run::{Event, RunStatus},
};
use insta::assert_snapshot;
use ports::model::ModelError;
use std::{sync::Arc, time::Duration};
use testkit::scripted_model::{ScriptedModel, Turn};

fn limited(seconds: Option<u64>) -> Turn {
    Turn::fail(ModelError::RateLimited {
        retry_after: seconds.map(Duration::from_secs),
    })
}

fn broken() -> Turn {
    Turn::fail(ModelError::Broken("reset".to_owned()))
}

async fn with_fallback(model: ScriptedModel, fallback: ScriptedModel) -> Team {
    let mut team = Team::with(model).await;
    team.run
        .models
        .providers
        .insert("other".to_owned(), Arc::new(fallback));
    let change = || agents::Change {
        model: Some("scripted/one".to_owned()),
        fallbacks: Some(vec!["nowhere/x".to_owned(), "other/two/three".to_owned()]),
        ..Default::default()
    };
    team.does(|| agents::change(&team.home, &team.ann, "assistant", change()))
        .await
        .unwrap();
    team
}

#[tokio::test]
async fn a_refused_key_ends_the_run_with_a_sentence() {
    let team = Team::with(ScriptedModel::queue([Turn::fail(
        ModelError::Unauthorized("bad key".to_owned()),
    )]))
    .await;
    team.says("hello").await;
    assert_eq!(team.model.requests().len(), 1);
    assert_snapshot!(team.transcript(), @r#"
    ann> hello
    bot> [failed] no model answered. scripted/one: the key was refused: bad key.
    "#);
    assert_eq!(team.latest().await.cost, MicroUsd::ZERO);
    team.is_quiet();
    team.audit_holds().await;
}

#[tokio::test]
async fn a_run_that_said_nothing_ends_without_the_words_of_the_one_before() {
    let refused = Turn::fail(ModelError::Unauthorized("bad key".to_owned()));
    let turns = [Turn::text("hello yourself"), refused];
    let team = Team::with(ScriptedModel::queue(turns)).await;
    team.says("hello").await;
    team.says("and now?").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> hello
    bot> [answered] hello yourself
    ann> and now?
    bot> [failed] no model answered. scripted/one: the key was refused: bad key.
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_out() {
    let team = Team::with(ScriptedModel::queue([
        limited(Some(17)),
        limited(None),
        broken(),
        Turn::text("hello yourself"),
    ]))
    .await;
    let asked = || team.model.requests().len();
    team.says("hello").await;
    assert_eq!(asked(), 1);
    team.waits(Duration::from_secs(16)).await;
    assert_eq!(asked(), 1);
    // A pause of four seconds is made in place, one of eight in the queue again.
    team.waits(Duration::from_secs(1)).await;
    assert_eq!(asked(), 3);
    team.waits(Duration::from_secs(8)).await;
    assert_eq!(asked(), 4);
    assert_snapshot!(team.transcript(), @r#"
    ann> hello
    bot> [answered] hello yourself
    "#);
    team.is_quiet();
}

#[tokio::test(start_paused = true)]
async fn after_some_tries_the_next_of_the_chain_is_asked() {
    let fallback = ScriptedModel::queue([Turn::text("from the other")]);
    let team = with_fallback(
        ScriptedModel::queue([broken(), broken(), broken(), broken()]),
        fallback.clone(),
    )
    .await;
    team.says("hello").await;
    team.waits(Duration::from_secs(8)).await;
    assert_eq!(
        (team.model.requests().len(), fallback.requests().len()),
        (4, 1)
    );
    assert_eq!(fallback.requests()[0].model, "two/three");
    assert_eq!(team.latest().await.model, "other/two/three");
    assert_snapshot!(team.transcript(), @r#"
    ann> hello
    bot> [answered] from the other
    "#);
    team.is_quiet();
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_too_long_goes_to_the_next_at_once() {
    let team = with_fallback(
        ScriptedModel::queue([limited(Some(3600))]),
        ScriptedModel::queue([Turn::text("hi")]),
    )
    .await;
    let began = tokio::time::Instant::now();
    team.says("hello").await;
    assert_eq!(began.elapsed().as_secs(), 0);
    assert_eq!(team.latest().await.status, RunStatus::Answered);
}

#[tokio::test(start_paused = true)]
async fn nobody_answers() {
    let refused = Turn::fail(ModelError::TooLong("9 of 8 tokens".to_owned()));
    let team = with_fallback(
        ScriptedModel::queue([broken(), broken(), broken(), broken()]),
        ScriptedModel::queue([refused]),
    )
    .await;
    team.says("hello").await;
    team.waits(Duration::from_secs(8)).await;
    assert_snapshot!(team.transcript(), @r#"
    ann> hello
    bot> [failed] no model answered. scripted/one: the connection broke: reset; other/two/three: the conversation is longer than the model's window: 9 of 8 tokens.
    "#);
    team.is_quiet();
}

#[tokio::test]
async fn an_agent_whose_models_are_not_configured_says_so() {
    let team = Team::new().await;
    let change = || agents::Change {
        model: Some("nowhere/x".to_owned()),
        ..Default::default()
    };
    team.does(|| agents::change(&team.home, &team.ann, "assistant", change()))
        .await
        .unwrap();
    team.says("hello").await;
    assert_snapshot!(team.transcript(), @r#"
    ann> hello
    bot> [failed] none of this agent's models (nowhere/x) is configured here; configured are: scripted. Set its key, or change the agent's model.
    "#);
    team.is_quiet();
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_step_has_no_time_for_is_made_in_the_queue() {
    let mut team = Team::with(ScriptedModel::queue([
        limited(Some(50)),
        Turn::text("hello yourself"),
    ]))
    .await;
    team.step = Duration::from_secs(150);
    team.says("hello").await;
    assert_eq!(team.latest().await.status, RunStatus::Running);
    assert_eq!(team.model.requests().len(), 1);
    team.waits(Duration::from_secs(51)).await;
    assert_snapshot!(team.transcript(), @r#"
    ann> hello
    bot> [answered] hello yourself
    "#);
    team.is_quiet();
}

#[tokio::test]
async fn what_a_dearer_fallback_may_cost_is_reserved_when_it_is_asked() {
    let refused = Turn::fail(ModelError::Refused("no".to_owned()));
    let fallback = ScriptedModel::queue([Turn::text("hi")]);
    fallback.set_ceiling(MicroUsd(90));
    let team = with_fallback(ScriptedModel::queue([refused]), fallback).await;
    team.model.set_ceiling(MicroUsd(10));
    team.says("hello").await;
    let run = team.latest().await.id;
    let asked = |event| match event {
        Event::ModelAsked {
            model, reserved, ..
        } => Some((model, reserved.0)),
        _ => None,
    };
    let asked: Vec<(String, i64)> = team
        .events(&run)
        .await
        .into_iter()
        .filter_map(asked)
        .collect();
    let (first, second) = ("scripted/one".to_owned(), "other/two/three".to_owned());
    assert_eq!(asked, [(first, 10), (second, 90)]);
}

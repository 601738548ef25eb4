//! What a provider may charge counts, also where nobody saw an answer.

use super::{
    dying::Moment,
    rehearsal::rehearse,
    team::{Ended, LEASE, Team},
};
use domain::{MicroUsd, approval::Choice, budget::Scope, run::RunStatus};
use ports::model::ModelError;
use std::time::Duration;
use testkit::scripted_model::{ScriptedModel, Turn};

/// What an answer costs, and what is reserved for it.
const COST: MicroUsd = MicroUsd(30);
const CEILING: MicroUsd = MicroUsd(50);

#[tokio::test]
async fn a_worker_that_dies_after_each_reply_comes_to_the_ceiling() {
    let team = Team::with(ScriptedModel::answering(|request| {
        rehearse(request).cost(COST)
    }))
    .await;
    team.model.set_ceiling(CEILING);
    team.budget(Scope::Team, 120).await;
    team.writes("say: hello").await.unwrap();
    for _ in 0..2 {
        // Before the commit that would say what was answered.
        team.store.die_at(2, Moment::Before);
        assert_eq!(team.work().await, Ended::Died);
        team.store.revive();
        team.fakes.clock.advance(2 * LEASE);
    }
    team.work().await;
    assert_eq!(team.model.requests().len(), 2, "a third may cost 50 more");
    let ask = team.card().await.budget.unwrap();
    assert_eq!(
        (ask.scope, ask.spent, ask.need),
        (Scope::Team, MicroUsd(100), CEILING)
    );
    team.decides(Choice::Raise).await;
    let run = team.latest().await;
    assert_eq!((run.status, run.cost), (RunStatus::Answered, MicroUsd(130)));
    assert_eq!(run.spent[0].cost, MicroUsd(130));
    assert_eq!(
        (team.spent(&Scope::Team).await, team.today().await),
        (130, 130)
    );
    team.audit_holds().await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_costs_what_the_provider_may_charge() {
    let seconds = Duration::from_secs(1);
    let text = || "so".to_owned();
    let broken = || ModelError::Broken(text());
    for (error, cost) in [
        (broken(), 50),
        (ModelError::TimedOut(seconds), 50),
        (ModelError::Garbled(text()), 50),
        (ModelError::Unreachable(text()), 0),
        (ModelError::Unavailable(text()), 0),
        (ModelError::RateLimited { retry_after: None }, 0),
    ] {
        let turns = [Turn::fail(error.clone()), Turn::text("hello").cost(COST)];
        let team = Team::with(ScriptedModel::queue(turns)).await;
        team.model.set_ceiling(CEILING);
        team.says("hello").await;
        let run = team.latest().await;
        assert_eq!(run.status, RunStatus::Answered, "{error}");
        assert_eq!(
            (run.cost.0, team.today().await),
            (cost + 30, cost + 30),
            "{error}"
        );
        team.audit_holds().await;
    }
    // Who said something before worked for it.
    let said = Turn::text("I").failing(ModelError::Unavailable(text()));
    let team = Team::with(ScriptedModel::queue([said, Turn::text("hello").cost(COST)])).await;
    team.model.set_ceiling(CEILING);
    team.says("hello").await;
    assert_eq!(team.today().await, 80);
}

#[tokio::test(start_paused = true)]
async fn each_try_is_reserved_anew() {
    let broken = Turn::fail(ModelError::Broken("reset".to_owned()));
    let team = Team::with(ScriptedModel::queue([
        broken.clone(),
        broken,
        Turn::text("hello").cost(COST),
    ]))
    .await;
    team.model.set_ceiling(CEILING);
    team.budget(Scope::Team, 120).await;
    team.says("hello").await;
    assert_eq!(team.model.requests().len(), 2);
    assert_eq!(team.spent(&Scope::Team).await, 100);
    assert_eq!(team.card().await.budget.unwrap().spent, MicroUsd(100));
    team.decides(Choice::Raise).await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    assert_eq!(team.spent(&Scope::Team).await, 130);
    team.audit_holds().await;
}

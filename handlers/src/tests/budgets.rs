//! Budgets: money is reserved before it is spent, a card asks for more, and nobody's ceiling is passed.

use super::{rehearsal::rehearse, team::Team};
use crate::{Problem, ask, budgets, cancel, queries, tick};
use domain::{
    MicroUsd,
    approval::{Approval, ApprovalStatus, Choice, Question, Refusal},
    budget::{Part, Scope},
    id::SessionId,
    member::{Member, Role},
    run::{Event, Limit, Outcome, RunStatus},
};
use insta::assert_snapshot;
use ports::sandbox::Cancel;
use std::time::Duration;
use testkit::scripted_model::{Gate, ScriptedModel};

/// Each answer costs 30, and 50 are reserved for it.
const THREE: &str = "run: ls\nthen\nrun: ls -a";
const COST: MicroUsd = MicroUsd(30);
const CEILING: MicroUsd = MicroUsd(50);
const TICK: Duration = Duration::from_secs(21);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn priced() -> Team {
    let team = Team::with(ScriptedModel::answering(|request| {
        rehearse(request).cost(COST)
    }))
    .await;
    team.model.set_ceiling(CEILING);
    team
}

async fn ticking() -> Team {
    let team = priced().await;
    let first = vec![tick::first(&team.home).unwrap()];
    crate::commit(&team.home, first).await.unwrap();
    team
}

impl Team {
    pub(super) async fn budget(&self, scope: Scope, amount: i64) {
        self.does(|| budgets::set(&self.home, &self.ann, &scope, MicroUsd(amount)))
            .await
            .unwrap();
    }

    pub(super) async fn spent(&self, scope: &Scope) -> i64 {
        let list = budgets::list(&self.home).await.unwrap();
        let standing = list.iter().find(|standing| standing.budget.scope == *scope);
        standing.expect("a budget").spent.0
    }

    pub(super) async fn today(&self) -> i64 {
        let name = domain::budget::day_counter(self.home.now());
        let counter = ports::repo::budgets::counter(&self.home.team, &name);
        self.home.store.counter(&counter).await.unwrap()
    }

    /// Somebody asks in a conversation of their own.
    async fn asks(&self, who: &Member, text: &str) {
        let session = SessionId::new(&*who.home);
        self.does(|| ask::ask(&self.home, who, &session, text, None))
            .await
            .unwrap();
    }

    async fn ended(&self) -> Outcome {
        let run = self.latest().await.id;
        match self.events(&run).await.pop() {
            Some(Event::Finished { outcome, .. }) => outcome,
            other => panic!("not over: {other:?}"),
        }
    }
}

fn part(what: &str, cost: i64) -> Part {
    let (what, cost) = (what.to_owned(), MicroUsd(cost));
    Part { what, cost }
}

#[tokio::test]
async fn a_run_asks_for_more_and_goes_on() {
    let team = priced().await;
    team.setting("limits", serde_json::json!({"cost": 100}))
        .await;
    team.says(THREE).await;
    let card = team.card().await;
    let ask = card.budget.clone().unwrap();
    assert_eq!(
        (card.question, card.approvers),
        (Question::Budget, Role::Operator)
    );
    assert_eq!(
        (ask.spent, ask.ceiling, ask.need),
        (MicroUsd(60), MicroUsd(100), CEILING)
    );
    assert_eq!(ask.parts, [part("scripted/one", 60)]);
    assert_eq!(team.latest().await.status, RunStatus::Waiting);
    assert_eq!(team.today().await, 60, "nothing is reserved by who waits");
    assert_eq!(
        team.choose(&team.ann, &card.id, Choice::Approve).await,
        Err(Problem::Decision(Refusal::NotOffered))
    );
    team.decides(Choice::Raise).await;
    assert_snapshot!(team.transcript(), @r#"
    ann> run: ls ⏎ then ⏎ run: ls -a
    bot> [over budget] spend: scripted/one, up to $0.0001
    ann> (Approve)
    ann> (Raise)
    edit> [approved by ann] spend: scripted/one, up to $0.0001
    bot> [answered] done: ran: ls -a
    "#);
    assert_eq!(team.latest().await.cost, MicroUsd(90));
    assert_eq!(team.today().await, 90);
    // This run's, not the next one's.
    team.says(THREE).await;
    assert_eq!(team.card().await.budget.unwrap().ceiling, MicroUsd(100));
    team.audit_holds().await;
}

#[tokio::test]
async fn nobody_who_answers_is_a_stop() {
    let team = ticking().await;
    team.budget(Scope::Run, 40).await;
    team.says(THREE).await;
    assert_eq!(team.model.requests().len(), 0);
    team.waits(DAY + TICK).await;
    let limit = Limit::Cost;
    assert_eq!(team.ended().await, Outcome::LimitReached { limit });
    assert_eq!(team.all_cards().await[0].status, ApprovalStatus::Expired);
    assert_eq!(team.today().await, 0);
    // A stop is one, too, and a cancel takes the card away.
    team.says(THREE).await;
    team.decides(Choice::Stop).await;
    assert_eq!(team.ended().await, Outcome::LimitReached { limit });
    team.says(THREE).await;
    let run = team.latest().await.id;
    team.does(|| cancel::cancel(&team.home, &team.ann, &run))
        .await
        .unwrap();
    team.work().await;
    assert_eq!(team.latest().await.status, RunStatus::Cancelled);
    assert!(team.cards().await.is_empty());
    team.audit_holds().await;
}

#[tokio::test]
async fn the_teams_budget_is_the_owners_and_holds_for_all() {
    let team = ticking().await;
    let bob = team.joins("bob", Role::Operator).await;
    team.budget(Scope::Team, 100).await;
    team.asks(&bob, THREE).await;
    team.work().await;
    let card = team.card().await;
    assert_eq!(card.budget.as_ref().unwrap().parts, [part("assistant", 60)]);
    let needed = Role::Owner;
    assert_eq!(
        team.choose(&bob, &card.id, Choice::Raise).await,
        Err(Problem::Decision(Refusal::NotAllowed { needed }))
    );
    team.says("say: hello").await;
    assert_eq!(team.cards().await.len(), 2, "hers waits, too");
    // One yes is enough for both: the other goes on by itself.
    team.choose(&team.ann, &card.id, Choice::Raise)
        .await
        .unwrap();
    team.waits(TICK).await;
    team.waits(TICK).await;
    assert!(team.cards().await.is_empty());
    let over: Vec<RunStatus> = queries::runs(&team.home, None, 10)
        .await
        .unwrap()
        .iter()
        .map(|run| run.status)
        .collect();
    assert_eq!(over, [RunStatus::Answered; 2]);
    let standing = budgets::list(&team.home).await.unwrap().remove(0);
    assert_eq!(
        (standing.spent, standing.ceiling),
        (MicroUsd(120), MicroUsd(10_100)),
        "for good"
    );
    team.audit_holds().await;
}

#[tokio::test]
async fn a_days_budget_is_raised_for_the_day_and_new_in_the_morning() {
    let team = ticking().await;
    // What was spent before counts: it is a day's.
    team.says("say: hello").await;
    team.budget(Scope::Day, 100).await;
    assert_eq!(team.spent(&Scope::Day).await, 30);
    team.says(THREE).await;
    team.decides(Choice::Raise).await;
    assert_eq!(team.spent(&Scope::Day).await, 120);
    team.waits(DAY).await;
    let standing = budgets::list(&team.home).await.unwrap().remove(0);
    assert_eq!(
        (standing.spent, standing.ceiling),
        (MicroUsd(0), MicroUsd(100))
    );
    team.says("run: ls\nthen\nrun: ls -a\nthen\nrun: ls -b")
        .await;
    assert_eq!(team.card().await.question, Question::Budget);
    // It would have expired later: a new day makes room before.
    team.waits(DAY - TICK).await;
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    team.audit_holds().await;
}

#[tokio::test]
async fn an_agent_and_a_person_have_their_own() {
    let team = ticking().await;
    let bob = team.joins("bob", Role::Operator).await;
    let agent = budgets::scope(&team.home, "agent", "assistant")
        .await
        .unwrap();
    let person = budgets::scope(&team.home, "member", "Bob").await.unwrap();
    assert_eq!(person, Scope::Member(bob.id.clone()));
    team.says("say: before").await;
    team.budget(agent.clone(), 1000).await;
    team.budget(person.clone(), 70).await;
    team.says("say: hello").await;
    team.asks(&bob, THREE).await;
    team.work().await;
    assert_eq!(
        (team.spent(&agent).await, team.spent(&person).await),
        (60, 30)
    );
    let ask = team.card().await.budget.unwrap();
    assert_eq!((&ask.scope, ask.name.as_str()), (&person, "bob"));
    // Taken away, it holds nobody up.
    team.does(|| budgets::remove(&team.home, &team.ann, &person))
        .await
        .unwrap();
    team.waits(TICK).await;
    assert!(team.cards().await.is_empty());
    assert_eq!(team.spent(&agent).await, 120);
    team.audit_holds().await;
}

#[tokio::test]
async fn who_may_set_one() {
    let team = priced().await;
    let bob = team.joins("bob", Role::Operator).await;
    let set = async |who: &Member, amount: i64| {
        team.does(|| budgets::set(&team.home, who, &Scope::Team, MicroUsd(amount)))
            .await
    };
    let needed = Role::Owner;
    assert_eq!(
        set(&bob, 1).await.unwrap_err(),
        Problem::NotAllowed { needed }
    );
    assert!(matches!(set(&team.ann, -1).await, Err(Problem::Invalid(_))));
    for (what, whose) in [
        ("agent", "nobody"),
        ("member", "nobody"),
        ("planet", "earth"),
    ] {
        budgets::scope(&team.home, what, whose).await.unwrap_err();
    }
    let gone = team
        .does(|| budgets::remove(&team.home, &team.ann, &Scope::Day))
        .await;
    assert!(matches!(
        gone,
        Err(Problem::NotFound { what: "budget", .. })
    ));
}

#[tokio::test]
async fn what_costs_nothing_asks_nobody() {
    let team = Team::new().await;
    for scope in [Scope::Team, Scope::Day, Scope::Run] {
        team.budget(scope, 0).await;
    }
    team.says(THREE).await;
    assert_eq!(team.ended().await, Outcome::Answered);
    team.is_quiet();
}

/// Steps of many runs at the same time, each with its own lease.
#[tokio::test]
async fn many_runs_at_once_stay_below_one_ceiling() {
    let gate = Gate::new();
    let held = gate.clone();
    let team = Team::with(ScriptedModel::answering(move |request| {
        rehearse(request).cost(COST).held_by(&held)
    }))
    .await;
    team.model.set_ceiling(CEILING);
    team.budget(Scope::Team, 240).await;
    for i in 0..8 {
        let member = team.joins(&format!("m{i}"), Role::Operator).await;
        team.asks(&member, THREE).await;
    }
    let mut jobs = Vec::new();
    while let Some(job) = team.claim().await {
        jobs.push(job);
    }
    assert_eq!(jobs.len(), 8);
    let steps = jobs.iter().map(|job| team.perform(job, Cancel::default()));
    let watch = async {
        team.model.wait_for_requests(4).await;
        assert!(team.spent(&Scope::Team).await <= 240);
        gate.open();
    };
    let (results, ()) = tokio::join!(futures::future::join_all(steps), watch);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    team.work().await;
    let spent = team.spent(&Scope::Team).await;
    let replied = i64::try_from(team.model.requests().len()).unwrap();
    assert_eq!(spent, replied * COST.0, "all that is reserved is settled");
    assert!((191..=240).contains(&spent), "{spent}: as far as it goes");
    let cards: Vec<Approval> = team.cards().await;
    assert!(!cards.is_empty());
    // With money, all of them come to their end.
    team.answers_everything().await;
    assert_eq!(team.spent(&Scope::Team).await, 8 * 3 * COST.0);
    team.audit_holds().await;
}

#[tokio::test]
async fn more_than_was_reserved_is_at_most_one_calls_difference() {
    let team = Team::with(ScriptedModel::answering(|request| {
        rehearse(request).cost(MicroUsd(70))
    }))
    .await;
    team.model.set_ceiling(CEILING);
    team.budget(Scope::Team, 120).await;
    team.says(THREE).await;
    // 70, and 50 fit: 140 is 20 over, which is what one call was dearer than its reservation.
    assert_eq!(team.spent(&Scope::Team).await, 140);
    assert_eq!(team.card().await.budget.unwrap().spent, MicroUsd(140));
}

#[tokio::test]
async fn a_call_that_is_cancelled_stays_reserved_for_the_provider_may_charge_it() {
    let gate = Gate::new();
    let held = gate.clone();
    let team = Team::with(ScriptedModel::answering(move |request| {
        rehearse(request).cost(COST).held_by(&held)
    }))
    .await;
    team.model.set_ceiling(CEILING);
    team.writes("say: hello").await.unwrap();
    let run = team.latest().await.id;
    let (job, cancel) = (team.claim().await.unwrap(), Cancel::default());
    let person = async {
        team.model.wait_for_requests(1).await;
        team.does(|| crate::cancel::cancel(&team.home, &team.ann, &run))
            .await
            .unwrap();
        cancel.raise();
    };
    let (worked, ()) = tokio::join!(team.perform(&job, cancel.clone()), person);
    worked.unwrap();
    let run = team.latest().await;
    assert_eq!(
        (run.status, run.cost, team.today().await),
        (RunStatus::Cancelled, CEILING, CEILING.0)
    );
    assert_eq!(run.spent[0].cost, CEILING);
}

#[tokio::test]
async fn what_was_spent_is_told_by_model_agent_person_and_day() {
    let team = ticking().await;
    let bob = team.joins("bob", Role::Operator).await;
    team.setting("limits", serde_json::json!({"cost": 100}))
        .await;
    team.says(THREE).await;
    team.waits(DAY - Duration::from_secs(60)).await;
    let first = team.home.now().minus(DAY).day();
    // It goes on on the next day, and that day pays for it.
    team.decides(Choice::Raise).await;
    team.asks(&bob, "say: hello").await;
    team.work().await;
    let cost = queries::cost(&team.home, team.home.now().minus(2 * DAY), |_| true)
        .await
        .unwrap();
    assert_eq!((cost.total, cost.runs), (MicroUsd(120), 2));
    assert_eq!(
        cost.by_day.into_iter().collect::<Vec<_>>(),
        [(first, MicroUsd(60)), (first + 1, MicroUsd(60))]
    );
    assert_eq!(cost.by_model["scripted/one"], MicroUsd(120));
    assert_eq!(cost.by_agent["assistant"], MicroUsd(120));
    assert_eq!(cost.by_member["chat:ann"], MicroUsd(90));
    assert_eq!(cost.by_member["chat:bob"], MicroUsd(30));
    let today = queries::cost(&team.home, team.home.now(), |_| true)
        .await
        .unwrap();
    assert_eq!(today.total, MicroUsd(60));
}

//! Before a model is asked: what it may cost at most is reserved under every ceiling that applies, in the commit that says that it
//! is asked. Where one would be passed, a card asks for more.

use super::Step;
use crate::{HandlerError, budgets, circulate, queries};
use domain::{
    Digest, MicroUsd, Micros,
    approval::{Approval, ApprovalStatus, Question, Shown},
    budget::{self, Ask, Budget, Part, Scope},
    id::{ApprovalId, CallId},
    run::{Event, RunSummary},
    tool::ToolCall,
};
use ports::{present::Notice, repo, store::StoreError};
use serde_json::json;
use std::collections::BTreeMap;

/// Lines of what was spent on what.
const PARTS: usize = 5;
/// The name of the call on such a card.
const SPEND: &str = "spend";

/// A ceiling that is in the way.
struct Short {
    scope: Scope,
    ceiling: MicroUsd,
    spent: MicroUsd,
    /// Where its money began to count.
    since: Micros,
}

impl Step<'_> {
    /// Whether the model may be asked now: `need` is reserved, and the journal says so. Else ask `next` again: there is a card, or
    /// another journal.
    pub(super) async fn reserve(
        &mut self,
        model: String,
        need: MicroUsd,
        bytes: u64,
    ) -> Result<bool, HandlerError> {
        let state = self.state();
        let (now, spent) = (self.ports.home.now(), state.cost);
        if need > MicroUsd::ZERO && spent + need > state.limits.cost {
            let (scope, ceiling, since) = (Scope::Run, state.limits.cost, state.started_at);
            let short = Short {
                scope,
                ceiling,
                spent,
                since,
            };
            return self.ask_for_more(model, need, short).await;
        }
        let budgets = self.budgets(need).await?;
        let ceiling = |budget: &Budget| Some((budget.counter(now)?, budget.ceiling(now).0));
        let ceilings: BTreeMap<String, i64> = budgets.iter().filter_map(ceiling).collect();
        let mut held: Vec<String> = ceilings.keys().cloned().collect();
        let day = budget::day_counter(now);
        if need > MicroUsd::ZERO && !held.contains(&day) {
            held.push(day);
        }
        let asked = Event::ModelAsked {
            model: model.clone(),
            reserved: need,
            held,
            bytes,
        };
        let over = match self.log.reserve(asked, ceilings).await? {
            Ok(done) => return Ok(done),
            Err(over) => over,
        };
        let named = |budget: &&Budget| budget.counter(now).as_ref() == Some(&over.counter);
        let Some(budget) = budgets.iter().find(named) else {
            return Ok(false);
        };
        let short = Short {
            scope: budget.scope.clone(),
            ceiling: budget.ceiling(now),
            spent: over.spent,
            since: budgets::since(budget, now),
        };
        self.ask_for_more(model, need, short).await
    }

    /// What costs nothing asks no budget.
    async fn budgets(&self, need: MicroUsd) -> Result<Vec<Budget>, StoreError> {
        if need == MicroUsd::ZERO {
            return Ok(Vec::new());
        }
        let state = self.state();
        budgets::applying(&self.ports.home, &state.agent.id, &state.requester).await
    }

    /// Makes the card; it is committed when the run parks on it.
    async fn ask_for_more(
        &mut self,
        model: String,
        need: MicroUsd,
        short: Short,
    ) -> Result<bool, HandlerError> {
        let home = &self.ports.home;
        let ask = Ask {
            name: budgets::name(home, &short.scope).await?,
            parts: self.parts(&short).await?,
            raise: budget::raise(short.ceiling, short.spent, need),
            scope: short.scope,
            ceiling: short.ceiling,
            spent: short.spent,
            need,
            model,
        };
        let scope = ask.scope.clone();
        let approval = self.spending(ask).await?;
        let asked = Event::BudgetAsked {
            scope,
            approval: approval.id.clone(),
            digest: approval.digest.clone(),
        };
        let mut ops = vec![repo::create(&home.team, &approval)?];
        ops.extend(circulate::due(home, &approval).await?);
        ops.extend(self.notify(&Notice::ApprovalAsked { approval }).await?);
        self.log.with(ops);
        self.log.note(self.log.agent(), asked)?;
        Ok(false)
    }

    async fn spending(&self, ask: Ask) -> Result<Approval, HandlerError> {
        let (home, state) = (&self.ports.home, self.state());
        Ok(Approval {
            id: ApprovalId::new(home.chance.id()),
            run: self.log.run.clone(),
            session: state.session.clone(),
            agent: state.agent.id.clone(),
            agent_name: state.agent.name.clone(),
            requester: state.requester.clone(),
            requester_name: self
                .requester()
                .await?
                .map(|member| member.name)
                .unwrap_or_default(),
            call: ToolCall {
                id: CallId::new(format!("{SPEND}_{}", state.len)),
                name: SPEND.to_owned(),
                arguments: json!({}),
                malformed: None,
            },
            question: Question::Budget,
            digest: Digest::of(&ask)?,
            shown: Shown {
                what: format!("{}, up to {}", ask.model, ask.need),
                ..Shown::default()
            },
            approvers: ask.scope.raised_by(),
            change: None,
            repeats: false,
            standing: false,
            budget: Some(ask),
            always: Vec::new(),
            persons: 1,
            votes: Vec::new(),
            sent: Vec::new(),
            unreachable: Vec::new(),
            escalate_after_s: circulate::escalation(home).await?,
            reminded_at: None,
            status: ApprovalStatus::Pending,
            asked_at: home.now(),
            expires_at: home.now().plus(self.ports.approval_expiry),
            decided_by: None,
            decided_for: None,
            decided_at: None,
            reason: String::new(),
        })
    }

    /// What was spent on what: of a run by model, of an agent by person, of the others by agent.
    async fn parts(&self, short: &Short) -> Result<Vec<Part>, StoreError> {
        let home = &self.ports.home;
        let mut costs: BTreeMap<String, MicroUsd> = BTreeMap::new();
        match &short.scope {
            Scope::Run => {
                for spent in &self.state().spent {
                    *costs.entry(spent.model.clone()).or_default() += spent.cost;
                }
            }
            Scope::Agent(agent) => {
                let fits = |run: &RunSummary| run.agent == *agent;
                for (id, cost) in queries::cost(home, short.since, fits).await?.by_member {
                    let member = Scope::Member(id.as_str().into());
                    costs.insert(budgets::name(home, &member).await?, cost);
                }
            }
            Scope::Member(member) => {
                let fits = |run: &RunSummary| run.requester == *member;
                costs = queries::cost(home, short.since, fits).await?.by_agent;
            }
            Scope::Team | Scope::Day => {
                costs = queries::cost(home, short.since, |_| true).await?.by_agent;
            }
        }
        let mut parts: Vec<Part> = costs
            .into_iter()
            .map(|(what, cost)| Part { what, cost })
            .collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.cost));
        parts.truncate(PARTS);
        Ok(parts)
    }
}

//! Budgets: listed, set, raised at a card, and given free again by time.
//!
//! What counts on a budget is `domain::budget`; `run` reserves on its counter before a model is asked and settles after it.

mod free;
mod unpriced;

pub use free::free;
pub use unpriced::unpriced;

use crate::{CommandError, Draft, Home, Problem, agents, audit, members};
use domain::{
    MicroUsd, Micros,
    approval::Approval,
    budget::{Budget, Scope},
    id::{AgentId, MemberId},
    member::{Deed, Member, Role, may},
};
use ports::{
    repo::{self, Stored},
    store::{Op, StoreError},
};
use serde_json::json;

/// More than this is a slip of the finger: a million dollars.
const MOST: MicroUsd = MicroUsd(1_000_000_000_000);

/// A budget and where it stands.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Standing {
    pub budget: Budget,
    /// Of the agent or the person; empty for the others.
    pub name: String,
    /// With what is reserved for calls under way; zero for runs, each of which counts by itself.
    pub spent: MicroUsd,
    /// Now: the amount, and for a day what was added to it.
    pub ceiling: MicroUsd,
}

/// All budgets that are set.
///
/// # Errors
/// What the store answers.
pub async fn list(home: &Home) -> Result<Vec<Standing>, StoreError> {
    let budgets = repo::collect::<Budget>(&*home.store, repo::all::<Budget>(&home.team)).await?;
    let mut list = Vec::with_capacity(budgets.len());
    for Stored { value: budget, .. } in budgets {
        list.push(Standing {
            name: name(home, &budget.scope).await?,
            spent: spent(home, &budget).await?,
            ceiling: budget.ceiling(home.now()),
            budget,
        });
    }
    list.sort_by(|a, b| a.budget.scope.cmp(&b.budget.scope));
    Ok(list)
}

/// What stands on a budget's counter.
pub(crate) async fn spent(home: &Home, budget: &Budget) -> Result<MicroUsd, StoreError> {
    let Some(counter) = budget.counter(home.now()) else {
        return Ok(MicroUsd::ZERO);
    };
    let counter = repo::budgets::counter(&home.team, &counter);
    Ok(MicroUsd(home.store.counter(&counter).await?))
}

/// The name of the agent or the person, its id where it is gone; empty for other scopes.
pub(crate) async fn name(home: &Home, scope: &Scope) -> Result<String, StoreError> {
    Ok(match scope {
        Scope::Agent(id) => {
            let agent = repo::get::<domain::agent::Agent>(&*home.store, &home.team, id.as_str());
            agent
                .await?
                .map_or_else(|| id.to_string(), |agent| agent.value.name)
        }
        Scope::Member(id) => members::find(home, id)
            .await?
            .map_or_else(|| id.to_string(), |member| member.name),
        Scope::Team | Scope::Day | Scope::Run => String::new(),
    })
}

/// Those on whose counters a call of this agent for this person counts.
pub(crate) async fn applying(
    home: &Home,
    agent: &AgentId,
    member: &MemberId,
) -> Result<Vec<Budget>, StoreError> {
    let scopes = [
        Scope::Team,
        Scope::Day,
        Scope::Agent(agent.clone()),
        Scope::Member(member.clone()),
    ];
    let get = async |scope: &Scope| {
        repo::get::<Budget>(&*home.store, &home.team, &scope.to_string()).await
    };
    let [a, b, c, d] = &scopes;
    let found = tokio::try_join!(get(a), get(b), get(c), get(d))?;
    let found = [found.0, found.1, found.2, found.3];
    Ok(found
        .into_iter()
        .flatten()
        .map(|stored| stored.value)
        .collect())
}

/// What a new run may cost, where somebody said so.
pub(crate) async fn of_runs(home: &Home) -> Result<Option<MicroUsd>, StoreError> {
    let run = Scope::Run.to_string();
    let budget = repo::get::<Budget>(&*home.store, &home.team, &run).await?;
    Ok(budget.map(|budget| budget.value.amount))
}

/// A scope as people write it: `team`, `day`, `run`, `agent <name>`, `member <name>`.
///
/// # Errors
/// [`Problem`]s: not found, ambiguous, invalid.
pub async fn scope(home: &Home, what: &str, whose: &str) -> Result<Scope, CommandError> {
    match (what, whose) {
        ("team", "") => Ok(Scope::Team),
        ("day", "") => Ok(Scope::Day),
        ("run", "") => Ok(Scope::Run),
        ("agent", name) => Ok(Scope::Agent(agents::find(home, name).await?.value.id)),
        ("member", name) => Ok(Scope::Member(members::named(home, name).await?.id)),
        _ => Err(Problem::Invalid(format!(
            "“{}” can have no budget: write team, day, run, agent NAME or member NAME.",
            format!("{what} {whose}").trim()
        ))
        .into()),
    }
}

/// What is said about a budget, `agent coder 3` or `day off`: for what, and how much.
///
/// # Errors
/// As [`scope`].
pub async fn order(home: &Home, words: &str) -> Result<(Scope, Option<MicroUsd>), CommandError> {
    let (of, amount) = words.trim().rsplit_once(' ').unwrap_or((words, ""));
    let amount = match amount {
        "off" => None,
        amount => Some(amount.parse().map_err(Problem::Invalid)?),
    };
    let (what, whose) = of.trim().split_once(' ').unwrap_or((of.trim(), ""));
    Ok((scope(home, what, whose.trim()).await?, amount))
}

/// Sets an amount. A new budget counts from now (a day's from its midnight); another amount of an old one goes on counting.
///
/// # Errors
/// [`Problem`]s: not allowed, invalid.
pub async fn set(
    home: &Home,
    member: &Member,
    scope: &Scope,
    amount: MicroUsd,
) -> Result<Draft<Standing>, CommandError> {
    configures(member)?;
    if amount < MicroUsd::ZERO || amount > MOST {
        let what = format!("A budget is an amount in dollars, at most {MOST}.");
        return Err(Problem::Invalid(what).into());
    }
    let before = repo::get::<Budget>(&*home.store, &home.team, &scope.to_string()).await?;
    let budget = Budget {
        scope: scope.clone(),
        amount,
        since: before
            .as_ref()
            .map_or(home.now(), |before| before.value.since),
        set_by: member.id.clone(),
        set_at: home.now(),
        extra: None,
    };
    let version = before.map(|before| before.version);
    let mut ops = vec![repo::put(&home.team, &budget, version)?];
    ops.extend(audited(home, member, "budget.set", (&budget, amount)).await?);
    let standing = Standing {
        name: name(home, scope).await?,
        spent: spent(home, &budget).await?,
        ceiling: amount,
        budget,
    };
    Ok(Draft::new(ops, standing))
}

/// Takes a budget away; what was spent counts for nothing then.
///
/// # Errors
/// [`Problem`]s: not allowed, not found.
pub async fn remove(
    home: &Home,
    member: &Member,
    scope: &Scope,
) -> Result<Draft<Budget>, CommandError> {
    configures(member)?;
    let stored = repo::get::<Budget>(&*home.store, &home.team, &scope.to_string()).await?;
    let Some(stored) = stored else {
        let (what, name) = ("budget", scope.to_string());
        return Err(Problem::NotFound { what, name }.into());
    };
    let budget = stored.value.clone();
    let mut ops = vec![repo::delete(&home.team, &stored)];
    ops.extend(audited(home, member, "budget.removed", (&budget, budget.amount)).await?);
    Ok(Draft::new(ops, budget))
}

/// What a “+” at a card changes besides its run: the budget that it names, if it is still there.
pub(crate) async fn raised(
    home: &Home,
    member: &Member,
    approval: &Approval,
) -> Result<Vec<Op>, CommandError> {
    let Some(ask) = &approval.budget else {
        return Ok(Vec::new());
    };
    // A run's own is in its journal; the record is for those to come.
    if ask.scope == Scope::Run {
        return Ok(Vec::new());
    }
    let scope = ask.scope.to_string();
    let Some(mut stored) = repo::get::<Budget>(&*home.store, &home.team, &scope).await? else {
        return Ok(Vec::new());
    };
    stored.value.raise(ask.raise, home.now());
    let mut ops = vec![repo::update(&home.team, &stored)?];
    ops.extend(audited(home, member, "budget.raised", (&stored.value, ask.raise)).await?);
    Ok(ops)
}

/// Where the money of a scope began to count.
pub(crate) fn since(budget: &Budget, now: Micros) -> Micros {
    match budget.scope {
        Scope::Day => Micros(now.day().saturating_mul(86_400_000_000)),
        _ => budget.since,
    }
}

fn configures(member: &Member) -> Result<(), Problem> {
    if may(member.role, Deed::Configure) {
        return Ok(());
    }
    let needed = Role::Owner;
    Err(Problem::NotAllowed { needed })
}

async fn audited(
    home: &Home,
    member: &Member,
    action: &str,
    (budget, amount): (&Budget, MicroUsd),
) -> Result<Vec<Op>, StoreError> {
    let actor = format!("member:{}", member.id);
    let deed = audit::deed(action, actor, &budget.scope, json!({"amount": amount}));
    audit::append(home, "team", vec![deed]).await
}

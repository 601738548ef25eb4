//! Sentences about budgets: what is spent, who needs more, what a raise holds for.

use crate::text::{one_line, time};
use domain::{
    MicroUsd, Micros,
    approval::{Approval, ApprovalStatus},
    budget::{Ask, Scope},
};
use handlers::budgets::Standing;

pub const NO_BUDGETS: &str = "No budget is set, except what each run may cost (limits.cost_usd).";
pub const BUDGETS_HINT: &str = "An owner can /budget team 20, /budget day 5, /budget agent coder 3, /budget member Ann 2, /budget run 1; off instead of an amount takes one away. Dollars; days are those of UTC.";
pub const SPENT_ON: &str = "Spent on";
pub const MORE_MONEY: &str = "More";

/// Whose: `the team’s budget`.
#[must_use]
pub fn budget(scope: &Scope, name: &str) -> String {
    match scope {
        Scope::Team => "the team’s budget".to_owned(),
        Scope::Day => "today’s budget".to_owned(),
        Scope::Agent(_) => format!("the budget of agent {}", one_line(name)),
        Scope::Member(_) => format!("{}’s budget", one_line(name)),
        Scope::Run => "this run’s budget".to_owned(),
    }
}

#[must_use]
pub fn over_budget(agent: &str, ask: &Ask) -> String {
    let budget = budget(&ask.scope, &ask.name);
    format!("{} needs more than {budget}", one_line(agent))
}

#[must_use]
pub fn needs(ask: &Ask) -> String {
    format!(
        "{} of {} is spent. The next call of {} may cost up to {}.",
        ask.spent,
        ask.ceiling,
        one_line(&ask.model),
        ask.need
    )
}

#[must_use]
pub fn spent_on(ask: &Ask) -> String {
    let parts = ask
        .parts
        .iter()
        .map(|part| format!("{} {}", one_line(&part.what), part.cost));
    parts.collect::<Vec<_>>().join(", ")
}

/// On the button.
#[must_use]
pub fn plus(ask: &Ask) -> String {
    format!("+ {}", ask.raise)
}

/// What the button does.
#[must_use]
pub fn raise(ask: &Ask) -> String {
    let until = match &ask.scope {
        Scope::Run => "for this run",
        Scope::Day => "for today (UTC)",
        Scope::Team | Scope::Agent(_) | Scope::Member(_) => "from now on",
    };
    let sum = ask.ceiling + ask.raise;
    format!("“+ {}” makes it {sum} {until}", ask.raise)
}

/// How a card about money came out.
#[must_use]
pub fn raised(approval: &Approval, ask: &Ask, by: &str, at: &str) -> String {
    match approval.status {
        ApprovalStatus::Pending => "⏳ Waiting for a decision".to_owned(),
        ApprovalStatus::Approved => format!("✅ {} more, by {by} at {at}", ask.raise),
        ApprovalStatus::Denied => format!("🛑 Stopped by {by} at {at}"),
        ApprovalStatus::Expired | ApprovalStatus::ExpiredUnseen => {
            format!("⌛ Expired at {at}: nobody decided. The run was stopped.")
        }
        ApprovalStatus::Undeliverable => {
            "🚫 The card could not be delivered. The run was stopped.".to_owned()
        }
        ApprovalStatus::Withdrawn => {
            format!("↩️ Settled at {at}: there is room in the budget again, or the run ended.")
        }
    }
}

/// After a tap on such a card.
#[must_use]
pub fn decided_money(approval: &Approval, ask: &Ask) -> String {
    match approval.status {
        ApprovalStatus::Denied => "Stopped.".to_owned(),
        _ => format!("{} more: it goes on.", ask.raise),
    }
}

/// A line of the list of budgets.
#[must_use]
pub fn standing(standing: &Standing, now: Micros) -> String {
    let Standing {
        budget,
        name,
        spent,
        ceiling,
    } = standing;
    let name = one_line(name);
    let since = time::at(budget.since, now, "");
    match &budget.scope {
        Scope::Team => format!("Team: {spent} of {ceiling} spent since {since}"),
        Scope::Day => format!("Day: {spent} of {ceiling} spent today (UTC)"),
        Scope::Agent(_) => format!("Agent {name}: {spent} of {ceiling} spent since {since}"),
        Scope::Member(_) => format!("Member {name}: {spent} of {ceiling} spent since {since}"),
        Scope::Run => format!("Each run: {ceiling}"),
    }
}

/// Models without a known price, where a budget is set.
#[must_use]
pub fn unpriced(names: &[String]) -> String {
    format!(
        "⚠️ No budget holds {} back: without a known price a call counts as $0.",
        one_line(&names.join(", "))
    )
}

#[must_use]
pub fn budget_removed(scope: &Scope) -> String {
    format!("The budget is gone: {scope}")
}

#[must_use]
pub fn spent(total: MicroUsd, runs: u64, days: u64) -> String {
    format!(
        "{total} in {days} days, for {runs} {}",
        if runs == 1 { "run" } else { "runs" }
    )
}

#[must_use]
pub fn spent_today(total: MicroUsd) -> String {
    format!("{total} today (UTC)")
}

/// A day of UTC: `21 Nov`.
#[must_use]
pub fn day(day: i64) -> String {
    time::day(Micros(day.saturating_mul(86_400_000_000)))
}

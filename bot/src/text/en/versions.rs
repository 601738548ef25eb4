//! What is said about versions.

use crate::text::one_line;
use domain::agent::Agent;
use handlers::{agents::Past, rules};

/// A version's head.
#[must_use]
pub fn version(past: &Past, at: &str) -> String {
    let deed = match past.undoes {
        Some(number) => format!("took version {number} back"),
        None => deed(&past.deed).to_owned(),
    };
    format!("{} · {at} · {} {deed}", past.number, one_line(&past.by))
}

fn deed(deed: &str) -> &str {
    match deed {
        "created" => "made it",
        "changed" => "changed it",
        "deleted" => "deleted it",
        "found" => "noted what was there",
        other => other,
    }
}

#[must_use]
pub fn older_versions(count: usize) -> String {
    format!("{count} older: countersign agents history has all of them.")
}

#[must_use]
pub fn undo_hint(name: &str) -> String {
    format!(
        "/agent undo {} takes the latest change back.",
        one_line(name)
    )
}

#[must_use]
pub fn version_undone(agent: &Agent, number: u64) -> String {
    format!(
        "Version {number} was taken back: {} is as before (version {}). /agent undo {} goes further back.",
        agent.name, agent.version, agent.name
    )
}

/// A line of the rules' history.
#[must_use]
pub fn rule_past(past: &rules::Past, at: &str) -> String {
    let deed = match (past.undoes, past.came) {
        (Some(number), true) => format!("took {number} back, so again"),
        (Some(number), false) => format!("took {number} back, so no more"),
        (None, true) => "added".to_owned(),
        (None, false) => "removed".to_owned(),
    };
    let rule = super::rule(&past.rule);
    format!(
        "{} · {at} · {} {deed}: {rule}",
        past.number,
        one_line(&past.by)
    )
}

/// After a change of the rules was taken back. `came`: it holds again.
#[must_use]
pub fn rule_undone(rule: &domain::permission::Rule, came: bool) -> String {
    let rule = super::rule(rule);
    match came {
        true => format!("Taken back; this rule holds again: {rule}"),
        false => format!("Taken back; this rule holds no more: {rule}"),
    }
}

pub const NO_RULE_CHANGES: &str = "The team’s rules have not changed yet.";

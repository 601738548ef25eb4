//! What is said about versions.

use crate::text::one_line;
use domain::agent::Agent;
use handlers::{rules, versions::Past};

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

/// `what`: the command's word, `agents`, `skills`, `mcp`.
#[must_use]
pub fn older_versions(count: usize, what: &str) -> String {
    format!("{count} older: countersign {what} history has all of them.")
}

/// `what`: the command, `agent`, `skill`, `mcp`.
#[must_use]
pub fn undo_hint(what: &str, name: &str) -> String {
    format!(
        "/{what} undo {} takes the latest change back.",
        one_line(name)
    )
}

/// After a change of a skill or a server was taken back. `is_there`: there is one of this name now.
#[must_use]
pub fn taken_back(name: &str, (is_there, number): (bool, u64)) -> String {
    let state = match is_there {
        true => "is as before",
        false => "is gone, as before",
    };
    let name = one_line(name);
    format!("Version {number} was taken back: {name} {state}. Another undo goes further back.")
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

//! Histories for people: who changed what, when, and how it differs from before.

use super::of;
use crate::{CommandError, Home, Problem, members};
use domain::{
    Micros,
    agent::Agent,
    run::Actor,
    version::{self, Version},
};
use ports::repo;
use serde::Serialize;
use serde_json::Value;
use similar::TextDiff;

/// One version, for people.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Past {
    pub number: u64,
    pub at: Micros,
    /// A member's name, `system`.
    pub by: String,
    /// As [`Version::deed`].
    pub deed: String,
    pub undoes: Option<u64>,
    /// From the version before to this one, as a unified diff without its head; empty where it says the same.
    pub diff: String,
}

/// How what was there differs from what is, as text for people. A trait, because the future of an async closure is not `Send` here.
#[async_trait::async_trait]
pub(crate) trait Differ: Sync {
    async fn differ(
        &self,
        home: &Home,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Result<String, CommandError>;
}

/// The versions of a stream, oldest first.
pub(crate) async fn past(
    home: &Home,
    versions: &[Version],
    of: &dyn Differ,
) -> Result<Vec<Past>, CommandError> {
    let mut past = Vec::with_capacity(versions.len());
    for (at, entry) in versions.iter().enumerate() {
        past.push(Past {
            number: at as u64 + 1,
            at: entry.at,
            by: who(home, &entry.actor).await?,
            deed: entry.deed.clone(),
            undoes: entry.undoes,
            diff: of
                .differ(home, version::before(versions, at), entry.doc.as_ref())
                .await?,
        });
    }
    Ok(past)
}

/// What an undo brings back.
pub(crate) struct Return {
    /// The number of the change that is taken back.
    pub number: u64,
    /// None: there was nothing.
    pub before: Option<Value>,
}

/// The latest change of a stream that was not taken back.
///
/// # Errors
/// [`Problem`]s: not found, where there is no version at all; invalid, where nothing is left to take back.
pub(crate) async fn undoable(
    home: &Home,
    stream: &str,
    (what, name): (&'static str, &str),
) -> Result<Return, CommandError> {
    let versions = of(home, stream).await?;
    if versions.is_empty() {
        let name = name.to_owned();
        return Err(Problem::NotFound { what, name }.into());
    }
    let Some(undo) = version::undo(&versions) else {
        return Err(at_its_beginning(name).into());
    };
    Ok(Return {
        number: undo.number,
        before: undo.before.cloned(),
    })
}

pub(crate) fn at_its_beginning(name: &str) -> Problem {
    let why = format!("“{name}” is as it was in the beginning: there is nothing to take back.");
    Problem::Invalid(why)
}

/// Lines that went and came. Where in a text a line stands says nothing to people.
pub(crate) fn diff(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let hunks = diff.unified_diff().context_radius(0).to_string();
    let is_shown = |line: &&str| !line.starts_with("@@") && !line.starts_with('\\');
    let lines = hunks.lines().filter(is_shown);
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) async fn who(home: &Home, actor: &Actor) -> Result<String, CommandError> {
    Ok(match actor {
        Actor::Member(id) => members::find(home, id)
            .await?
            .map_or_else(|| id.to_string(), |member| member.name),
        Actor::Agent(id) => repo::get::<Agent>(&*home.store, &home.team, id.as_str())
            .await?
            .map_or_else(|| id.to_string(), |agent| agent.value.name),
        Actor::System => actor.to_string(),
    })
}

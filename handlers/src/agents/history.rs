//! What an agent was: its versions with who, when and what changed, and going back to the one before.

use super::{
    by, configures, find, take, take_again,
    write::{Written, stream, write},
};
use crate::{CommandError, Draft, Home, Problem, members, versions};
use catalog::AgentTemplate;
use domain::{
    Micros,
    agent::Agent,
    member::Member,
    run::Actor,
    version::{self, Version},
};
use ports::repo::{self, Stored};
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
    /// The agent's file, from the version before to this one, as a unified diff without its head; empty where it says the same.
    pub diff: String,
}

/// The versions of an agent, oldest first; also of one that is gone, by the name that it was made with.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn history(home: &Home, name: &str) -> Result<Vec<Past>, CommandError> {
    let (_, versions) = known(home, name).await?;
    let mut past = Vec::with_capacity(versions.len());
    for (at, entry) in versions.iter().enumerate() {
        let before = text(version::before(&versions, at))?;
        past.push(Past {
            number: at as u64 + 1,
            at: entry.at,
            by: who(home, &entry.actor).await?,
            deed: entry.deed.clone(),
            undoes: entry.undoes,
            diff: diff(&before, &text(entry.doc.as_ref())?),
        });
    }
    Ok(past)
}

/// The agent of that name with its versions; without it where it was deleted.
async fn known(
    home: &Home,
    name: &str,
) -> Result<(Option<Stored<Agent>>, Vec<Version>), CommandError> {
    match find(home, name).await {
        Ok(agent) => {
            let versions = versions::of(home, &stream(agent.value.id.as_str())).await?;
            Ok((Some(agent), versions))
        }
        Err(CommandError::Problem(missing)) => {
            let versions = versions::of(home, &stream(name)).await?;
            match versions.is_empty() {
                true => Err(missing.into()),
                false => Ok((None, versions)),
            }
        }
        Err(error) => Err(error),
    }
}

/// Takes the latest change back that was not taken back yet; that is a new version. What works or waits is not touched by it, but for
/// the rights that it has from now on.
///
/// # Errors
/// [`Problem`]s: not allowed, not found; invalid, where nothing came before.
pub async fn undo(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<(Agent, u64)>, CommandError> {
    configures(member)?;
    let (stored, versions) = known(home, name).await?;
    let undo = version::undo(&versions);
    let Some((number, Some(before))) = undo.map(|undo| (undo.number, undo.before)) else {
        let why = format!("“{name}” is as it was in the beginning: there is nothing to take back.");
        return Err(Problem::Invalid(why).into());
    };
    let mut agent: Agent = serde_json::from_value(before.clone())?;
    let mut ops = Vec::new();
    match &stored {
        Some(stored) if stored.value.name == agent.name => {}
        Some(_) => ops.extend(take_again(home, &agent.name, &agent.id).await?),
        None => ops.push(take(home, &agent.name, &agent.id).await?),
    }
    agent.version = stored
        .as_ref()
        .map_or(agent.version, |stored| stored.value.version)
        + 1;
    agent.updated_at = home.now();
    let written = Written::undone(stored, agent.clone(), number);
    ops.extend(write(home, &by(member), written).await?);
    Ok(Draft::new(ops, (agent, number)))
}

fn text(doc: Option<&Value>) -> Result<String, CommandError> {
    let Some(doc) = doc else {
        return Ok(String::new());
    };
    let agent: Agent = serde_json::from_value(doc.clone())?;
    let text = AgentTemplate::from(&agent).text();
    Ok(text.map_err(Problem::Invalid)?)
}

fn diff(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let hunks = diff.unified_diff().context_radius(0).to_string();
    // Where in the file a line stands says nothing to people.
    let lines = hunks.lines().filter(|line| !line.starts_with("@@"));
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

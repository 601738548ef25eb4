//! What an agent was: its versions with who, when and what changed, and going back to the one before.

use super::{
    by, configures, find, known_as, take, take_again,
    write::{Written, stream, write},
};
use crate::{
    CommandError, Draft, Home, Problem,
    knowledge::Reader,
    versions::{self, Differ, Past},
};
use catalog::AgentTemplate;
use domain::{
    agent::Agent,
    member::Member,
    version::{self, Version},
};
use ports::repo::Stored;
use serde_json::Value;

/// The versions of an agent, oldest first; also of one that is gone, by the name that it was made with.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn history(
    home: &Home,
    reader: Reader<'_>,
    name: &str,
) -> Result<Vec<Past>, CommandError> {
    let (_, versions) = known(home, name).await?;
    versions::past(home, &versions, &Files(reader)).await
}

/// By the file that an export is for this person.
struct Files<'a>(Reader<'a>);

impl Files<'_> {
    async fn text(&self, home: &Home, doc: Option<&Value>) -> Result<String, CommandError> {
        let Some(doc) = doc else {
            return Ok(String::new());
        };
        file(home, self.0, &serde_json::from_value(doc.clone())?).await
    }
}

#[async_trait::async_trait]
impl Differ for Files<'_> {
    async fn differ(
        &self,
        home: &Home,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Result<String, CommandError> {
        let (before, after) = (
            self.text(home, before).await?,
            self.text(home, after).await?,
        );
        Ok(versions::diff(&before, &after))
    }
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
        return Err(versions::at_its_beginning(name).into());
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

/// As [`super::export`].
pub(super) async fn file(
    home: &Home,
    reader: Reader<'_>,
    agent: &Agent,
) -> Result<String, CommandError> {
    let template = AgentTemplate {
        knowledge: known_as(home, reader, agent).await?,
        ..AgentTemplate::from(agent)
    };
    Ok(template.text().map_err(Problem::Invalid)?)
}

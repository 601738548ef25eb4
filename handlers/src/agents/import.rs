//! Agents from files: what a file would make of the team's agents, and making it so.

use super::{Could, could, create, find, history};
use crate::{CommandError, Draft, Home, Problem, knowledge::Reader, tool::Tools, versions};
use catalog::AgentTemplate;
use domain::{Digest, agent::Agent, member::Member};
use ports::store::Op;

/// Bytes of a file that may be an agent's; a record holds half of it.
const FILE: usize = 64 * 1024;

/// What a person is shown before they agree to a file: facts.
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    /// As it would be.
    pub agent: Agent,
    /// As it is.
    pub before: Option<Agent>,
    /// From the file that an export is now to what it would be; all of it, where there is no such agent.
    pub diff: String,
    pub could: Could,
    /// The beginning of a digest of what is, what would be, and what that could do: 80 bits, which a yes repeats.
    pub pin: String,
    /// What makes it so.
    pub ops: Vec<Op>,
}

/// Whether somebody meant a file to be an agent: its front matter has what an export has, right or wrong.
#[must_use]
pub fn is_meant(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).ok();
    text.is_some_and(|text| text.len() <= FILE && AgentTemplate::is_meant(text))
}

/// Looks what [`import`] would do.
///
/// # Errors
/// As [`import`].
pub async fn look(
    home: &Home,
    reader: Reader<'_>,
    file: &str,
    tools: &Tools,
) -> Result<Import, CommandError> {
    let presets = catalog::policies().map_err(|error| Problem::Invalid(error.to_string()))?;
    let names: Vec<String> = presets.iter().map(|preset| preset.name.clone()).collect();
    let member = reader.member;
    let Draft { fact: agent, ops } = import(home, member, file, &names).await?;
    let before = match find(home, agent.id.as_str()).await {
        Ok(before) => Some(before.value),
        Err(CommandError::Problem(Problem::NotFound { .. })) => None,
        Err(error) => return Err(error),
    };
    let now = match &before {
        Some(before) => history::file(home, reader, before).await?,
        None => String::new(),
    };
    let then = history::file(home, reader, &agent).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    let could = could(home, &agent, (tools, &presets), &member.id).await?;
    let lists = (&could.allowed, &could.asked, &could.denied);
    let digest = Digest::of(&(version, &then, lists))?;
    let pin = digest.as_str().get(..20).unwrap_or_default();
    Ok(Import {
        pin: pin.to_owned(),
        diff: versions::diff(&now, &then),
        could,
        agent,
        before,
        ops,
    })
}

/// The agent that a file says: a new one, or the one of that name as the file has it.
///
/// # Errors
/// [`Problem`]s: not allowed, invalid, also for a preset that is none of these.
pub async fn import(
    home: &Home,
    member: &Member,
    file: &str,
    presets: &[String],
) -> Result<Draft<Agent>, CommandError> {
    let template = AgentTemplate::parse(file).map_err(|why| {
        // A parser shows the place in lines below its sentence.
        let why = why.lines().next().unwrap_or_default();
        let why = why.trim_end_matches('.');
        Problem::Invalid(format!("This is no agent’s file: {why}."))
    })?;
    if !presets.contains(&template.preset) {
        let (preset, known) = (&template.preset, presets.join(", "));
        let why = format!("There is no preset “{preset}”. There are {known}.");
        return Err(Problem::Invalid(why).into());
    }
    let name = template.name.clone();
    match find(home, &name).await {
        Ok(known) if known.value.name == name => {
            super::change(home, member, &name, template.into()).await
        }
        _ => create(home, member, template.into()).await,
    }
}

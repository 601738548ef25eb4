//! Agents: created, shown, changed, paused, archived, duplicated, imported, deleted, and taken back to what they were.

mod change;
mod could;
mod history;
mod import;
mod in_use;
mod knows;
mod seed;
mod write;

use crate::{CommandError, Draft, Home, Problem, knowledge::Reader};
use catalog::AgentTemplate;
pub use catalog::DESIGNER;
pub use change::Change;
use change::{apply, check_new};
pub use could::{Could, Counts, could, would_have};
use domain::{
    agent::{Agent, AgentStatus},
    id::AgentId,
    knowledge::Collection,
    member::{Deed, Member, Role, may},
    run::Actor,
};
pub use history::{history, undo};
pub use import::{Import, import, is_meant, look};
pub use knows::known_as;
use ports::{
    repo::{self, Stored, settings::Setting},
    store::{Op, StoreError},
};
pub use seed::seed;
use serde_json::{Map, json};
use write::{Written, write};

/// All agents that are not archived, by name; with the archived ones where wanted.
///
/// # Errors
/// What the store answers.
pub async fn list(home: &Home, archived: bool) -> Result<Vec<Agent>, StoreError> {
    let stored = repo::collect::<Agent>(&*home.store, repo::all::<Agent>(&home.team)).await?;
    let mut agents: Vec<Agent> = stored.into_iter().map(|stored| stored.value).collect();
    agents.retain(|agent| archived || agent.status != AgentStatus::Archived);
    agents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(agents)
}

/// By name or id.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn find(home: &Home, name: &str) -> Result<Stored<Agent>, CommandError> {
    if let Some(stored) = repo::get::<Agent>(&*home.store, &home.team, name).await? {
        return Ok(stored);
    }
    let named =
        repo::collect::<Agent>(&*home.store, repo::by::<Agent>(&home.team, "by_name", name))
            .await?;
    named.into_iter().next().ok_or_else(|| {
        Problem::NotFound {
            what: "agent",
            name: name.to_owned(),
        }
        .into()
    })
}

fn configures(member: &Member) -> Result<(), Problem> {
    if may(member.role, Deed::Configure) {
        Ok(())
    } else {
        Err(Problem::NotAllowed {
            needed: Role::Owner,
        })
    }
}

/// Names are unique, and there are no unique indexes: who takes a name writes a small record under it in the same commit, so that
/// of two who take it at once one meets a conflict, looks again and finds the other.
async fn take(home: &Home, name: &str, agent: &AgentId) -> Result<Op, CommandError> {
    let id = format!("agent_name:{name}");
    // Before the look at the agents: whoever takes the name after that look changes the version that was read here.
    let taken = repo::get::<Setting>(&*home.store, &home.team, &id).await?;
    match find(home, name).await {
        Ok(_) => {
            let (what, name) = ("agent", name.to_owned());
            return Err(Problem::Exists { what, name }.into());
        }
        Err(CommandError::Problem(Problem::NotFound { .. })) => {}
        Err(error) => return Err(error),
    }
    let value = json!(agent);
    let setting = Setting { name: id, value };
    let version = taken.map(|taken| taken.version);
    Ok(repo::put(&home.team, &setting, version)?)
}

/// As [`take`], for an agent that is there: the name that is its id stays its own.
async fn take_again(home: &Home, name: &str, agent: &AgentId) -> Result<Option<Op>, CommandError> {
    match name == agent.as_str() {
        true => Ok(None),
        false => take(home, name, agent).await.map(Some),
    }
}

/// A new agent. Its id is its first name, so that the record itself keeps names apart.
///
/// # Errors
/// [`Problem`]s: not allowed, exists, invalid.
pub async fn create(
    home: &Home,
    member: &Member,
    change: Change,
) -> Result<Draft<Agent>, CommandError> {
    configures(member)?;
    let change = known(home, member, &[], change).await?;
    let (agent, taken) = drafted(home, change).await?;
    let mut ops = vec![taken];
    ops.extend(write(home, &by(member), Written::created(agent.clone())).await?);
    Ok(Draft::new(ops, agent))
}

/// The change with the ids of collections that there are.
async fn known(
    home: &Home,
    member: &Member,
    had: &[String],
    mut change: Change,
) -> Result<Change, CommandError> {
    if let Some(named) = change.knowledge_ids.take() {
        let ids = knows::collections(home, member, had, named).await?;
        change.knowledge_ids = Some(ids);
    }
    Ok(change)
}

/// What [`DESIGNER`] is asked: a person's words, and what there is for the new agent to know.
///
/// # Errors
/// What the store answers.
pub async fn wish(home: &Home, member: &Member, words: &str) -> Result<String, CommandError> {
    let known = repo::collect::<Collection>(&*home.store, repo::all::<Collection>(&home.team));
    let mut wish = format!("agent: {}", words.trim());
    for Stored { value, .. } in known.await? {
        if value.is_readable_by(&member.id) {
            wish.push_str(&format!(
                "\nknowledge: {} ({})",
                value.name, value.description
            ));
        }
    }
    Ok(wish)
}

/// The agent as it would be made now, and the operation that takes its name.
pub(crate) async fn drafted(home: &Home, change: Change) -> Result<(Agent, Op), CommandError> {
    let name = change.name.clone().unwrap_or_default();
    check_new(&name)?;
    let mut agent = blank(home, &name);
    let taken = take(home, &name, &agent.id).await?;
    apply(&mut agent, change)?;
    Ok((agent, taken))
}

fn by(member: &Member) -> Actor {
    Actor::Member(member.id.clone())
}

fn blank(home: &Home, name: &str) -> Agent {
    Agent {
        id: AgentId::new(name),
        name: name.to_owned(),
        description: String::new(),
        system_prompt: String::new(),
        model: String::new(),
        provider: String::new(),
        fallbacks: Vec::new(),
        skills: Vec::new(),
        knowledge_ids: Vec::new(),
        permissions: domain::permission::Permissions {
            preset: "ask-first".to_owned(),
            rules: Vec::new(),
        },
        metadata: Map::new(),
        status: AgentStatus::Active,
        version: 1,
        created_at: home.now(),
        updated_at: home.now(),
    }
}

/// Changes an agent; runs that work keep what they started with, except permissions, which hold at once.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, invalid.
pub async fn change(
    home: &Home,
    member: &Member,
    name: &str,
    change: Change,
) -> Result<Draft<Agent>, CommandError> {
    configures(member)?;
    let before = find(home, name).await?;
    revise(home, member, before, change).await
}

/// As [`change`], by somebody of whom it is known that they may.
pub(crate) async fn revise(
    home: &Home,
    member: &Member,
    before: Stored<Agent>,
    change: Change,
) -> Result<Draft<Agent>, CommandError> {
    let mut ops = Vec::new();
    if let Some(new) = change
        .name
        .as_deref()
        .filter(|new| *new != before.value.name)
    {
        check_new(new)?;
        ops.extend(take_again(home, new, &before.value.id).await?);
    }
    let mut agent = before.value.clone();
    let change = known(home, member, &agent.knowledge_ids, change).await?;
    apply(&mut agent, change)?;
    if agent == before.value {
        return Ok(Draft::fact(agent));
    }
    agent.version += 1;
    agent.updated_at = home.now();
    let written = Written::changed(before, agent.clone());
    ops.extend(write(home, &by(member), written).await?);
    Ok(Draft::new(ops, agent))
}

/// Another agent that is the same but for its name.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, exists, invalid.
pub async fn duplicate(
    home: &Home,
    member: &Member,
    name: &str,
    new: &str,
) -> Result<Draft<Agent>, CommandError> {
    let template = AgentTemplate::from(&find(home, name).await?.value);
    let change = Change {
        name: Some(new.to_owned()),
        status: None,
        ..template.into()
    };
    create(home, member, change).await
}

/// The agent as a file, for this person.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn export(home: &Home, reader: Reader<'_>, name: &str) -> Result<String, CommandError> {
    let agent = find(home, name).await?.value;
    history::file(home, reader, &agent).await
}

/// Deletes an agent that was archived before, so that nothing that runs loses it, and on which nothing depends but old
/// conversations.
///
/// # Errors
/// [`Problem`]s: not allowed, not found; invalid, which says what depends on it.
pub async fn delete(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<Agent>, CommandError> {
    configures(member)?;
    let stored = find(home, name).await?;
    in_use::check(home, &stored.value).await?;
    let agent = stored.value.clone();
    let ops = write(home, &by(member), Written::deleted(stored)).await?;
    Ok(Draft::new(ops, agent))
}

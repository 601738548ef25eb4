//! Agents: created, shown, changed, paused, archived, deleted.

use crate::{CommandError, Draft, Home, Problem, audit};
use domain::{
    agent::{Agent, AgentStatus, check_name},
    id::AgentId,
    member::{Deed, Member, Role, may},
    run::Actor,
};
use ports::{
    repo::{self, Stored, settings::Setting},
    store::{Op, StoreError},
};
use serde_json::{Map, Value, json};

/// Bytes of a system prompt; a record holds 32 KiB in all.
const PROMPT_LIMIT: usize = 20 * 1024;
/// Bytes of all of it.
const RECORD_LIMIT: usize = 30 * 1024;

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

/// What can be said about an agent; `None` leaves it as it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Change {
    pub name: Option<String>,
    pub description: Option<String>,
    pub system_prompt: Option<String>,
    /// `provider/model`, or empty for the default one.
    pub model: Option<String>,
    pub fallbacks: Option<Vec<String>>,
    /// A preset's name; the caller knows which there are.
    pub preset: Option<String>,
    pub skills: Option<Vec<String>>,
    pub knowledge_ids: Option<Vec<String>>,
    pub metadata: Option<Map<String, Value>>,
    pub status: Option<AgentStatus>,
}

fn apply(agent: &mut Agent, change: Change) -> Result<(), Problem> {
    if let Some(name) = change.name {
        check_name(&name).map_err(Problem::Invalid)?;
        agent.name = name;
    }
    if let Some(prompt) = change.system_prompt {
        if prompt.len() > PROMPT_LIMIT {
            return Err(Problem::TooLarge {
                what: "system prompt",
                bytes: prompt.len() as u64,
                limit: PROMPT_LIMIT as u64,
            });
        }
        agent.system_prompt = prompt;
    }
    if let Some(model) = change.model {
        let (provider, model) = match model.split_once('/') {
            _ if model.is_empty() => (String::new(), String::new()),
            Some(_) => {
                let model = ports::model::ModelRef::parse(&model).map_err(Problem::Invalid)?;
                (model.provider, model.model)
            }
            None => {
                return Err(Problem::Invalid(format!(
                    "“{model}” is not a model: write provider/model."
                )));
            }
        };
        (agent.provider, agent.model) = (provider, model);
    }
    for fallback in change.fallbacks.iter().flatten() {
        ports::model::ModelRef::parse(fallback).map_err(Problem::Invalid)?;
    }
    agent.fallbacks = change
        .fallbacks
        .unwrap_or_else(|| std::mem::take(&mut agent.fallbacks));
    agent.description = change
        .description
        .unwrap_or_else(|| std::mem::take(&mut agent.description));
    agent.permissions.preset = change
        .preset
        .unwrap_or_else(|| std::mem::take(&mut agent.permissions.preset));
    agent.skills = change
        .skills
        .unwrap_or_else(|| std::mem::take(&mut agent.skills));
    agent.knowledge_ids = change
        .knowledge_ids
        .unwrap_or_else(|| std::mem::take(&mut agent.knowledge_ids));
    agent.metadata = change
        .metadata
        .unwrap_or_else(|| std::mem::take(&mut agent.metadata));
    agent.status = change.status.unwrap_or(agent.status);
    let bytes = serde_json::to_string(agent).map_or(0, |text| text.len());
    if bytes > RECORD_LIMIT {
        let (bytes, limit) = (bytes as u64, RECORD_LIMIT as u64);
        let what = "agent";
        return Err(Problem::TooLarge { what, bytes, limit });
    }
    Ok(())
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
    let name = change.name.clone().unwrap_or_default();
    check_name(&name).map_err(Problem::Invalid)?;
    let mut agent = blank(home, &name);
    let taken = take(home, &name, &agent.id).await?;
    apply(&mut agent, change)?;
    let mut ops = vec![repo::create(&home.team, &agent)?, taken];
    ops.extend(audited(home, member, &agent, "agent.created").await?);
    Ok(Draft::new(ops, agent))
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
    let mut stored = find(home, name).await?;
    let mut ops = Vec::new();
    if let Some(new) = change
        .name
        .as_deref()
        .filter(|new| *new != stored.value.name)
    {
        check_name(new).map_err(Problem::Invalid)?;
        ops.push(take(home, new, &stored.value.id).await?);
    }
    apply(&mut stored.value, change)?;
    stored.value.version += 1;
    stored.value.updated_at = home.now();
    let agent = stored.value.clone();
    ops.push(repo::update(&home.team, &stored)?);
    ops.extend(audited(home, member, &agent, "agent.changed").await?);
    Ok(Draft::new(ops, agent))
}

/// Deletes an agent that was archived before, so that nothing that runs loses it.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, not archived.
pub async fn delete(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<Agent>, CommandError> {
    configures(member)?;
    let stored = find(home, name).await?;
    if stored.value.status != AgentStatus::Archived {
        let text = format!(
            "“{}” is in use: archive it first, then delete it.",
            stored.value.name
        );
        return Err(Problem::Invalid(text).into());
    }
    let mut ops = vec![repo::delete(&home.team, &stored)];
    ops.extend(audited(home, member, &stored.value, "agent.deleted").await?);
    Ok(Draft::new(ops, stored.value))
}

async fn audited(
    home: &Home,
    member: &Member,
    agent: &Agent,
    action: &str,
) -> Result<Vec<Op>, StoreError> {
    let by = format!("member:{}", member.id);
    let deed = audit::deed(action, by, &agent.id, detail(agent));
    audit::append(home, &format!("agent:{}", agent.id), vec![deed]).await
}

fn detail(agent: &Agent) -> Value {
    json!({"name": agent.name, "version": agent.version, "status": agent.status, "preset": agent.permissions.preset})
}

/// Name of the setting that lists the catalog's agents that were made once.
const SEEDED: &str = "seeded_agents";

/// The catalog's agents that the team does not have and never had: for the first start, and for what a newer version brings.
///
/// # Errors
/// What the store answers.
pub async fn seed(
    home: &Home,
    templates: &[catalog::AgentTemplate],
) -> Result<Draft<usize>, CommandError> {
    let setting = repo::get::<Setting>(&*home.store, &home.team, SEEDED).await?;
    let (value, version) = setting.map_or((Value::Null, None), |setting| {
        (setting.value.value, Some(setting.version))
    });
    let mut seeded: Vec<String> = serde_json::from_value(value).unwrap_or_default();
    let known = seeded.len();
    let (mut ops, mut deeds) = (Vec::new(), Vec::new());
    for template in templates {
        if seeded.contains(&template.name) {
            continue;
        }
        seeded.push(template.name.clone());
        if repo::get::<Agent>(&*home.store, &home.team, &template.name)
            .await?
            .is_some()
        {
            continue;
        }
        let mut agent = blank(home, &template.name);
        agent.description.clone_from(&template.description);
        agent.system_prompt.clone_from(&template.system_prompt);
        agent.permissions.preset.clone_from(&template.preset);
        agent.metadata = template.metadata.clone();
        ops.push(repo::create(&home.team, &agent)?);
        let (action, detail) = ("agent.created", detail(&agent));
        deeds.push(audit::deed(action, Actor::System, &agent.id, detail));
    }
    let added = ops.len();
    if added > 0 {
        ops.extend(audit::append(home, "team", deeds).await?);
    }
    if seeded.len() > known {
        let (name, value) = (SEEDED.to_owned(), json!(seeded));
        ops.push(repo::put(&home.team, &Setting { name, value }, version)?);
    }
    Ok(Draft::new(ops, added))
}

//! What depends on an agent that is to be deleted.

use crate::{CommandError, Home, Problem, queries, rules};
use domain::{
    agent::{Agent, AgentStatus},
    budget::{self, Budget},
    id::short,
    permission::Scope,
    session::Session,
};
use ports::repo;

/// Conversations that are counted; beyond, it is “many”.
const MANY: u32 = 50;

/// # Errors
/// [`Problem::Invalid`] with all that is in the way.
pub async fn check(home: &Home, agent: &Agent) -> Result<(), CommandError> {
    let name = &agent.name;
    let mut uses = working(home, agent).await?;
    let rules = rules::list(home).await?;
    let about = |scope: &Scope| matches!(scope, Scope::Agent(id) if *id == agent.id);
    for rule in rules.iter().filter(|rule| about(&rule.scope)) {
        let id = short(rule.id.as_str());
        uses.push(format!("the rule “{rule}” (/rules remove {id})"));
    }
    let scope = budget::Scope::Agent(agent.id.clone()).to_string();
    if repo::get::<Budget>(&*home.store, &home.team, &scope)
        .await?
        .is_some()
    {
        uses.push(format!("a budget (/budget agent {name} off)"));
    }
    let archived = agent.status == AgentStatus::Archived;
    if !archived {
        // These are told when somebody writes there; nothing is lost by that.
        uses.extend(conversations(home, agent).await?);
    }
    let first = if archived {
        ""
    } else {
        "archive it first, then delete it"
    };
    let why = match uses.is_empty() {
        true if archived => return Ok(()),
        true => format!("“{name}” is in use: {first}."),
        false if archived => format!("“{name}” is in use by {}.", uses.join(", ")),
        false => format!("“{name}” is in use by {}: {first}.", uses.join(", ")),
    };
    Err(Problem::Invalid(why).into())
}

async fn working(home: &Home, agent: &Agent) -> Result<Vec<String>, CommandError> {
    let mut runs = queries::active(home).await?;
    runs.retain(|run| run.agent == agent.id);
    let named = |run: &domain::run::RunSummary| {
        let id = short(run.id.as_str());
        format!("run {id} (/cancel {id})")
    };
    Ok(runs.iter().map(named).collect())
}

async fn conversations(home: &Home, agent: &Agent) -> Result<Option<String>, CommandError> {
    let mut query = repo::by::<Session>(&home.team, "by_agent", agent.id.as_str());
    query.limit = MANY;
    let (sessions, more) = repo::page::<Session>(&*home.store, query).await?;
    Ok(match (sessions.len(), more) {
        (0, _) => None,
        (_, Some(_)) => Some("many conversations".to_owned()),
        (1, None) => Some("1 conversation".to_owned()),
        (n, None) => Some(format!("{n} conversations")),
    })
}

//! What can be said about an agent, and its checks.

use catalog::AgentTemplate;
use domain::agent::{Agent, AgentStatus, check_name};
use ports::Problem;
use serde_json::{Map, Value};

/// Bytes of a system prompt; a record holds 32 KiB in all.
const PROMPT_LIMIT: usize = 20 * 1024;
/// Bytes of all of it; its versions hold it with who and when.
const RECORD_LIMIT: usize = 30 * 1024;
/// Names that stand for something else after `/agent`.
const RESERVED: [&str; 3] = ["new", "history", "undo"];

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

pub(super) fn apply(agent: &mut Agent, change: Change) -> Result<(), Problem> {
    if let Some(name) = change.name {
        rename(agent, name)?;
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

fn rename(agent: &mut Agent, name: String) -> Result<(), Problem> {
    if name != agent.name {
        check_new(&name)?;
    }
    agent.name = name;
    Ok(())
}

/// A name that an agent is about to get.
pub(super) fn check_new(name: &str) -> Result<(), Problem> {
    check_name(name).map_err(Problem::Invalid)?;
    if RESERVED.contains(&name) {
        let why = format!("“{name}” can’t be an agent’s name: it is a word of the command /agent.");
        return Err(Problem::Invalid(why));
    }
    Ok(())
}

impl From<AgentTemplate> for Change {
    fn from(template: AgentTemplate) -> Self {
        Self {
            name: Some(template.name),
            description: Some(template.description),
            system_prompt: Some(template.system_prompt),
            model: Some(template.model),
            fallbacks: Some(template.fallbacks),
            preset: Some(template.preset),
            skills: Some(template.skills),
            knowledge_ids: Some(template.knowledge),
            metadata: Some(template.metadata),
            status: Some(template.status),
        }
    }
}

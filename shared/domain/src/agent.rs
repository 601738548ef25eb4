//! An agent: who it is, what it is told, which model it uses and what it may do.

use crate::{
    Micros,
    id::{AgentId, CollectionId},
    permission::Permissions,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Agent {
    pub id: AgentId,
    /// What people type: 1 to 40 of `a-z 0-9 -`, unique in the team.
    pub name: String,
    pub description: String,
    pub system_prompt: String,
    /// Model name without its provider; empty means the process's default model.
    #[serde(default)]
    pub model: String,
    /// `anthropic`, `openai`, `openrouter`, `ollama`, `rehearsal`; empty means the process's default.
    #[serde(default)]
    pub provider: String,
    /// `provider/model`, tried in order when the first does not answer.
    #[serde(default)]
    pub fallbacks: Vec<String>,
    #[serde(default)]
    pub skills: Vec<String>,
    #[serde(default)]
    pub knowledge_ids: Vec<String>,
    #[serde(default)]
    pub permissions: Permissions,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub status: AgentStatus,
    /// Counts the changes; an approval names the version that asked.
    #[serde(default)]
    pub version: u64,
    pub created_at: Micros,
    pub updated_at: Micros,
}

impl Agent {
    /// The collections that it may look things up in.
    #[must_use]
    pub fn knowledge(&self) -> Vec<CollectionId> {
        let ids = self.knowledge_ids.iter();
        ids.map(|id| id.as_str().into()).collect()
    }

    /// `provider/model`, its own and then the fallbacks; none where it takes the process's default.
    #[must_use]
    pub fn models(&self) -> Vec<String> {
        let mut models = self.fallbacks.clone();
        if !self.provider.is_empty() && !self.model.is_empty() {
            models.insert(0, format!("{}/{}", self.provider, self.model));
        }
        models
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    #[default]
    Active,
    /// Starts no new runs; what waits may go on.
    Paused,
    /// Gone from the lists; nothing of it runs any more.
    Archived,
}

/// Why a name is refused, as a sentence for people.
///
/// # Errors
/// The sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-');
    if fits {
        Ok(())
    } else {
        Err(format!(
            "“{name}” is not a name: use 1 to 40 of a-z, 0-9 and -, not starting with -."
        ))
    }
}

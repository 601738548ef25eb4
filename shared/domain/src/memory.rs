//! What is remembered beyond a conversation's turns: a Markdown text for each conversation, each agent and each member.

use crate::{
    Micros,
    id::{AgentId, MemberId, SessionId},
    run::Actor,
};
use serde::{Deserialize, Serialize};

/// Bytes of one memory: each enters the prompts of its runs whole.
pub const MEMORY_LIMIT: usize = 6 * 1024;

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Memory {
    /// [`Layer::key`].
    pub id: String,
    /// Markdown, at most [`MEMORY_LIMIT`] bytes.
    pub text: String,
    /// Where content from outside came from that stands in it: who reads it is tainted by that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taint: Vec<String>,
    pub updated_by: Actor,
    pub updated_at: Micros,
}

/// Whose memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Layer {
    /// This conversation's, until the next one begins here.
    Session(SessionId),
    /// For whoever talks to the agent.
    Agent(AgentId),
    /// For whichever agent talks to this person, and for nobody else.
    Member(MemberId),
}

impl Layer {
    /// The id of its record.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Session(id) => format!("session:{id}"),
            Self::Agent(id) => format!("agent:{id}"),
            Self::Member(id) => format!("member:{id}"),
        }
    }

    /// What people, models and rules call it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Agent(_) => "agent",
            Self::Member(_) => "member",
        }
    }
}

//! Servers of tools: asked what they offer, and called. They are started or reached when they are first needed, looked at before they are
//! used again, started anew when they died, and let go when nobody has needed them for a while.

use crate::sandbox::Cancel;
use domain::{
    elicitation::{Elicitation, Given},
    mcp::{McpServer, McpTool},
};
use serde_json::{Map, Value};
use std::{path::Path, time::Duration};

/// From its start until a server has said what it is and which tools it has.
pub const START_LIMIT: Duration = Duration::from_secs(30);
/// One call.
pub const CALL_LIMIT: Duration = Duration::from_secs(120);
/// Bytes of one message of a server. What is larger isn't read, and ends the connection.
pub const MESSAGE_LIMIT: usize = 4 << 20;
/// Messages that a server may send in between two calls and during one. After these the connection is ended.
pub const FLOOD_LIMIT: u64 = 10_000;

/// What a server says that it has.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Offer {
    /// Its own name and version, and the protocol's: `memory 0.6.3, 2025-11-25`.
    pub says: String,
    /// By name, [`domain::mcp::TOOLS`] at most.
    pub tools: Vec<McpTool>,
    /// What it offers besides and nobody can use: name and why, for people.
    pub left_out: Vec<String>,
}

/// A call of a tool that a person agreed to.
#[derive(Clone, PartialEq, Debug)]
pub struct McpCall {
    /// As it was agreed to. Where the server has another one of that name, nothing is called.
    pub tool: McpTool,
    pub arguments: Map<String, Value>,
    /// What people answered to what the server asked in earlier attempts at this call: given where it asks the same.
    pub answers: Vec<Given>,
}

/// What came of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct McpAnswer {
    /// Texts as they are; what is no text is named.
    pub text: String,
    /// `false` where the server said that it failed.
    pub ok: bool,
    /// What the server offers now, where it has said so since the last call.
    pub offer: Option<Offer>,
    /// What the server asked a person and nobody has answered, if it may ask (`McpServer::elicitation`). It was told that nobody
    /// answers now (`cancel`), and the rest is what it made of that.
    pub asks: Option<Elicitation>,
}

#[derive(thiserror::Error, Clone, PartialEq, Debug)]
pub enum McpError {
    /// Nothing was called. A sentence without its period: what is wrong, and what to do.
    #[error("{0}")]
    Unavailable(String),
    /// Nothing was called: the tool isn't what was agreed to, or is gone.
    #[error("the tool is not what was approved")]
    Changed(Offer),
    /// Nothing was called: the arguments or an answer hold a secret.
    #[error("its arguments or an answer hold a secret, so it was not called")]
    HoldsSecret,
    /// It was called, and answered more than is read.
    #[error("it answered with more than {} MiB, which is not read", MESSAGE_LIMIT >> 20)]
    TooLarge,
    /// It was called, and nobody knows what came of it.
    #[error("{0}")]
    Unknown(String),
}

#[async_trait::async_trait]
pub trait Mcp: Send + Sync {
    /// Everything that it offers now. `place` is the directory that a server sees as its workspace, if it runs in the sandbox; without one it gets
    /// one of its own. A server that a directory has is that directory's alone.
    async fn tools(&self, server: &McpServer, place: Option<&Path>) -> Result<Offer, McpError>;

    /// One call. Whoever drops the future, or raises `cancel`, doesn't know what came of it.
    async fn call(
        &self,
        server: &McpServer,
        place: Option<&Path>,
        call: &McpCall,
        cancel: &Cancel,
    ) -> Result<McpAnswer, McpError>;
}

//! Tools as the engine sees them: a name, a schema for the model, and what a crash in the middle means.

use crate::{Digest, id::CallId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What may be done again when nobody knows whether it happened.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum ToolClass {
    /// Changes nothing: repeated after a crash.
    Read,
    /// Changes something, but twice is the same as once: repeated after a crash.
    Idempotent,
    /// Twice is not once: after a crash a person is asked.
    Effect,
}

/// What a model is told about a tool.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub schema: Value,
    pub class: ToolClass,
    /// Whether its effects reach beyond the run's workspace (the network, a person's mail); a tainted run asks for these.
    pub leaves_workspace: bool,
}

/// A call that a model proposed.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct ToolCall {
    pub id: CallId,
    pub name: String,
    /// An object; `Null` when `malformed` is set.
    pub arguments: Value,
    /// The model's text and the parser's complaint, when the arguments were not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub malformed: Option<String>,
}

impl ToolCall {
    /// Two calls with the same tool and arguments have the same digest.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&(&self.name, &self.arguments, &self.malformed))
            .unwrap_or_else(|_| Digest::of_bytes(&self.name))
    }

    /// A text argument, if there is one of that name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).and_then(Value::as_str)
    }
}

//! A language model, asked once: messages in, text and tool calls out, streamed on the way.

use domain::{
    MicroUsd, Usage,
    message::Message,
    tokens,
    tool::{ToolCall, ToolSpec},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// `provider/model`, e.g. `anthropic/claude-sonnet-4-5`. The model's own name may contain further slashes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct ModelRef {
    pub provider: String,
    pub model: String,
}

impl ModelRef {
    /// # Errors
    /// A sentence for people, when the text is not `provider/model`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((provider, model)) if !provider.is_empty() && !model.is_empty() => Ok(Self {
                provider: provider.to_owned(),
                model: model.to_owned(),
            }),
            _ => Err(format!(
                "“{text}” is not a model: write provider/model, such as anthropic/claude-sonnet-4-5."
            )),
        }
    }
}

impl std::fmt::Display for ModelRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

/// One request. From step to step of a run `system`, `tools` and the beginning of `messages` are byte-identical, so that a
/// provider's prompt cache is used; adapters mark the end of the prefix where the provider wants a mark.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// The model's name without its provider.
    pub model: String,
    pub system: String,
    /// Every `Content` in it is inline: the caller has fetched what was stored elsewhere.
    pub messages: Vec<Message>,
    pub tools: Vec<ToolSpec>,
    pub max_output_tokens: u32,
    /// For the whole call, the stream included.
    pub timeout: Duration,
}

impl ModelRequest {
    /// Bytes of what it says, from which its tokens can be estimated.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let message = |message: &Message| match message {
            Message::User { text } | Message::Tool { output: text, .. } => text.bytes(),
            Message::Assistant { text, calls } => {
                let call = |call: &ToolCall| call.name.len() + call.arguments.to_string().len();
                text.bytes() + calls.iter().map(call).sum::<usize>() as u64
            }
        };
        let messages: u64 = self.messages.iter().map(message).sum();
        let tools: u64 = self.tools.iter().map(tokens::bytes).sum();
        self.system.len() as u64 + messages + tools
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct ModelReply {
    pub text: String,
    /// Ids as the provider gave them; arguments that are not JSON are in `malformed`.
    pub calls: Vec<ToolCall>,
    pub usage: Usage,
    /// By the price table; zero for a model without a price (local ones), in which case `priced` is false.
    pub cost: MicroUsd,
    pub priced: bool,
    /// The reply was cut at `max_output_tokens`.
    pub truncated: bool,
}

#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum ModelError {
    #[error("the key was refused: {0}")]
    Unauthorized(String),
    #[error("too many requests")]
    RateLimited { retry_after: Option<Duration> },
    #[error("the provider is overloaded or failing ({0})")]
    Unavailable(String),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The request did not go out.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Repeating won't help.
    #[error("the request was refused: {0}")]
    Refused(String),
    #[error("the conversation is longer than the model's window: {0}")]
    TooLong(String),
    #[error("the provider's answer could not be understood: {0}")]
    Garbled(String),
}

impl ModelError {
    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Unavailable(_)
                | Self::Unreachable(_)
                | Self::TimedOut(_)
                | Self::Broken(_)
                | Self::Garbled(_)
        )
    }

    /// Whether the provider may have worked for the request all the same, and charge for it.
    #[must_use]
    pub fn may_cost(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Broken(_) | Self::Garbled(_))
    }
}

/// Called with each piece of text as it arrives.
pub type OnText<'a> = &'a mut (dyn FnMut(&str) + Send);

#[async_trait::async_trait]
pub trait Model: Send + Sync {
    /// Asks once; no retries inside.
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: OnText<'_>,
    ) -> Result<ModelReply, ModelError>;

    /// What the request may cost at most, to be reserved before it is sent; zero without a price.
    fn ceiling(&self, request: &ModelRequest) -> MicroUsd;

    /// Tokens that a request and its reply have together; where nothing is known, as many as small models have.
    fn window(&self, _model: &str) -> u64 {
        8_192
    }

    /// Whether it is known what this model costs, by its name without the provider. Nothing is a price, too.
    fn is_priced(&self, model: &str) -> bool;
}

/// The providers that are configured, by name, and which model an agent without a wish gets.
#[derive(Clone)]
pub struct Models {
    pub providers: BTreeMap<String, Arc<dyn Model>>,
    pub default: ModelRef,
    /// What `tier/fast` and `tier/strong` stand for, by the word after [`TIER`]; the default one where nothing is said.
    pub tiers: BTreeMap<String, ModelRef>,
}

/// In the place of a provider: the model is one of this process's for that kind of work.
pub const TIER: &str = "tier";

impl Models {
    /// Which model a name means here.
    #[must_use]
    pub fn resolve(&self, name: ModelRef) -> ModelRef {
        match name.provider.as_str() {
            TIER => self.tiers.get(&name.model).unwrap_or(&self.default).clone(),
            _ => name,
        }
    }
}

//! Models over HTTP, in the two dialects that nearly all of them speak: Anthropic's Messages and OpenAI's Chat Completions
//! (OpenAI, OpenRouter, Ollama, llama.cpp, vLLM).
//!
//! A request travels: [`anthropic`] or [`openai`] write the body → [`call`] sends it, guards its time and its size, and
//! turns what goes wrong into a `ModelError` ([`failure`]) → the dialect's stream puts the pieces together → [`prices`]
//! says what it cost. [`probe`] is for `doctor`.
//!
//! A key is in a `SecretString`, goes into one header that is marked as sensitive, follows no redirect, and is cut out of
//! every text that a server sends back. The process must have installed rustls' ring provider before [`HttpModel::new`].

mod anthropic;
mod call;
mod endpoint;
mod failure;
mod openai;
pub mod prices;
mod probe;
mod reply;
mod wire;

use crate::{call::Caller, endpoint::Endpoint, prices::Price};
use async_trait::async_trait;
use domain::MicroUsd;
use ports::model::{Model, ModelError, ModelReply, ModelRequest, OnText};

pub use probe::detect_ollama;
pub use secrecy::SecretString;

/// Where the providers are when nobody says otherwise.
pub const ANTHROPIC: &str = "https://api.anthropic.com";
pub const OPENAI: &str = "https://api.openai.com/v1";
pub const OPENROUTER: &str = "https://openrouter.ai/api/v1";
pub const OLLAMA: &str = "http://127.0.0.1:11434/v1";

/// How a server wants to be spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `POST …/v1/messages`.
    Anthropic,
    /// `POST …/chat/completions`.
    OpenAi,
}

/// Why a model could not be set up. None of the texts holds the key.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum SetupError {
    #[error("the base URL {0}")]
    BaseUrl(String),
    #[error("the key holds characters that no key has; was it pasted with something else?")]
    Key,
    #[error("no TLS client: {0}")]
    Client(String),
}

/// One provider at one base URL. Cheap to share, holds a pool of connections.
pub struct HttpModel {
    dialect: Dialect,
    /// Names the rows of the price table: `anthropic`, `openai`, `openrouter`, `ollama`.
    provider: String,
    caller: Caller,
}

impl HttpModel {
    /// `base_url` may or may not end with `/v1`. A server without keys (Ollama, llama.cpp) gets `None`.
    ///
    /// # Errors
    /// See [`SetupError`]; nothing is sent yet.
    pub fn new(
        dialect: Dialect,
        provider: impl Into<String>,
        base_url: &str,
        key: Option<SecretString>,
    ) -> Result<Self, SetupError> {
        let endpoint = Endpoint::parse(dialect, base_url)?;
        Ok(Self {
            dialect,
            provider: provider.into(),
            caller: Caller::new(endpoint, key)?,
        })
    }

    /// True when key and conversations go unencrypted to a host that is neither this machine nor in a private network; for
    /// a warning, since whoever gives such a URL may have their reasons.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.caller.endpoint.is_exposed()
    }

    /// The names of the models that the server offers, which costs nothing and tells whether the key works.
    ///
    /// # Errors
    /// As [`Model::complete`], within 5 seconds.
    pub async fn probe(&self) -> Result<Vec<String>, ModelError> {
        probe::list_models(&self.caller, self.dialect).await
    }

    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelError> {
        match self.dialect {
            Dialect::Anthropic => anthropic::body(request),
            Dialect::OpenAi => openai::body(request, self.caller.endpoint.is_openai()),
        }
    }

    fn price(&self, request: &ModelRequest) -> Option<&'static Price> {
        prices::lookup(&self.provider, &request.model)
    }
}

#[async_trait]
impl Model for HttpModel {
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: OnText<'_>,
    ) -> Result<ModelReply, ModelError> {
        let body = self.body(request)?;
        let sent_bytes = body.len() as u64;
        let answer = async {
            let events = self.caller.post(self.dialect, body).await?;
            match self.dialect {
                Dialect::Anthropic => anthropic::read(events, on_text).await,
                Dialect::OpenAi => openai::read(events, request, on_text).await,
            }
        };
        let spoken = tokio::time::timeout(request.timeout, answer)
            .await
            .map_err(|_| ModelError::TimedOut(request.timeout))?
            .map_err(|error| self.caller.redact(error))?;
        let price = self.price(request);
        let usage = spoken.usage(sent_bytes);
        tracing::debug!(
            provider = self.provider,
            model = request.model,
            input = usage.input,
            output = usage.output,
            cache_read = usage.cache_read,
            "model replied"
        );
        Ok(ModelReply {
            cost: price.map_or(MicroUsd::ZERO, |price| price.cost(&usage)),
            priced: price.is_some(),
            usage,
            truncated: spoken.truncated,
            text: spoken.text,
            calls: spoken.calls,
        })
    }

    fn ceiling(&self, request: &ModelRequest) -> MicroUsd {
        let Some(price) = self.price(request) else {
            return MicroUsd::ZERO;
        };
        // A request that can't be written is never sent.
        let bytes = self.body(request).map_or(0, |body| body.len() as u64);
        price.ceiling(bytes, request.max_output_tokens)
    }

    /// Of hosted models the smallest that their providers' current families have; a local one has what its server was given, which is
    /// little unless somebody saw to it.
    fn window(&self, _: &str) -> u64 {
        match self.provider.as_str() {
            "anthropic" => 200_000,
            "openai" | "openrouter" => 128_000,
            _ => 8_192,
        }
    }

    fn is_priced(&self, model: &str) -> bool {
        prices::lookup(&self.provider, model).is_some()
    }
}

impl std::fmt::Debug for HttpModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "HttpModel({} at {})",
            self.provider, self.caller.endpoint
        )
    }
}

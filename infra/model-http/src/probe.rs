//! Whether a provider is there and its key works, for `doctor` and for finding a local Ollama.

use crate::{Dialect, call::Caller, endpoint::Endpoint, failure};
use ports::model::ModelError;
use serde::Deserialize;
use std::time::Duration;

const PROBE: Duration = Duration::from_secs(5);
/// At the start of the program, where nobody should wait for what isn't there.
const DETECT: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Listed {
    data: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// `GET …/models`, which both dialects have.
pub async fn list_models(caller: &Caller, dialect: Dialect) -> Result<Vec<String>, ModelError> {
    let asked = caller.get(dialect, caller.endpoint.join("models"));
    let body = tokio::time::timeout(PROBE, asked)
        .await
        .map_err(|_| ModelError::TimedOut(PROBE))?
        .map_err(|error| caller.redact(error))?;
    let listed: Listed =
        serde_json::from_str(&body).map_err(|error| failure::garbled(&body, &error))?;
    Ok(listed.data.into_iter().map(|model| model.id).collect())
}

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

/// The models of the Ollama at `base_url` (with or without `/v1`), or `None` when none answers within half a second.
pub async fn detect_ollama(base_url: &str) -> Option<Vec<String>> {
    let endpoint = Endpoint::parse(Dialect::OpenAi, base_url).ok()?;
    let caller = Caller::new(endpoint, None).ok()?;
    let asked = caller.get(Dialect::OpenAi, caller.endpoint.beside("api/tags"));
    let body = tokio::time::timeout(DETECT, asked).await.ok()?.ok()?;
    let tags: Tags = serde_json::from_str(&body).ok()?;
    Some(tags.models.into_iter().map(|tag| tag.name).collect())
}

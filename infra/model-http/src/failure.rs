//! What a server says when it doesn't answer, as a `ModelError`. Servers agree on the status and on little else, so the
//! words are looked at too where the status leaves open what to do.

use ports::model::ModelError;
use reqwest::{StatusCode, header::HeaderMap};
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Of a server's text, in bytes, that goes into an error.
const TEXT_BYTES: usize = 300;

/// The error object of either dialect. `code` is a text with OpenAI and a status with OpenRouter.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Told {
    r#type: Option<String>,
    code: Value,
    message: String,
}

impl Told {
    /// From an error response's body: `{"error": {…}}`, Ollama's `{"error": "…"}`, a bare object, or any text.
    pub fn from_body(body: &str) -> Self {
        let plain = || Self {
            message: body.to_owned(),
            ..Self::default()
        };
        let Ok(mut value) = serde_json::from_str::<Value>(body) else {
            return plain();
        };
        let inner = value.get_mut("error").map(Value::take).unwrap_or(value);
        Self::from_value(inner)
            .filter(|told| !told.message.is_empty())
            .unwrap_or_else(plain)
    }

    pub fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::String(message) => Some(Self {
                message,
                ..Self::default()
            }),
            value => serde_json::from_value(value).ok(),
        }
    }

    /// `status` as the response had it; in the middle of a stream there is none but in `code`.
    pub fn into_model_error(self, status: Option<StatusCode>) -> ModelError {
        let kind = format!(
            "{} {}",
            self.r#type.as_deref().unwrap_or_default(),
            self.code
        )
        .to_lowercase();
        let message = self.message.to_lowercase();
        let status = status
            .map(|status| status.as_u16())
            .or_else(|| self.code.as_u64()?.try_into().ok());
        let text = shorten(&self.message);
        let says = |words: &[&str]| words.iter().any(|word| kind.contains(word));
        let too_long = TOO_LONG
            .iter()
            .any(|words| kind.contains(words) || message.contains(words));
        match status {
            Some(401 | 403) => ModelError::Unauthorized(text),
            // An account without money is told apart from one in a hurry: waiting doesn't help.
            Some(429) | None if says(&["insufficient_quota", "billing"]) => {
                ModelError::Refused(text)
            }
            Some(429) => ModelError::RateLimited { retry_after: None },
            Some(413) => ModelError::TooLong(text),
            Some(400..=499) if too_long => ModelError::TooLong(text),
            Some(408) => ModelError::Unavailable(text),
            Some(400..=499) => ModelError::Refused(text),
            Some(500..) => ModelError::Unavailable(text),
            _ if says(&["authentication", "permission", "invalid_api_key"]) => {
                ModelError::Unauthorized(text)
            }
            _ if says(&["rate_limit"]) => ModelError::RateLimited { retry_after: None },
            _ if too_long => ModelError::TooLong(text),
            _ if says(&["invalid_request", "not_found"]) => ModelError::Refused(text),
            _ => ModelError::Unavailable(text),
        }
    }
}

/// How servers say that a conversation is too long: Anthropic, OpenAI, vLLM, llama.cpp, OpenRouter.
const TOO_LONG: [&str; 6] = [
    "prompt is too long",
    "context_length_exceeded",
    "maximum context length",
    "exceed_context_size",
    "exceed context limit",
    "context window",
];

/// An error response: its status, what its headers say about when, and its body.
pub fn of_response(status: StatusCode, headers: &HeaderMap, body: &str) -> ModelError {
    if status.is_redirection() {
        // Not followed: it would carry the key to a host that nobody named.
        return ModelError::Refused(format!(
            "the server redirects ({status}); give the base URL that it redirects to"
        ));
    }
    let mut told = Told::from_body(body);
    if told.message.trim().is_empty() {
        told.message = status.to_string();
    }
    match told.into_model_error(Some(status)) {
        ModelError::RateLimited { .. } => ModelError::RateLimited {
            retry_after: retry_after(headers, SystemTime::now()),
        },
        other => other,
    }
}

/// `Retry-After` in seconds or as a date. A date is compared with the server's own clock where it tells it.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let after = text("retry-after")?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = httpdate::parse_http_date(after).ok()?;
    let now = text("date")
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .unwrap_or(now);
    Some(then.duration_since(now).unwrap_or_default())
}

/// What arrived is not what the dialect promises.
pub fn garbled(data: &str, error: &serde_json::Error) -> ModelError {
    ModelError::Garbled(format!("{error} in “{}”", shorten(data)))
}

/// One line, without control characters, of a bounded length.
pub fn shorten(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let mut line = String::new();
    for word in text
        .chars()
        .take(4 * TEXT_BYTES)
        .map(printable)
        .collect::<String>()
        .split_whitespace()
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let short = domain::content::prefix(&line, TEXT_BYTES);
    if short.len() < line.len() {
        format!("{short}…")
    } else {
        line
    }
}

#[cfg(test)]
mod tests;

//! The answer in chunks. Servers differ in how they cut calls: by index, all at index 0, whole in one chunk, without ids,
//! with arguments as an object. All of these are put together here.

use crate::{
    call::Events,
    failure::{self, Told},
    reply::{self, Spoken},
};
use domain::{Usage, message::Message};
use ports::model::{ModelError, ModelRequest, OnText};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Counted>,
    /// In the middle of a stream (OpenRouter, llama.cpp, vLLM).
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    /// `message` in an answer that is not streamed.
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Piece>>,
}

#[derive(Deserialize)]
struct Piece {
    index: Option<u64>,
    id: Option<String>,
    function: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
}

#[derive(Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    written: String,
}

#[derive(Default)]
struct Assembly {
    text: String,
    calls: Vec<Call>,
    counted: Option<Usage>,
    finish_reason: Option<String>,
    choices_seen: bool,
    done: bool,
}

/// Reads to the end of the answer. `request` numbers the calls of a server that gives them no ids.
///
/// # Errors
/// `Broken` when the stream ends before a `finish_reason`, `Garbled` for what is no chunk, and what an error chunk says.
pub async fn read(
    mut events: Events,
    request: &ModelRequest,
    on_text: OnText<'_>,
) -> Result<Spoken, ModelError> {
    let mut assembly = Assembly::default();
    while !assembly.done {
        match events.next().await {
            Ok(Some(data)) => assembly.take(&data, on_text)?,
            Ok(None) if assembly.finish_reason.is_none() => return Err(events.ended_early()),
            Err(error) if assembly.finish_reason.is_none() => return Err(error),
            // Only the closing `[DONE]`, and perhaps the usage, is missing.
            Ok(None) | Err(_) => break,
        }
    }
    assembly.finish(request)
}

impl Assembly {
    fn take(&mut self, data: &str, on_text: OnText<'_>) -> Result<(), ModelError> {
        if data.trim() == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|error| failure::garbled(data, &error))?;
        if let Some(error) = chunk.error {
            return Err(Told::from_value(error)
                .unwrap_or_default()
                .into_model_error(None));
        }
        if let Some(counted) = chunk.usage {
            self.counted = Some(counted.into());
        }
        // Only one answer was asked for.
        let Some(choice) = chunk.choices.into_iter().next() else {
            return Ok(());
        };
        self.choices_seen = true;
        if let Some(delta) = choice.delta {
            for text in [delta.content, delta.refusal]
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
            {
                self.text.push_str(&text);
                on_text(&text);
            }
            for piece in delta.tool_calls.unwrap_or_default() {
                self.add(piece);
            }
        }
        self.finish_reason = choice
            .finish_reason
            .filter(|reason| !reason.is_empty())
            .or(self.finish_reason.take());
        Ok(())
    }

    fn add(&mut self, piece: Piece) {
        let id = piece.id.unwrap_or_default();
        let function = piece.function.unwrap_or(Named {
            name: None,
            arguments: Value::Null,
        });
        let name = function.name.unwrap_or_default();
        let at = self.place(piece.index, &id, &name);
        let Some(call) = self.calls.get_mut(at) else {
            return;
        };
        if call.id.is_empty() {
            call.id = id;
        }
        // Some servers repeat the name with every piece.
        if call.name.is_empty() {
            call.name = name;
        }
        match function.arguments {
            Value::Null => {}
            Value::String(text) => call.written.push_str(&text),
            whole => call.written.push_str(&whole.to_string()),
        }
    }

    /// Which call a piece belongs to; a new one when it begins one. A new id at a known index is a new call, from servers
    /// that put everything at index 0; without an index, a name begins a call and anything else continues the last.
    fn place(&mut self, index: Option<u64>, id: &str, name: &str) -> usize {
        let known = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index),
            None if !id.is_empty() => self.calls.iter().rposition(|call| call.id == id),
            None if !name.is_empty() => None,
            None => self.calls.len().checked_sub(1),
        };
        let same = |at: &usize| {
            let before = self
                .calls
                .get(*at)
                .map(|call| call.id.as_str())
                .unwrap_or_default();
            id.is_empty() || before.is_empty() || id == before
        };
        known.filter(same).unwrap_or_else(|| {
            self.calls.push(Call {
                index,
                ..Call::default()
            });
            self.calls.len() - 1
        })
    }

    fn finish(self, request: &ModelRequest) -> Result<Spoken, ModelError> {
        if !self.choices_seen {
            return Err(ModelError::Garbled("an answer without a choice".to_owned()));
        }
        let reason = self.finish_reason.unwrap_or_default();
        if reason == "content_filter" && self.text.is_empty() && self.calls.is_empty() {
            return Err(ModelError::Refused(
                "the provider's content filter withheld the answer".to_owned(),
            ));
        }
        if reason == "error" {
            return Err(ModelError::Unavailable(
                "the provider failed in the middle of the reply".to_owned(),
            ));
        }
        let before = calls_so_far(&request.messages);
        let calls = self
            .calls
            .into_iter()
            .zip(before + 1..)
            .map(|(call, number)| {
                let id = if call.id.is_empty() {
                    format!("call-{number}")
                } else {
                    call.id
                };
                reply::call(id, call.name, &call.written)
            });
        Ok(Spoken {
            calls: calls.collect(),
            text: self.text,
            counted: self.counted,
            truncated: reason == "length",
        })
    }
}

impl From<Counted> for Usage {
    /// Here the cached tokens are counted among the prompt's.
    fn from(counted: Counted) -> Self {
        let cached = counted
            .prompt_tokens_details
            .and_then(|details| details.cached_tokens)
            .unwrap_or(0);
        Self {
            input: counted.prompt_tokens.saturating_sub(cached),
            output: counted.completion_tokens,
            cache_read: cached.min(counted.prompt_tokens),
            cache_write: 0,
        }
    }
}

/// Numbers by the conversation are unique in it, and the same after a restart.
fn calls_so_far(messages: &[Message]) -> usize {
    let count = |message: &Message| match message {
        Message::Assistant { calls, .. } => calls.len(),
        _ => 0,
    };
    messages.iter().map(count).sum()
}

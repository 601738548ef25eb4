//! OpenAI's Chat Completions, as OpenAI, OpenRouter, Ollama, llama.cpp and vLLM understand it: what is sent. What comes
//! back is in [`stream`].
//!
//! **Caching** needs no marks: these servers find the longest prefix that they have seen by themselves. What is sent is
//! the same bytes from step to step, whichever process writes it.

mod stream;

use crate::wire;
use domain::message::Message;
use ports::model::{ModelError, ModelRequest};
use serde::Serialize;
use serde_json::value::RawValue;

pub use stream::read;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    /// OpenAI's own name for the limit, which its newer models insist on.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    /// The older name, which everybody else understands.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    messages: Vec<Turn<'a>>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum Turn<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        /// `null` beside calls when nothing was said.
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    Tool {
        tool_call_id: String,
        content: String,
    },
}

#[derive(Serialize)]
struct Call<'a> {
    id: String,
    r#type: &'static str,
    function: Called<'a>,
}

/// The arguments are a text that holds JSON.
#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: String,
}

/// The request's body. `official` is OpenAI itself.
///
/// # Errors
/// `Refused` when the conversation cannot be written.
pub fn body(request: &ModelRequest, official: bool) -> Result<Vec<u8>, ModelError> {
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if !request.system.trim().is_empty() {
        messages.push(Turn::System {
            content: &request.system,
        });
    }
    for message in &request.messages {
        messages.push(turn(message)?);
    }
    let tools = request.tools.iter().map(|spec| {
        Ok(Tool {
            r#type: "function",
            function: Function {
                name: &spec.name,
                description: &spec.description,
                parameters: wire::canonical(&spec.schema)?,
            },
        })
    });
    let body = Body {
        model: &request.model,
        max_completion_tokens: official.then_some(request.max_output_tokens),
        max_tokens: (!official).then_some(request.max_output_tokens),
        stream: true,
        stream_options: StreamOptions {
            include_usage: true,
        },
        tools: tools.collect::<Result<_, ModelError>>()?,
        messages,
    };
    serde_json::to_vec(&body).map_err(|error| wire::unwritable(&error))
}

fn turn(message: &Message) -> Result<Turn<'_>, ModelError> {
    Ok(match message {
        Message::User { text } => Turn::User {
            content: wire::text(text)?,
        },
        Message::Assistant { text, calls } => {
            let content = wire::text(text)?;
            let tool_calls = calls.iter().map(|call| {
                Ok(Call {
                    id: wire::id(&call.id),
                    r#type: "function",
                    function: Called {
                        name: &call.name,
                        arguments: wire::arguments(call)?.get().to_owned(),
                    },
                })
            });
            Turn::Assistant {
                content: Some(content).filter(|content| !content.is_empty() || calls.is_empty()),
                tool_calls: tool_calls.collect::<Result<_, ModelError>>()?,
            }
        }
        // This dialect has no field for a failure.
        Message::Tool {
            call, output, ok, ..
        } => Turn::Tool {
            tool_call_id: wire::id(call),
            content: format!(
                "{}{}",
                if *ok { "" } else { "Error: " },
                wire::text(output)?
            ),
        },
    })
}

#[cfg(test)]
mod tests;

//! Anthropic's Messages API: what is sent. What comes back is in [`stream`].
//!
//! **Caching.** Anthropic caches a prefix (tools, then system, then messages) up to a block that is marked with
//! `cache_control`, and looks for the longest prefix that it has seen. The last tool, the system prompt, the last block of
//! all and the last block of the person's or tools' turn before it are marked: four, which is the limit. So each step of a
//! run reads what the step before wrote. The last two marks move along with the conversation; a mark is not part of what is
//! cached. Everything else is the same bytes from step to step, whichever process writes it.
//!
//! Thinking is not asked for, and thinking blocks of models that always think are passed over and not sent back, which the
//! API allows.

mod stream;

use crate::wire;
use domain::{id::CallId, message::Message, tool::ToolCall};
use ports::model::{ModelError, ModelRequest};
use serde::Serialize;
use serde_json::value::RawValue;

pub use stream::read;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Turn<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: Role,
    content: Vec<Block<'a>>,
}

#[derive(Serialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Role {
    User,
    Assistant,
}

/// One struct for all kinds of blocks, since raw JSON passes through no `flatten` and no tag. The mark comes last, so that
/// a block without it is the beginning of the block with it.
#[derive(Serialize, Default)]
struct Block<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_use_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_error: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

impl<'a> Block<'a> {
    fn text(text: &'a str) -> Self {
        Self {
            r#type: "text",
            text: Some(text),
            ..Self::default()
        }
    }

    fn call(call: &'a ToolCall) -> Result<Self, ModelError> {
        Ok(Self {
            r#type: "tool_use",
            id: Some(wire::id(&call.id)),
            name: Some(&call.name),
            input: Some(wire::arguments(call)?),
            ..Self::default()
        })
    }

    /// The API refuses empty text, but a result may have no content.
    fn result(call: &CallId, output: &'a str, ok: bool) -> Self {
        Self {
            r#type: "tool_result",
            tool_use_id: Some(wire::id(call)),
            content: Some(output).filter(|output| !output.is_empty()),
            is_error: Some(!ok),
            ..Self::default()
        }
    }
}

#[derive(Serialize, Clone, Copy)]
struct CacheControl {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Kept for five minutes from its last use.
const EPHEMERAL: CacheControl = CacheControl { kind: "ephemeral" };

/// The request's body.
///
/// # Errors
/// `Refused` when the conversation cannot be written.
pub fn body(request: &ModelRequest) -> Result<Vec<u8>, ModelError> {
    let mut messages = turns(&request.messages)?;
    mark(&mut messages);
    let mut tools = request
        .tools
        .iter()
        .map(|tool| {
            Ok(Tool {
                name: &tool.name,
                description: &tool.description,
                input_schema: wire::canonical(&tool.schema)?,
                cache_control: None,
            })
        })
        .collect::<Result<Vec<_>, ModelError>>()?;
    if let Some(last) = tools.last_mut() {
        last.cache_control = Some(EPHEMERAL);
    }
    let system = match request.system.trim() {
        "" => Vec::new(),
        _ => vec![Block {
            cache_control: Some(EPHEMERAL),
            ..Block::text(&request.system)
        }],
    };
    let body = Body {
        model: &request.model,
        max_tokens: request.max_output_tokens,
        stream: true,
        tools,
        system,
        messages,
    };
    serde_json::to_vec(&body).map_err(|error| wire::unwritable(&error))
}

/// The API wants turns to alternate, all results of a reply in the turn after it, and no text that is empty or blank.
fn turns(messages: &[Message]) -> Result<Vec<Turn<'_>>, ModelError> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in messages {
        let (role, blocks) = blocks(message)?;
        match turns.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => turns.push(Turn {
                role,
                content: blocks,
            }),
        }
    }
    Ok(turns)
}

fn blocks(message: &Message) -> Result<(Role, Vec<Block<'_>>), ModelError> {
    Ok(match message {
        Message::User { text } => {
            let text = wire::text(text)?;
            let text = if text.trim().is_empty() {
                "(an empty message)"
            } else {
                text
            };
            (Role::User, vec![Block::text(text)])
        }
        Message::Assistant { text, calls } => {
            // At its end the API refuses white space.
            let text = wire::text(text)?.trim_end();
            let said = (!text.is_empty()).then(|| Ok(Block::text(text)));
            let blocks = said.into_iter().chain(calls.iter().map(Block::call));
            (Role::Assistant, blocks.collect::<Result<_, ModelError>>()?)
        }
        Message::Tool {
            call, output, ok, ..
        } => (
            Role::User,
            vec![Block::result(call, wire::text(output)?, *ok)],
        ),
    })
}

fn mark(turns: &mut [Turn<'_>]) {
    let mut marks = 2;
    for turn in turns
        .iter_mut()
        .rev()
        .filter(|turn| turn.role == Role::User)
    {
        if marks == 0 {
            break;
        }
        if let Some(last) = turn.content.last_mut() {
            last.cache_control = Some(EPHEMERAL);
            marks -= 1;
        }
    }
}

#[cfg(test)]
mod tests;

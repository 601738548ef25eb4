//! Anthropic's answer: events that open, fill and close blocks of text and tool calls.

use crate::{
    call::Events,
    failure,
    reply::{self, Spoken},
};
use domain::Usage;
use ports::model::{ModelError, OnText};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Opening,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    MessageDelta {
        delta: Closing,
        #[serde(default)]
        usage: Option<Counted>,
    },
    MessageStop,
    Error {
        error: failure::Told,
    },
    /// A whole answer, from a server that does not stream.
    Message(Whole),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Opening {
    #[serde(default)]
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Whole {
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Counted>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    /// Thinking, signatures, citations, and what is invented next.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Closing {
    stop_reason: Option<String>,
}

/// The counts are totals, and a later event repeats only some of them.
#[derive(Deserialize)]
struct Counted {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

struct Call {
    id: String,
    name: String,
    input: Value,
    written: String,
}

#[derive(Default)]
struct Assembly {
    text: String,
    /// By the block's index.
    calls: BTreeMap<u64, Call>,
    counted: Option<Usage>,
    stop_reason: Option<String>,
    complete: bool,
}

/// Reads to the end of the answer.
///
/// # Errors
/// `Broken` when the stream ends before the answer does, `Garbled` for what is no event of this API, and what an `error`
/// event says.
pub async fn read(mut events: Events, on_text: OnText<'_>) -> Result<Spoken, ModelError> {
    let mut assembly = Assembly::default();
    while !assembly.complete {
        match events.next().await {
            Ok(Some(data)) => assembly.take(&data, on_text)?,
            Ok(None) if assembly.stop_reason.is_none() => return Err(events.ended_early()),
            Err(error) if assembly.stop_reason.is_none() => return Err(error),
            // Only the closing event is missing.
            Ok(None) | Err(_) => break,
        }
    }
    assembly.finish()
}

impl Assembly {
    fn take(&mut self, data: &str, on_text: OnText<'_>) -> Result<(), ModelError> {
        match serde_json::from_str(data).map_err(|error| failure::garbled(data, &error))? {
            Event::MessageStart { message } => self.count(message.usage),
            Event::ContentBlockStart {
                index,
                content_block,
            } => self.open(index, content_block, on_text),
            Event::ContentBlockDelta { index, delta } => self.fill(index, delta, on_text),
            Event::MessageDelta { delta, usage } => {
                self.count(usage);
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
            }
            Event::MessageStop => self.complete = true,
            Event::Error { error } => return Err(error.into_model_error(None)),
            Event::Message(whole) => {
                self.count(whole.usage);
                for (index, block) in (0..).zip(whole.content) {
                    self.open(index, block, on_text);
                }
                self.stop_reason = whole.stop_reason;
                self.complete = true;
            }
            Event::Other => {}
        }
        Ok(())
    }

    fn open(&mut self, index: u64, block: Block, on_text: OnText<'_>) {
        match block {
            Block::Text { text } => {
                if !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.say("\n", on_text);
                }
                self.say(&text, on_text);
            }
            Block::ToolUse { id, name, input } => {
                let written = String::new();
                self.calls.insert(
                    index,
                    Call {
                        id,
                        name,
                        input,
                        written,
                    },
                );
            }
            Block::Other => {}
        }
    }

    fn fill(&mut self, index: u64, delta: Delta, on_text: OnText<'_>) {
        match delta {
            Delta::Text { text } => self.say(&text, on_text),
            Delta::Input { partial_json } => {
                if let Some(call) = self.calls.get_mut(&index) {
                    call.written.push_str(&partial_json);
                }
            }
            Delta::Other => {}
        }
    }

    fn say(&mut self, text: &str, on_text: OnText<'_>) {
        if !text.is_empty() {
            self.text.push_str(text);
            on_text(text);
        }
    }

    fn count(&mut self, counted: Option<Counted>) {
        let Some(counted) = counted else { return };
        let usage = self.counted.get_or_insert_default();
        let fields = [
            (&mut usage.input, counted.input_tokens),
            (&mut usage.output, counted.output_tokens),
            (&mut usage.cache_read, counted.cache_read_input_tokens),
            (&mut usage.cache_write, counted.cache_creation_input_tokens),
        ];
        for (field, count) in fields {
            *field = count.unwrap_or(*field);
        }
    }

    fn finish(self) -> Result<Spoken, ModelError> {
        let reason = self.stop_reason.unwrap_or_default();
        if reason == "refusal" && self.text.is_empty() && self.calls.is_empty() {
            return Err(ModelError::Refused(
                "the model declined to answer".to_owned(),
            ));
        }
        let calls = self.calls.into_values().map(|call| {
            // A block may bring its input whole, and then there are no deltas.
            let whole = call.written.is_empty()
                && call
                    .input
                    .as_object()
                    .is_some_and(|input| !input.is_empty());
            let written = if whole {
                call.input.to_string()
            } else {
                call.written
            };
            reply::call(call.id, call.name, &written)
        });
        Ok(Spoken {
            calls: calls.collect(),
            text: self.text,
            counted: self.counted,
            truncated: matches!(
                reason.as_str(),
                "max_tokens" | "model_context_window_exceeded"
            ),
        })
    }
}

//! A request in either dialect as one shape, for scripts to look at.

use serde_json::Value;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Anthropic,
    OpenAi,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub dialect: Dialect,
    pub model: String,
    pub system: String,
    pub turns: Vec<Turn>,
    /// The names of the tools on offer.
    pub tools: Vec<String>,
    /// As it came.
    pub body: Value,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Turn {
    User(String),
    Assistant {
        text: String,
        calls: Vec<(String, Value)>,
    },
    Result {
        call: String,
        text: String,
    },
}

impl Asked {
    pub(super) fn parse(dialect: Dialect, body: Value) -> Self {
        let messages = list(&body["messages"]);
        let turns = messages.iter().flat_map(|message| match dialect {
            Dialect::Anthropic => anthropic_turns(message),
            Dialect::OpenAi => openai_turns(message),
        });
        let system = match dialect {
            Dialect::Anthropic => list(&body["system"])
                .iter()
                .map(|block| text(&block["text"]))
                .collect(),
            Dialect::OpenAi => messages
                .iter()
                .filter(|message| message["role"] == "system")
                .map(|message| text(&message["content"]))
                .collect(),
        };
        let name = |tool: &Value| match dialect {
            Dialect::Anthropic => text(&tool["name"]),
            Dialect::OpenAi => text(&tool["function"]["name"]),
        };
        Self {
            dialect,
            model: text(&body["model"]),
            system,
            turns: turns.collect(),
            tools: list(&body["tools"]).iter().map(name).collect(),
            body,
        }
    }

    /// What the person said last, however long ago.
    pub fn last_user(&self) -> &str {
        let said = self.turns.iter().rev().find_map(|turn| match turn {
            Turn::User(text) => Some(text.as_str()),
            _ => None,
        });
        said.unwrap_or_default()
    }

    /// The results since the model spoke last.
    pub fn results(&self) -> Vec<&str> {
        let mut results: Vec<&str> = self
            .turns
            .iter()
            .rev()
            .take_while(|turn| !matches!(turn, Turn::Assistant { .. }))
            .filter_map(|turn| match turn {
                Turn::Result { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        results.reverse();
        results
    }

    /// Calls in the whole conversation, which number the next ones.
    pub fn calls(&self) -> usize {
        let count = |turn: &Turn| match turn {
            Turn::Assistant { calls, .. } => calls.len(),
            _ => 0,
        };
        self.turns.iter().map(count).sum()
    }
}

fn anthropic_turns(message: &Value) -> Vec<Turn> {
    let blocks = list(&message["content"]);
    if message["role"] == "assistant" {
        let of = |kind: &'static str| blocks.iter().filter(move |block| block["type"] == kind);
        return vec![Turn::Assistant {
            text: of("text").map(|block| text(&block["text"])).collect(),
            calls: of("tool_use")
                .map(|block| (text(&block["name"]), block["input"].clone()))
                .collect(),
        }];
    }
    let turn = |block: &Value| match block["type"].as_str() {
        Some("tool_result") => Turn::Result {
            call: text(&block["tool_use_id"]),
            text: text(&block["content"]),
        },
        _ => Turn::User(text(&block["text"])),
    };
    blocks.iter().map(turn).collect()
}

fn openai_turns(message: &Value) -> Vec<Turn> {
    let content = text(&message["content"]);
    match message["role"].as_str() {
        Some("user") => vec![Turn::User(content)],
        Some("tool") => vec![Turn::Result {
            call: text(&message["tool_call_id"]),
            text: content,
        }],
        Some("assistant") => {
            let call = |call: &Value| {
                let arguments = text(&call["function"]["arguments"]);
                (
                    text(&call["function"]["name"]),
                    serde_json::from_str(&arguments).unwrap_or(Value::Null),
                )
            };
            vec![Turn::Assistant {
                text: content,
                calls: list(&message["tool_calls"]).iter().map(call).collect(),
            }]
        }
        _ => Vec::new(),
    }
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

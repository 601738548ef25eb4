//! The model that most tests talk to: the prompt says what it does, so its answers depend on the conversation alone and are the
//! same after a crash.
//!
//! ```text
//! run: ls            one line, one call; several lines, several calls in one reply
//! then               the next reply begins
//! write: a.txt = x
//! ```
//! After the last reply it says `done: ` and the results of the latest calls.

use domain::{message::Message, tool::ToolCall};
use ports::model::ModelRequest;
use serde_json::{Value, json};
use testkit::scripted_model::Turn;

pub fn rehearse(request: &ModelRequest) -> Turn {
    let prompt = request
        .messages
        .iter()
        .rposition(|message| matches!(message, Message::User { .. }))
        .unwrap_or(0);
    let text = match &request.messages[prompt] {
        Message::User { text } => text.head().to_owned(),
        _ => String::new(),
    };
    let since = &request.messages[prompt + 1..];
    let replies = since
        .iter()
        .filter(|message| matches!(message, Message::Assistant { .. }))
        .count();
    match text.split("\nthen\n").nth(replies) {
        Some(step) => reply(step),
        None => Turn::text(format!("done: {}", results(since).join(" | "))),
    }
}

fn results(messages: &[Message]) -> Vec<String> {
    let latest = messages
        .iter()
        .rposition(|message| matches!(message, Message::Assistant { .. }))
        .map_or(0, |at| at + 1);
    let output = |message: &Message| match message {
        Message::Tool { output, .. } => Some(output.head().to_owned()),
        _ => None,
    };
    messages[latest..].iter().filter_map(output).collect()
}

fn reply(step: &str) -> Turn {
    let (mut said, mut calls): (Vec<&str>, Vec<(&str, Value)>) = (Vec::new(), Vec::new());
    for line in step.lines() {
        let (verb, rest) = line
            .split_once(':')
            .map_or(("say", line), |(verb, rest)| (verb, rest.trim()));
        let (path, text) = rest.split_once(" = ").unwrap_or((rest, ""));
        match verb {
            "run" => calls.push(("run_command", json!({"command": rest}))),
            "read" => calls.push(("read_file", json!({"path": rest}))),
            "list" => calls.push(("list_files", json!({"path": rest}))),
            "write" => calls.push(("write_file", json!({"path": path, "text": text}))),
            "ask" => calls.push(("ask_person", json!({"question": rest}))),
            "finish" => calls.push(("finish", json!({"answer": rest}))),
            "call" => calls.push((path, serde_json::from_str(text).unwrap_or(Value::Null))),
            _ => said.push(rest),
        }
    }
    Turn::text_and_calls(said.join(" "), calls)
}

/// The results that the model was told in a request, oldest first.
pub fn told(request: &ModelRequest) -> Vec<String> {
    let output = |message: &Message| match message {
        Message::Tool { output, .. } => Some(output.head().to_owned()),
        _ => None,
    };
    request.messages.iter().filter_map(output).collect()
}

/// All calls of a conversation.
pub fn calls(request: &ModelRequest) -> Vec<ToolCall> {
    let calls = |message: &Message| match message {
        Message::Assistant { calls, .. } => calls.clone(),
        _ => Vec::new(),
    };
    request.messages.iter().flat_map(calls).collect()
}

//! What the real providers answer with status 400, as far as a program that builds conversations is likely to do it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::asked::{Dialect, list};

/// The complaint, if there is one.
pub fn complaint(dialect: Dialect, body: &Value) -> Option<String> {
    let checked = match dialect {
        Dialect::Anthropic => anthropic(body),
        Dialect::OpenAi => openai(body),
    };
    checked.err()
}

fn ensure(holds: bool, complaint: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(complaint.to_owned())
    }
}

fn anthropic(body: &Value) -> Result<(), String> {
    ensure(
        body["max_tokens"].as_u64().is_some_and(|tokens| tokens > 0),
        "max_tokens: Field required",
    )?;
    let messages = list(&body["messages"]);
    ensure(
        !messages.is_empty(),
        "messages: at least one message is required",
    )?;
    ensure(
        messages[0]["role"] == "user",
        "messages: first message must use the user role",
    )?;
    let marks = body.to_string().matches("\"cache_control\":{").count();
    ensure(
        marks <= 4,
        "A maximum of 4 blocks with cache_control may be provided",
    )?;
    let mut open = BTreeSet::new();
    let mut last_role = &Value::Null;
    for message in messages {
        let blocks = list(&message["content"]);
        // The API joins turns of one role; whoever relies on it loses control of what is cached.
        ensure(
            &message["role"] != last_role,
            "messages: roles must alternate",
        )?;
        last_role = &message["role"];
        ensure(!blocks.is_empty(), "messages: content must not be empty")?;
        let answered: BTreeSet<&str> = blocks
            .iter()
            .filter_map(|block| block["tool_use_id"].as_str())
            .collect();
        ensure(
            answered == open,
            "tool_use ids were found without tool_result blocks immediately after, or the reverse",
        )?;
        open = anthropic_calls(blocks)?;
    }
    ensure(
        open.is_empty(),
        "tool_use ids were found without tool_result blocks immediately after",
    )
}

/// Checks a turn's blocks and gives the ids of its calls.
fn anthropic_calls(blocks: &[Value]) -> Result<BTreeSet<&str>, String> {
    let of = |kind: &'static str| blocks.iter().filter(move |block| block["type"] == kind);
    for block in of("text") {
        let blank = block["text"]
            .as_str()
            .is_none_or(|text| text.trim().is_empty());
        ensure(
            !blank,
            "messages: text content blocks must contain non-whitespace text",
        )?;
    }
    ensure(
        of("tool_use").all(|block| block["input"].is_object()),
        "tool_use.input: Input should be a valid dictionary",
    )?;
    let calls: BTreeSet<&str> = of("tool_use")
        .map(|block| block["id"].as_str().unwrap_or_default())
        .collect();
    ensure(
        calls.iter().all(|id| id_fits(id)),
        "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    )?;
    Ok(calls)
}

fn openai(body: &Value) -> Result<(), String> {
    let messages = list(&body["messages"]);
    ensure(!messages.is_empty(), "messages is too short")?;
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for message in messages {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            ensure(
                open.remove(id),
                "messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
            )?;
            continue;
        }
        ensure(
            open.is_empty(),
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each",
        )?;
        let calls = list(&message["tool_calls"]);
        ensure(
            !calls.is_empty() || message["content"].is_string(),
            "content: expected a string, got null",
        )?;
        for call in calls {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            ensure(
                serde_json::from_str::<Value>(arguments).is_ok(),
                "arguments must be JSON",
            )?;
            let id = call["id"].as_str().unwrap_or_default();
            ensure(
                id_fits(id) && id.len() <= 40 && open.insert(id),
                "tool_calls.id: missing, too long or not unique",
            )?;
        }
    }
    ensure(
        open.is_empty(),
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each",
    )
}

fn id_fits(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

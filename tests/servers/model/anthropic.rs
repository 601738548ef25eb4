//! Replies as Anthropic's Messages API writes them.

use serde_json::{Value, json};

use super::{asked::Asked, cache::Counted, script::Reply};

pub fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

fn usage(reply: &Reply, counted: Counted) -> Value {
    json!({
        "input_tokens": counted.input,
        "cache_read_input_tokens": counted.read,
        "cache_creation_input_tokens": counted.written,
        "output_tokens": super::server::output_tokens(reply),
    })
}

fn id(asked: &Asked, number: usize) -> String {
    format!("toolu_fake_{}", asked.calls() + number + 1)
}

fn stop_reason(reply: &Reply) -> &'static str {
    match (reply.truncated, reply.calls.is_empty()) {
        (true, _) => "max_tokens",
        (false, true) => "end_turn",
        (false, false) => "tool_use",
    }
}

pub fn whole(asked: &Asked, reply: &Reply, counted: Counted) -> Value {
    let mut content = Vec::new();
    if !reply.text.is_empty() {
        content.push(json!({"type": "text", "text": reply.text}));
    }
    for (number, (name, arguments)) in reply.calls.iter().enumerate() {
        let input: Value = serde_json::from_str(arguments).unwrap_or(Value::Null);
        content.push(
            json!({"type": "tool_use", "id": id(asked, number), "name": name, "input": input}),
        );
    }
    json!({
        "type": "message", "id": "msg_fake", "role": "assistant", "model": asked.model, "content": content,
        "stop_reason": stop_reason(reply), "stop_sequence": null, "usage": usage(reply, counted),
    })
}

/// One text per server-sent event.
pub fn events(asked: &Asked, reply: &Reply, counted: Counted) -> Vec<String> {
    let mut start_usage = usage(reply, counted);
    start_usage["output_tokens"] = json!(1);
    let mut events = vec![
        json!({"type": "message_start", "message": {
            "type": "message", "id": "msg_fake", "role": "assistant", "model": asked.model, "content": [],
            "stop_reason": null, "usage": start_usage,
        }}),
        json!({"type": "ping"}),
    ];
    let mut index = 0;
    let mut block = |start: Value, deltas: Vec<Value>| {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
        events.extend(deltas.into_iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    };
    if !reply.text.is_empty() {
        let words = reply.text.split_inclusive(' ');
        let deltas = words.map(|word| json!({"type": "text_delta", "text": word}));
        block(json!({"type": "text", "text": ""}), deltas.collect());
    }
    for (number, (name, arguments)) in reply.calls.iter().enumerate() {
        let start = json!({"type": "tool_use", "id": id(asked, number), "name": name, "input": {}});
        // A call without arguments comes as nothing at all.
        let written = if arguments == "{}" { "" } else { arguments };
        let pieces = ["".to_owned()]
            .into_iter()
            .chain(super::server::halves(written));
        let deltas = pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        block(start, deltas.collect());
    }
    events.push(json!({
        "type": "message_delta", "delta": {"stop_reason": stop_reason(reply), "stop_sequence": null},
        "usage": {"output_tokens": super::server::output_tokens(reply)},
    }));
    events.push(json!({"type": "message_stop"}));
    events.iter().map(event).collect()
}

pub fn error_event(kind: &str) -> String {
    event(
        &json!({"type": "error", "error": {"type": kind, "message": "scripted failure in the stream"}}),
    )
}

fn event(data: &Value) -> String {
    format!(
        "event: {}\ndata: {data}\n\n",
        data["type"].as_str().unwrap_or_default()
    )
}

//! Replies as servers of Chat Completions write them.

use serde_json::{Value, json};

use super::{asked::Asked, cache::Counted, script::Reply};

pub fn error(status: u16, message: &str) -> Value {
    let kind = if status < 500 {
        "invalid_request_error"
    } else {
        "server_error"
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
}

fn usage(reply: &Reply, counted: Counted) -> Value {
    let prompt = counted.input + counted.read + counted.written;
    let output = super::server::output_tokens(reply);
    json!({
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": counted.read},
    })
}

fn finish_reason(reply: &Reply) -> &'static str {
    match (reply.truncated, reply.calls.is_empty()) {
        (true, _) => "length",
        (false, true) => "stop",
        (false, false) => "tool_calls",
    }
}

fn calls(asked: &Asked, reply: &Reply) -> Vec<Value> {
    let call = |(number, (name, arguments)): (usize, &(String, String))| {
        let mut call =
            json!({"type": "function", "function": {"name": name, "arguments": arguments}});
        if !reply.flaws.without_ids {
            call["id"] = json!(format!("call_fake_{}", asked.calls() + number + 1));
        }
        call
    };
    reply.calls.iter().enumerate().map(call).collect()
}

pub fn whole(asked: &Asked, reply: &Reply, counted: Counted) -> Value {
    let mut message = json!({"role": "assistant", "content": reply.text});
    if !reply.calls.is_empty() {
        message["tool_calls"] = json!(calls(asked, reply));
    }
    let mut whole = json!({
        "id": "chatcmpl-fake", "object": "chat.completion", "created": 0, "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(reply)}],
    });
    if !reply.flaws.without_usage {
        whole["usage"] = usage(reply, counted);
    }
    whole
}

/// One text per server-sent event.
pub fn events(asked: &Asked, reply: &Reply, counted: Counted) -> Vec<String> {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    deltas.extend(
        reply
            .text
            .split_inclusive(' ')
            .map(|word| json!({"content": word})),
    );
    for (index, mut call) in calls(asked, reply).into_iter().enumerate() {
        if reply.flaws.whole_calls {
            deltas.push(json!({"tool_calls": [call]}));
            continue;
        }
        let arguments = call["function"]["arguments"].take();
        call["index"] = json!(index);
        call["function"]["arguments"] = json!("");
        deltas.push(json!({"tool_calls": [call]}));
        for piece in super::server::halves(arguments.as_str().unwrap_or_default()) {
            deltas
                .push(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}));
        }
    }
    let choice = |delta: Value, reason: Value| json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
    let mut events: Vec<String> = deltas
        .into_iter()
        .map(|delta| chunk(asked, choice(delta, Value::Null), None))
        .collect();
    events.push(chunk(
        asked,
        choice(json!({}), json!(finish_reason(reply))),
        None,
    ));
    let wanted = asked.body["stream_options"]["include_usage"] == true;
    if wanted && !reply.flaws.without_usage {
        events.push(chunk(asked, json!([]), Some(usage(reply, counted))));
    }
    if !reply.flaws.without_done {
        events.push("data: [DONE]\n\n".to_owned());
    }
    events
}

pub fn error_event(kind: &str) -> String {
    let error = json!({"error": {"type": kind, "message": "scripted failure in the stream"}});
    format!("data: {error}\n\n")
}

fn chunk(asked: &Asked, choices: Value, usage: Option<Value>) -> String {
    let mut chunk = json!({
        "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0, "model": asked.model, "choices": choices,
    });
    if let Some(usage) = usage {
        chunk["usage"] = usage;
    }
    format!("data: {chunk}\n\n")
}

use super::*;
use domain::{
    content::Content,
    id::CallId,
    tool::{ToolCall, ToolClass, ToolSpec},
};
use serde_json::{Value, json};
use std::time::Duration;

fn request() -> ModelRequest {
    let call = |id: &str, arguments: Value, malformed: Option<&str>| ToolCall {
        id: CallId::from(id),
        name: "read_file".to_owned(),
        arguments,
        malformed: malformed.map(str::to_owned),
    };
    ModelRequest {
        model: "m".to_owned(),
        system: "be brief".to_owned(),
        messages: vec![
            Message::User {
                text: Content::inline("hi"),
            },
            Message::Assistant {
                text: Content::inline(""),
                calls: vec![
                    call("a", json!({"path": "x"}), None),
                    call("b", Value::Null, Some("{oops")),
                ],
            },
            Message::Tool {
                call: CallId::from("a"),
                name: "read_file".to_owned(),
                output: Content::inline("no"),
                ok: false,
            },
        ],
        tools: vec![ToolSpec {
            name: "read_file".to_owned(),
            description: "reads".to_owned(),
            schema: json!({"type": "object"}),
            class: ToolClass::Read,
            leaves_workspace: false,
        }],
        max_output_tokens: 7,
        timeout: Duration::from_secs(1),
    }
}

fn written(official: bool) -> Value {
    serde_json::from_slice(&body(&request(), official).unwrap()).unwrap()
}

#[test]
fn a_conversation_is_written_in_the_dialect() {
    assert_eq!(
        written(false),
        json!({
            "model": "m",
            "max_tokens": 7,
            "stream": true,
            "stream_options": {"include_usage": true},
            "tools": [{"type": "function", "function": {
                "name": "read_file", "description": "reads", "parameters": {"type": "object"},
            }}],
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "read_file", "arguments": "{\"path\":\"x\"}"}},
                    {"id": "b", "type": "function", "function": {"name": "read_file", "arguments": "{\"malformed\":\"{oops\"}"}},
                ]},
                {"role": "tool", "tool_call_id": "a", "content": "Error: no"},
            ],
        })
    );
}

#[test]
fn openai_itself_wants_another_name_for_the_limit() {
    let body = written(true);
    assert_eq!(
        (&body["max_completion_tokens"], &body["max_tokens"]),
        (&json!(7), &Value::Null)
    );
}

#[test]
fn a_part_that_was_not_fetched_is_refused() {
    let mut request = request();
    request.messages[0] = Message::User {
        text: Content::Stored {
            blob: domain::Digest::of_bytes("x"),
            bytes: 1,
            head: "x".to_owned(),
        },
    };
    assert!(matches!(body(&request, false), Err(ModelError::Refused(_))));
}

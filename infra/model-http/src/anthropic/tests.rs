use super::*;
use domain::{
    content::Content,
    tool::{ToolClass, ToolSpec},
};
use serde_json::{Value, json};
use std::time::Duration;

fn user(text: &str) -> Message {
    Message::User {
        text: Content::inline(text),
    }
}

fn said(text: &str, calls: &[&str]) -> Message {
    let call = |id: &&str| ToolCall {
        id: CallId::from(*id),
        name: "read_file".to_owned(),
        arguments: json!({"path": "x"}),
        malformed: None,
    };
    Message::Assistant {
        text: Content::inline(text),
        calls: calls.iter().map(call).collect(),
    }
}

fn result(call: &str, output: &str) -> Message {
    Message::Tool {
        call: CallId::from(call),
        name: "read_file".to_owned(),
        output: Content::inline(output),
        ok: true,
    }
}

fn written(messages: Vec<Message>) -> Value {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: "d".to_owned(),
        schema: json!({"type": "object"}),
        class: ToolClass::Read,
        leaves_workspace: false,
    };
    let request = ModelRequest {
        model: "m".to_owned(),
        system: "be brief".to_owned(),
        messages,
        tools: vec![tool("list_files"), tool("read_file")],
        max_output_tokens: 7,
        timeout: Duration::from_secs(1),
    };
    serde_json::from_slice(&body(&request).unwrap()).unwrap()
}

#[test]
fn a_conversation_is_written_with_its_four_marks() {
    let messages = vec![
        user("hi"),
        said("look ", &["a", "b"]),
        result("a", "A"),
        result("b", ""),
        user("well?"),
    ];
    let mark = json!({"type": "ephemeral"});
    assert_eq!(
        written(messages),
        json!({
            "model": "m",
            "max_tokens": 7,
            "stream": true,
            "tools": [
                {"name": "list_files", "description": "d", "input_schema": {"type": "object"}},
                {"name": "read_file", "description": "d", "input_schema": {"type": "object"}, "cache_control": mark},
            ],
            "system": [{"type": "text", "text": "be brief", "cache_control": mark}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": mark}]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "look"},
                    {"type": "tool_use", "id": "a", "name": "read_file", "input": {"path": "x"}},
                    {"type": "tool_use", "id": "b", "name": "read_file", "input": {"path": "x"}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "A", "is_error": false},
                    {"type": "tool_result", "tool_use_id": "b", "is_error": false},
                    {"type": "text", "text": "well?", "cache_control": mark},
                ]},
            ],
        })
    );
}

#[test]
fn what_the_api_refuses_is_not_written() {
    let body = written(vec![user(""), said("  ", &[]), user("b")]);
    let texts: Vec<_> = body["messages"][0]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| &block["text"])
        .collect();
    assert_eq!(texts, ["(an empty message)", "b"]);
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_long_conversation_has_no_more_marks_than_allowed() {
    let turns = (0..9).flat_map(|n| [user(&n.to_string()), said("ok", &[])]);
    let text = written(turns.chain([user("end")]).collect()).to_string();
    assert_eq!(text.matches("cache_control").count(), 4);
}

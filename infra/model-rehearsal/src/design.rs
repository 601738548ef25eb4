//! What `/agent new` asks of a model, without one: a template of the catalog, with a name and a description from the person's words.

use crate::answer::Answer;
use domain::{content::Content, id::CallId, message::Message, tool::ToolCall};
use ports::model::ModelRequest;
use serde_json::{Value, json};

const TOOL: &str = "create_agent";
/// How the prompt begins.
const WISH: &str = "agent:";
/// What the engine says before the person's own words.
const CHANGE: &str = "the person denied it and said: ";
/// Who is described with one of these works on code.
const CODE: [&str; 8] = [
    "code", "rust", "program", "build", "test", "develop", "software", "refactor",
];
const PRESETS: [&str; 4] = ["read-only", "ask-first", "development", "full-access"];
/// What comes after is no name any more.
const ENDS: [&str; 8] = ["of", "who", "that", "for", "which", "in", "with", "to"];
const ARTICLES: [&str; 4] = ["a", "an", "the", "our"];

/// The draft that a prompt asks for, or the changed one that a person wants instead of it.
#[must_use]
pub fn draft(request: &ModelRequest) -> Option<Answer> {
    let offered = request.tools.iter().any(|tool| tool.name == TOOL);
    let (arguments, text) = match request.messages.last()? {
        Message::User { text } => {
            let words = text.head().trim().strip_prefix(WISH)?;
            let words = words.lines().next().unwrap_or_default().trim();
            (first(words), "Here is a draft from a template.".to_owned())
        }
        Message::Tool {
            name, output, ok, ..
        } if name == TOOL && !ok => {
            let (_, wish) = Content::head(output).split_once(CHANGE)?;
            let text = format!("Here is another one: {wish}");
            (changed(&last_draft(&request.messages)?, wish), text)
        }
        _ => return None,
    };
    let number = request.messages.len();
    offered.then(|| Answer {
        text,
        calls: vec![ToolCall {
            id: CallId::new(format!("draft-{number}")),
            name: TOOL.to_owned(),
            arguments,
            malformed: None,
        }],
    })
}

fn first(words: &str) -> Value {
    let lower = words.to_lowercase();
    let template = match CODE.iter().any(|word| lower.contains(word)) {
        true => "coder",
        false => "assistant",
    };
    let mut draft = json!({"name": name(&lower), "description": words, "template": template});
    if let Some(preset) = preset(&lower) {
        draft["preset"] = json!(preset);
    }
    draft
}

/// The same but for what can be understood without a model: a preset's name; anything else is added to the description.
fn changed(draft: &Value, wish: &str) -> Value {
    let mut draft = draft.clone();
    match preset(&wish.to_lowercase()) {
        Some(preset) => draft["preset"] = json!(preset),
        None => {
            let description = draft["description"].as_str().unwrap_or_default();
            draft["description"] = json!(format!("{description}; {wish}"));
        }
    }
    draft
}

fn last_draft(messages: &[Message]) -> Option<Value> {
    let calls = messages.iter().rev().find_map(|message| match message {
        Message::Assistant { calls, .. } => Some(calls),
        _ => None,
    })?;
    let call = calls.iter().find(|call| call.name == TOOL)?;
    Some(call.arguments.clone())
}

fn preset(words: &str) -> Option<&'static str> {
    PRESETS.into_iter().find(|preset| words.contains(preset))
}

/// `a careful reviewer of our PRs` as `careful-reviewer`.
fn name(words: &str) -> String {
    let plain =
        |word: &str| -> String { word.chars().filter(char::is_ascii_alphanumeric).collect() };
    let words = words.split_whitespace().map(plain);
    let named: Vec<String> = words
        .take_while(|word| !ENDS.contains(&word.as_str()))
        .filter(|word| !word.is_empty() && !ARTICLES.contains(&word.as_str()))
        .take(3)
        .collect();
    let name: String = named.join("-").chars().take(40).collect();
    match name.trim_matches('-') {
        "" => "helper".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_templates_come_from_the_words() {
        let draft = first("a careful reviewer of our Rust PRs who knows our handbook");
        assert_eq!(
            draft,
            json!({"name": "careful-reviewer", "description": "a careful reviewer of our Rust PRs who knows our handbook", "template": "coder"})
        );
        assert_eq!(name("für who"), "fr");
        assert_eq!(name("who knows"), "helper");
        let changed = changed(&draft, "make it Read-only");
        assert_eq!(
            (&changed["preset"], &changed["name"]),
            (&json!("read-only"), &draft["name"])
        );
    }
}

//! A few words about each result of the last calls, for people: how it went, its first lines, how many there are.

use crate::passages;
use domain::{
    citation::quoted,
    content::{Content, prefix},
    message::Message,
    tool::ToolCall,
};
use serde_json::Value;

/// Lines of an output that are shown, and bytes of a line.
const LINES: usize = 12;
const LINE_BYTES: usize = 200;

/// About all results since the last words of the model; `None` when there are none.
#[must_use]
pub fn of_results(messages: &[Message]) -> Option<String> {
    let at = messages
        .iter()
        .rposition(|message| matches!(message, Message::Assistant { .. }))?;
    let Message::Assistant { calls, .. } = messages.get(at)? else {
        return None;
    };
    let parts: Vec<String> = messages
        .get(at + 1..)?
        .iter()
        .filter_map(|message| match message {
            Message::Tool {
                call,
                name,
                output,
                ok,
            } => {
                let made = calls.iter().find(|made| made.id == *call);
                let title = title(name, made);
                Some(found(made, output).unwrap_or_else(|| part(&title, output, *ok)))
            }
            _ => None,
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// Passages that a call found: what they say to its query.
fn found(call: Option<&ToolCall>, output: &Content) -> Option<String> {
    let query = made(call?).get("query")?.as_str()?;
    passages::answer(query, &quoted(output.head()))
}

/// The tool and its first text argument, the one that people know it by.
fn title(name: &str, call: Option<&ToolCall>) -> String {
    let known = ["command", "path", "text", "question", "query"];
    let argument = call.and_then(|call| {
        known
            .iter()
            .find_map(|key| made(call).get(*key).and_then(Value::as_str))
    });
    match argument {
        Some(argument) => format!("{name} “{}”", one_line(argument)),
        None => name.to_owned(),
    }
}

/// The arguments of the tool that was meant.
fn made(call: &ToolCall) -> &Value {
    match call.name.as_str() {
        "use_tool" => &call.arguments["arguments"],
        _ => &call.arguments,
    }
}

fn one_line(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let short = prefix(first, 60);
    if short.len() < text.len() {
        format!("{short}…")
    } else {
        short.to_owned()
    }
}

fn part(title: &str, output: &Content, ok: bool) -> String {
    let text = output.head().trim_end();
    let outcome = match (ok, is_denial(text)) {
        (true, _) => "done",
        (false, true) => "denied",
        (false, false) => "failed",
    };
    if text.is_empty() {
        return format!("{title}: {outcome}, without output.");
    }
    let total = text.lines().count();
    let count = if total == 1 {
        "one line".to_owned()
    } else {
        format!("{total} lines")
    };
    let shown: Vec<&str> = text
        .lines()
        .take(LINES)
        .map(|line| prefix(line, LINE_BYTES))
        .collect();
    let more = match total.saturating_sub(LINES) {
        0 => String::new(),
        1 => "\n… and one line more.".to_owned(),
        hidden => format!("\n… and {hidden} lines more."),
    };
    let fence = fence(&shown);
    format!(
        "{title}: {outcome}, {count}.\n{fence}\n{}\n{fence}{more}",
        shown.join("\n")
    )
}

/// A refusal by a person or a rule, by the words that the engine puts first.
fn is_denial(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().to_lowercase();
    ["denied", "declined", "refused", "not allowed"]
        .iter()
        .any(|word| first.contains(word))
}

/// Longer than any run of backticks in the lines.
fn fence(lines: &[&str]) -> String {
    let longest = lines
        .iter()
        .flat_map(|line| line.split(|c| c != '`'))
        .map(str::len)
        .max()
        .unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

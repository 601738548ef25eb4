//! Tools that are not listed: a call that a person wrote of one is made in two replies. The first looks for the tool, the second calls
//! what was found.

use crate::{
    answer::{Answer, listed, numbered},
    directive::{self, Wish},
};
use domain::{content::Content, message::Message, tool::ToolCall};
use ports::model::ModelRequest;
use serde_json::{Value, json};

const FIND: &str = "find_tools";
const USE: &str = "use_tool";

/// The search for a tool by the words that stand in its place, where tools can be searched for.
#[must_use]
pub fn search(request: &ModelRequest, tool: &str) -> Option<(String, Value)> {
    let offered = request.tools.iter().any(|offered| offered.name == FIND);
    offered.then(|| (FIND.to_owned(), json!({"query": tool})))
}

/// The calls that were put off until their tools were found; none when the latest results are not about that.
#[must_use]
pub fn found(request: &ModelRequest) -> Option<Answer> {
    let is_reply = |message: &Message| matches!(message, Message::Assistant { .. });
    let at = request.messages.iter().rposition(is_reply)?;
    let (before, since) = (request.messages.get(..at)?, request.messages.get(at + 1..)?);
    let Message::Assistant { calls, .. } = request.messages.get(at)? else {
        return None;
    };
    let wishes = before.iter().rev().find_map(|message| match message {
        Message::User { text } => Some(directive::parse(text.head())),
        _ => None,
    })?;
    let (mut made, mut words) = (Vec::new(), Vec::new());
    for wish in wishes {
        let Wish::Call {
            tool, arguments, ..
        } = wish
        else {
            continue;
        };
        let Some(output) = output(calls, since, &tool) else {
            continue;
        };
        match best(output, &tool) {
            Some(name) => {
                words.push(format!("call {name} with {arguments}"));
                made.push((
                    USE.to_owned(),
                    json!({"name": name, "arguments": arguments}),
                    None,
                ));
            }
            None => words.push(format!("call “{tool}”, but found no such tool")),
        }
    }
    if words.is_empty() {
        return None;
    }
    Some(Answer {
        text: format!("You asked me to {}.", listed(&words)),
        calls: numbered(request, made),
    })
}

/// What a search for this said.
fn output<'a>(calls: &[ToolCall], since: &'a [Message], query: &str) -> Option<&'a str> {
    let searched = |call: &&ToolCall| call.name == FIND && call.arguments["query"] == query;
    let search = calls.iter().find(searched)?;
    since.iter().find_map(|message| match message {
        Message::Tool { call, output, .. } if *call == search.id => Some(Content::head(output)),
        _ => None,
    })
}

/// The tool of that name, its server's left out or not; else the first one.
fn best(output: &str, wanted: &str) -> Option<String> {
    let line = |line| {
        Some(
            serde_json::from_str::<Value>(line).ok()?["name"]
                .as_str()?
                .to_owned(),
        )
    };
    let names: Vec<String> = output.lines().filter_map(line).collect();
    let is_it = |name: &&String| *name == wanted || name.ends_with(&format!("__{wanted}"));
    names.iter().find(is_it).or(names.first()).cloned()
}

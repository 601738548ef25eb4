//! What the rehearsal says: before its calls why it makes them, after them what came of it, and otherwise what it can do.

use crate::{
    design,
    directive::{self, Wish},
    extract, finding, passages, summary,
};
use domain::{
    citation::{Quoted, quoted},
    content::Content,
    id::CallId,
    memory,
    message::Message,
    run::{SUMMARISE, SUMMARY},
    tool::ToolCall,
};
use ports::model::ModelRequest;
use serde_json::Value;

#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    pub text: String,
    pub calls: Vec<ToolCall>,
}

/// Looks at what came after the rehearsal's own last words: results are summarised, people's messages are parsed.
#[must_use]
pub fn to(request: &ModelRequest) -> Answer {
    if request.system.starts_with(SUMMARISE) {
        return only(extract::of(&prompt_of(request)));
    }
    if let Some(answer) = design::draft(request).or_else(|| finding::found(request)) {
        return answer;
    }
    let said = request
        .messages
        .iter()
        .rposition(|message| matches!(message, Message::Assistant { .. }));
    let news = request
        .messages
        .get(said.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    let prompts: Vec<&str> = news.iter().filter_map(prompt).collect();
    let passages: Vec<Quoted> = news.iter().filter_map(text).flat_map(quoted).collect();
    let results = summary::of_results(&request.messages);
    match (results, prompts.as_slice()) {
        (Some(text), []) => only(text),
        (None, prompts) => to_prompt(request, &prompts.join("\n"), &passages),
        (Some(text), prompts) => {
            let mut answer = to_prompt(request, &prompts.join("\n"), &passages);
            answer.text = format!("{text}\n\n{}", answer.text);
            answer
        }
    }
}

/// What a person wrote. Passages from documents and what is remembered stand there too, and nothing in them is a wish.
fn prompt(message: &Message) -> Option<&str> {
    text(message).filter(|text| {
        quoted(text).is_empty() && !text.starts_with(memory::HEAD) && !text.starts_with(SUMMARY)
    })
}

fn prompt_of(request: &ModelRequest) -> String {
    let texts: Vec<&str> = request.messages.iter().filter_map(text).collect();
    texts.join("\n")
}

fn text(message: &Message) -> Option<&str> {
    match message {
        Message::User { text } => Some(Content::head(text)),
        _ => None,
    }
}

fn only(text: impl Into<String>) -> Answer {
    Answer {
        text: text.into(),
        calls: Vec::new(),
    }
}

fn to_prompt(request: &ModelRequest, prompt: &str, passages: &[Quoted]) -> Answer {
    let wishes = directive::parse(prompt);
    if wishes.is_empty() {
        let found = passages::answer(prompt, passages);
        return only(found.unwrap_or_else(|| to_prose(prompt)));
    }
    let mut calls = Vec::new();
    let mut reasons = Vec::new();
    let mut complaints = Vec::new();
    for wish in wishes {
        match wish {
            Wish::Unclear(complaint) => complaints.push(complaint),
            Wish::Call { tool, words, .. }
                if lacks(request, &tool) && !words.starts_with("call ") =>
            {
                complaints.push(format!(
                    "You asked me to {words}, but I was not given the tool {tool}."
                ));
            }
            Wish::Call {
                tool,
                arguments,
                words,
            } => match lacks(request, &tool).then(|| finding::search(request, &tool)) {
                Some(Some((find, query))) => {
                    reasons.push(format!("{words}: I look for that tool first"));
                    calls.push((find, query, None));
                }
                _ => {
                    reasons.push(words);
                    calls.push((tool, arguments, None));
                }
            },
            Wish::Malformed { tool, complaint } => {
                reasons.push(format!("call {tool} with something that is not an object"));
                calls.push((tool, Value::Null, Some(complaint)));
            }
        }
    }
    let mut sentences = Vec::new();
    if !reasons.is_empty() {
        sentences.push(format!("You asked me to {}.", listed(&reasons)));
    }
    sentences.extend(complaints);
    Answer {
        text: sentences.join("\n"),
        calls: numbered(request, calls),
    }
}

/// A call that is written out as JSON is made whatever its tool, so that an unknown tool can be tried.
fn lacks(request: &ModelRequest, tool: &str) -> bool {
    request.tools.iter().all(|offered| offered.name != tool)
}

/// `a`, `a and b`, `a, b and c`. The “to” of “You asked me to” is said again before each.
pub fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and to {last}", first.join(", to ")),
    }
}

/// Ids are the calls' numbers in the conversation: unique in it, and the same when it is asked again.
pub fn numbered(
    request: &ModelRequest,
    calls: Vec<(String, Value, Option<String>)>,
) -> Vec<ToolCall> {
    let count = |message: &Message| match message {
        Message::Assistant { calls, .. } => calls.len(),
        _ => 0,
    };
    let before: usize = request.messages.iter().map(count).sum();
    let call = |(number, (name, arguments, malformed)): (usize, _)| ToolCall {
        id: CallId::new(format!("call-{number}")),
        name,
        arguments,
        malformed,
    };
    (before + 1..).zip(calls).map(call).collect()
}

fn to_prose(prompt: &str) -> String {
    let words: Vec<String> = prompt
        .split_whitespace()
        .map(|word| {
            word.trim_matches(|c: char| !c.is_alphanumeric())
                .to_lowercase()
        })
        .filter(|word| !word.is_empty())
        .collect();
    let first = words.first().map(String::as_str).unwrap_or_default();
    if GREETINGS.contains(&first) && words.len() <= 4 {
        return format!("Hello! {}\n\n{}", WHO, what_i_can_do());
    }
    if let Some(word) = directive::WORDS.into_iter().find(|word| *word == first)
        && words.len() > 1
    {
        return format!(
            "Did you mean {}? The colon is what I look for.\n\n{}",
            directive::form(word),
            what_i_can_do()
        );
    }
    if prompt.trim_end().ends_with('?') {
        return format!(
            "I can't answer open questions. {WHO}\n\n{}",
            what_i_can_do()
        );
    }
    format!("{WHO}\n\n{}", what_i_can_do())
}

const GREETINGS: [&str; 8] = [
    "hello",
    "hi",
    "hey",
    "moin",
    "hallo",
    "good",
    "greetings",
    "/start",
];

/// Said whenever there is nothing to do, so that nobody takes the rehearsal for a model.
const WHO: &str = "I am a rehearsal: a parser, not a language model. Set ANTHROPIC_API_KEY, OPENAI_API_KEY or \
OPENROUTER_API_KEY, or start Ollama, for a real one.";

fn what_i_can_do() -> String {
    let forms: Vec<String> = directive::WORDS
        .into_iter()
        .map(|word| format!("- {} {}", directive::form(word), purpose(word)))
        .collect();
    format!(
        "What I understand, one to a line, several at once if you like:\n{}\n- a tool call as JSON: \
         `{{\"tool\": \"read_file\", \"arguments\": {{\"path\": \"notes.md\"}}}}`",
        forms.join("\n")
    )
}

fn purpose(word: &str) -> &'static str {
    match word {
        "run" => "runs a command in the sandbox",
        "plan" => "runs a command after a person has approved what another one says about it",
        "read" => "shows a file",
        "write" => "writes a file (`\\n` starts a new line; further lines belong to the text too)",
        "edit" => "replaces a piece of a file",
        "list" => "lists a folder (`list: src/**` what is below, too)",
        "search" => "finds words in files (`search: WORDS in *.md` in some of them)",
        _ => "asks you",
    }
}

//! What a tool server asks a person in the middle of a call, in words.

use crate::text::{one_line, visible};
use domain::{elicitation::Elicitation, run::Elicited};
use serde_json::Value;

pub const DECLINE: &str = "Decline";
pub const QUESTION_FILE: &str = "question.json";
pub const REQUIRED: &str = ", needed";
pub const ABOUT_A_SECRET: &str = "⚠ It seems to ask for a password or a key. What you write goes to that server, and it stays in this chat and in \
                                  the run’s journal. Servers may not ask for such things this way: decline, and let an owner give it a secret.";
pub const ANSWERED: &str = "The call is made once more, with your answer.";
pub const DECLINED: &str = "Declined: the call stays as it ended.";

/// Whose question it is, and what the call came to without an answer.
pub struct Elicits<'a> {
    pub agent: &'a str,
    pub server: &'a str,
    pub said: &'a str,
}

#[must_use]
pub fn elicits(server: &str) -> String {
    format!("❓ The MCP server “{server}” asks you")
}

#[must_use]
pub fn server_words(who: &Elicits<'_>) -> String {
    format!(
        "In the middle of a call of {}. These are the server’s own words, which nobody checks:",
        one_line(who.agent)
    )
}

#[must_use]
pub fn how_to_answer(question: &Elicitation) -> String {
    let how = match (question.options().is_empty(), question.fields.len()) {
        (_, 0) => "Your yes is the answer.",
        (false, _) => "Tap one, or write it: your next message here is the answer.",
        (true, 1) => "Your next message here is the answer.",
        _ => "Your next message here is the answer: a line NAME: VALUE for each of these.",
    };
    format!("{how} It goes to this server only, and the call is made once more with it.")
}

/// All of it as lines, for who has no cards.
#[must_use]
pub fn elicited(asks: &Elicited) -> String {
    let question = &asks.question;
    let mut text = format!("{}\n{}", elicits(&asks.server), visible(&question.message));
    for field in &question.fields {
        let (name, what) = (visible(&field.name), visible(&field.kind.in_words()));
        text.push_str(&format!("\n{name}: {what}"));
    }
    if question.is_about_a_secret() {
        text.push_str(&format!("\n{ABOUT_A_SECRET}"));
    }
    format!("{text}\n{} Or write decline.", how_to_answer(question))
}

#[must_use]
pub fn without_an_answer(said: &str) -> String {
    match said.is_empty() {
        true => "For now the call ended without a word.".to_owned(),
        false => format!("For now the call ended with “{said}”. If you decline, it stays so."),
    }
}

#[must_use]
pub fn else_this(default: &Value) -> String {
    let default = default
        .as_str()
        .map_or_else(|| default.to_string(), str::to_owned);
    format!(", else {default}")
}

#[must_use]
pub fn as_it_is(question: &Elicitation) -> &'static str {
    match question.fields.is_empty() {
        true => "Yes",
        false => "As it is",
    }
}

/// `answer` is empty where it is not to be shown.
#[must_use]
pub fn elicitation_settled(answer: Option<&str>, by: &str) -> String {
    match answer {
        None => format!("Declined by {by}."),
        Some("") => format!("Answered by {by}."),
        Some(answer) => format!("Answered by {by}: {answer}"),
    }
}

#[must_use]
pub fn elicitation_set(server: &str, on: bool) -> String {
    match on {
        true => format!(
            "{server} may ask people something in the middle of a call now. A question comes as a card in the conversation of the call. What it \
             offers may be more now: /mcp test {server}"
        ),
        false => format!("{server} may ask people nothing any more."),
    }
}

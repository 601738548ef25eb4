//! What a tool server asks a person in the middle of a call, in words.

use crate::text::{one_line, visible};
use domain::elicitation::{Choice, Elicitation, Field, Kind, Unfit};
use ports::{
    present::{Notice, ServerQuestion, Settled},
    problem::NoAnswer,
};
use serde_json::Value;

pub const DECLINE: &str = "Decline";
pub const QUESTION_FILE: &str = "question.json";
pub const ABOUT_A_SECRET: &str = "⚠ It seems to ask for a password or a key. What you write goes to that server, and it stays in this chat and in \
                                  the run’s journal. Servers may not ask for such things this way: decline, and let an owner give it a secret.";
pub const ANSWERED: &str = "The call is made once more, with your answer.";
pub const DECLINED: &str = "Declined: the call stays as it ended.";

/// Whose question it is, about which call, and what that came to without an answer.
pub struct Elicits<'a> {
    pub agent: &'a str,
    pub server: &'a str,
    pub tool: &'a str,
    pub arguments: &'a str,
    pub said: &'a str,
}

impl<'a> Elicits<'a> {
    /// With the question.
    #[must_use]
    pub fn of(notice: &'a Notice) -> Option<(&'a ServerQuestion, Self)> {
        let Notice::Elicited {
            asked,
            agent,
            tool,
            arguments,
            said,
        } = notice
        else {
            return None;
        };
        let server = &asked.server;
        let who = Self {
            agent,
            server,
            tool,
            arguments,
            said,
        };
        Some((asked, who))
    }
}

#[must_use]
pub fn elicits(server: &str) -> String {
    format!("❓ The MCP server “{server}” asks you")
}

#[must_use]
pub fn server_words(who: &Elicits<'_>) -> String {
    format!(
        "In the middle of this call of {}. These are the server’s own words, which nobody checks:",
        one_line(who.agent)
    )
}

/// `whose` words are the answer.
#[must_use]
pub fn how_to_answer(question: &Elicitation, whose: &str) -> String {
    let how = match (question.options().is_empty(), question.fields.len()) {
        (_, 0) => "It takes your yes.",
        (false, _) => "Tap one, or write it.",
        (true, 1) => "Write it.",
        _ => "Write a line NAME: VALUE for each of these.",
    };
    format!("{how} {whose} It goes to this server only, and the call is made once more with it.")
}

pub const NEXT_OR_REPLY: &str =
    "The answer is the next message here of who asked for this, or anybody’s reply to this card.";
const NEXT: &str = "Your next message here is the answer.";

/// All of a question as lines, for who has no cards. `None` for any other notice.
#[must_use]
pub fn elicited(notice: &Notice) -> Option<String> {
    let (asked, who) = Elicits::of(notice)?;
    let question = &asked.question;
    let call = format!("{}: {}", super::TOOL, one_line(&visible(who.tool)));
    let mut lines = vec![elicits(who.server), call, visible(who.arguments)];
    lines.push(server_words(&who));
    lines.push(visible(&question.message));
    for field in &question.fields {
        let name = one_line(&visible(&field.name));
        lines.push(format!("{name}: {}", described(field)));
    }
    if question.is_about_a_secret() {
        lines.push(ABOUT_A_SECRET.to_owned());
    }
    lines.push(format!(
        "{} Or write decline.",
        how_to_answer(question, NEXT)
    ));
    lines.retain(|line| !line.is_empty());
    Some(lines.join("\n"))
}

/// What to write for a field, what it is about, and what stands there otherwise. One line.
#[must_use]
pub fn described(field: &Field) -> String {
    let mut words = takes(&field.kind);
    match &field.default {
        Some(default) => words.push_str(&else_this(default)),
        None if field.required => words.push_str(", needed"),
        None => {}
    }
    let about = [&field.title, &field.description];
    let about = about.into_iter().filter(|text| !text.is_empty());
    let about: Vec<&str> = about.map(String::as_str).collect();
    if !about.is_empty() {
        words = format!("{words} — {}", about.join(": "));
    }
    one_line(&visible(&words))
}

/// What to write: `a whole number from 1 to 100`.
fn takes(kind: &Kind) -> String {
    let listed = |options: &[Choice]| {
        let titles: Vec<&str> = options.iter().map(|option| &*option.title).collect();
        titles.join(", ")
    };
    match kind {
        Kind::Text { format: None } => "a text".to_owned(),
        Kind::Text {
            format: Some(format),
        } => format!("a text ({format})"),
        Kind::YesNo => "yes or no".to_owned(),
        Kind::One { options } => format!("one of {}", listed(options)),
        Kind::Several { options } => format!("some of {}, with commas", listed(options)),
        Kind::Number {
            whole,
            minimum,
            maximum,
        } => {
            let mut words = if *whole { "a whole number" } else { "a number" }.to_owned();
            if let Some(minimum) = minimum {
                words.push_str(&format!(" from {minimum}"));
            }
            if let Some(maximum) = maximum {
                words.push_str(&format!(" to {maximum}"));
            }
            words
        }
    }
}

fn else_this(default: &Value) -> String {
    let default = default
        .as_str()
        .map_or_else(|| default.to_string(), str::to_owned);
    format!(", else {default}")
}

#[must_use]
pub fn no_answer(why: &NoAnswer) -> String {
    match why {
        NoAnswer::Gone => "This question is not open any more.".to_owned(),
        NoAnswer::HoldsSecret => "That holds a secret that is kept here, and it is not given to a server so. A server gets a secret when an \
                                  owner adds it with that secret."
            .to_owned(),
        NoAnswer::NeedsYes => "An answer makes this call once more, and the yes to it was that of several people or is too old for that. \
                               Decline; the agent can ask for the call anew."
            .to_owned(),
        NoAnswer::Unfit(unfit) => self::unfit(unfit),
    }
}

fn unfit(unfit: &Unfit) -> String {
    let shown = |name: &str| one_line(&visible(name));
    match unfit {
        Unfit::NoYes => "Write yes to go on, or decline.".to_owned(),
        Unfit::NoSuchField { name, fields } => format!(
            "“{}” is none of its fields: write a line NAME: VALUE for each of {}.",
            shown(name),
            shown(&fields.join(", "))
        ),
        Unfit::Missing { field } => format!(
            "“{}” is missing: write a line NAME: VALUE for it.",
            shown(field)
        ),
        Unfit::Wrong { field, takes } => {
            format!("“{}” takes {}.", shown(field), shown(&self::takes(takes)))
        }
    }
}

#[must_use]
pub fn without_an_answer(said: &str) -> String {
    match said.is_empty() {
        true => "For now the call ended without a word.".to_owned(),
        false => format!("For now the call ended with “{said}”. If you decline, it stays so."),
    }
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
pub fn elicitation_settled(how: &Settled, answer: &str) -> String {
    match how {
        Settled::Declined { by } => format!("Declined by {}.", one_line(by)),
        Settled::Answered { by, .. } if answer.is_empty() => {
            format!("Answered by {}.", one_line(by))
        }
        Settled::Answered { by, .. } => format!("Answered by {}: {answer}", one_line(by)),
        Settled::Left { by } => format!(
            "Not answered: {} went on with something else. The call stays as it ended.",
            one_line(by)
        ),
        Settled::Over => "Not answered: the run is over.".to_owned(),
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

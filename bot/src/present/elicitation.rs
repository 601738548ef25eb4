//! The question of a tool server to a person: its words as its words, a button for each option, and how it is answered otherwise.

use super::{cutting::shorten, outgoing};
use crate::text::{en, one_line, visible};
use domain::{
    card::{Action, Block, Card, Style},
    content::Content,
    id::SessionId,
};
use ports::{
    message::{Body, Outgoing, QUESTION},
    present::{Notice, ServerQuestion, Settled},
};
use serde_json::json;

/// The verb of its buttons.
pub const ANSWER: &str = "answer";
/// What stands in a button's place for a number: agree without filling in anything, decline.
pub const AS_IT_IS: &str = "yes";
pub const DECLINE: &str = "no";

/// Most that each value may take on the card, in UTF-16 units, so that all of it fits into one message.
const MESSAGE: usize = 700;
const ARGUMENTS: usize = 300;
const NAME: usize = 40;
const FIELD: usize = 90;
const SAID: usize = 140;
const LABEL: usize = 32;

/// The card, or the card in the place of the one that nobody waits for any more.
pub fn present(to: &SessionId, notice: &Notice) -> Vec<Outgoing> {
    match (notice, en::Elicits::of(notice)) {
        (_, Some((asked, who))) => self::asked(to, asked, &who),
        (Notice::ElicitationSettled { asked, how }, _) => vec![settled(to, asked, how)],
        _ => Vec::new(),
    }
}

fn asked(to: &SessionId, asked: &ServerQuestion, who: &en::Elicits<'_>) -> Vec<Outgoing> {
    let question = &asked.question;
    let (arguments, less) = shorten(&visible(who.arguments), ARGUMENTS, " …");
    let (message, short) = shorten(&visible(&question.message), MESSAGE, " …");
    let mut cut = less || short;
    let text = |text: String| Block::Text { text };
    let code = |text: String| Block::Code {
        language: String::new(),
        text,
    };
    let mut blocks = vec![Block::Field {
        label: en::TOOL.to_owned(),
        value: shorten(&one_line(&visible(who.tool)), FIELD, "…").0,
    }];
    if !arguments.is_empty() {
        blocks.push(code(arguments));
    }
    blocks.extend([text(en::server_words(who)), code(message)]);
    for field in &question.fields {
        let (label, short) = shorten(&one_line(&visible(&field.name)), NAME, "…");
        let (value, shorter) = shorten(&en::described(field), FIELD, " …");
        cut |= short || shorter;
        blocks.push(Block::Field { label, value });
    }
    if question.is_about_a_secret() {
        blocks.push(text(en::ABOUT_A_SECRET.to_owned()));
    }
    blocks.push(text(en::how_to_answer(question, en::NEXT_OR_REPLY)));
    let (said, _) = shorten(&one_line(&visible(who.said)), SAID, " …");
    blocks.push(text(en::without_an_answer(&said)));
    let card = Card {
        title: en::elicits(who.server),
        blocks,
        actions: buttons(asked),
    };
    let mut sent = outgoing(to, Body::Card { card });
    (sent.tag, sent.rings) = (Some(tag(asked)), true);
    let mut messages = vec![sent];
    if cut {
        let whole = json!({"tool": who.tool, "arguments": who.arguments, "question": question});
        let whole = serde_json::to_string_pretty(&whole).unwrap_or_default();
        let file = Body::File {
            name: en::QUESTION_FILE.to_owned(),
            content: Content::inline(whole),
            caption: String::new(),
        };
        messages.push(outgoing(to, file));
    }
    messages
}

fn tag(asked: &ServerQuestion) -> String {
    format!("{QUESTION}{}:{}", asked.run, asked.mark.short())
}

/// The mark of the question that a message of this tag, or with this button, is.
#[must_use]
pub fn mark_of<'a>(tag: Option<&'a str>, button: Option<&'a str>) -> Option<&'a str> {
    match (tag, button) {
        (Some(tag), _) => Some(tag.strip_prefix(QUESTION)?.split_once(':')?.1),
        (None, Some(data)) => {
            let rest = data.strip_prefix(ANSWER)?.strip_prefix(':')?;
            Some(rest.split_once(':')?.0)
        }
        (None, None) => None,
    }
}

fn buttons(asked: &ServerQuestion) -> Vec<Vec<Action>> {
    let question = &asked.question;
    let button = |label: &str, answer: &str, style| Action {
        label: shorten(&one_line(&visible(label)), LABEL, "…").0,
        data: format!("{ANSWER}:{}:{answer}", asked.mark.short()),
        style,
    };
    let options = question.options();
    let numbered = options.iter().enumerate();
    let mut all: Vec<Action> = numbered
        .map(|(at, (label, _))| button(label, &at.to_string(), Style::Plain))
        .collect();
    if all.is_empty() && question.as_it_is().is_some() {
        let label = en::as_it_is(question);
        all.push(button(label, AS_IT_IS, Style::Good));
    }
    let mut rows: Vec<Vec<Action>> = all.chunks(2).map(<[Action]>::to_vec).collect();
    rows.push(vec![button(en::DECLINE, DECLINE, Style::Danger)]);
    rows
}

fn settled(to: &SessionId, asked: &ServerQuestion, how: &Settled) -> Outgoing {
    let question = &asked.question;
    let answer = match how {
        Settled::Answered { answer, .. } if !question.is_about_a_secret() => {
            shorten(&one_line(&visible(&answer.to_string())), MESSAGE, " …").0
        }
        _ => String::new(),
    };
    let card = Card {
        title: en::elicits(&asked.server),
        blocks: vec![
            Block::Text {
                text: en::elicitation_settled(how, &answer),
            },
            Block::Code {
                language: String::new(),
                text: shorten(&visible(&question.message), MESSAGE, " …").0,
            },
        ],
        actions: Vec::new(),
    };
    let tag = tag(asked);
    outgoing(to, Body::EditCard { tag, card })
}

#[cfg(test)]
mod tests;

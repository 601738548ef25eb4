//! The question of a tool server to a person: its words as its words, a button for each option, and how it is answered otherwise.

use super::{cutting::shorten, outgoing};
use crate::text::{en, one_line, visible};
use domain::{
    card::{Action, Block, Card, Style},
    content::Content,
    elicitation::{Elicitation, Field},
    id::{RunId, SessionId},
};
use ports::{
    message::{Body, Outgoing, QUESTION},
    present::Notice,
};
use serde_json::Value;

/// The verb of its buttons.
pub const ANSWER: &str = "answer";
/// What stands in a button's place for a number: agree without filling in anything, decline.
pub const AS_IT_IS: &str = "yes";
pub const DECLINE: &str = "no";

/// Most that each value may take on the card, in UTF-16 units, so that all of it fits into one message.
const MESSAGE: usize = 900;
const NAME: usize = 40;
const FIELD: usize = 100;
const SAID: usize = 140;
const LABEL: usize = 32;

/// The card, or the card in the place of the one that was answered.
pub fn present(to: &SessionId, notice: &Notice) -> Vec<Outgoing> {
    match notice {
        Notice::Elicited {
            run,
            agent,
            server,
            question,
            said,
        } => asked(
            to,
            run,
            question,
            &en::Elicits {
                agent,
                server,
                said,
            },
        ),
        Notice::ElicitationSettled {
            run,
            server,
            question,
            answer,
            by,
        } => vec![settled(to, (run, server), question, (answer.as_ref(), by))],
        _ => Vec::new(),
    }
}

fn asked(
    to: &SessionId,
    run: &RunId,
    question: &Elicitation,
    who: &en::Elicits<'_>,
) -> Vec<Outgoing> {
    let (message, mut cut) = shorten(&visible(&question.message), MESSAGE, " …");
    let text = |text: String| Block::Text { text };
    let mut blocks = vec![
        text(en::server_words(who)),
        Block::Code {
            language: String::new(),
            text: message,
        },
    ];
    for field in &question.fields {
        let (label, short) = shorten(&one_line(&visible(&field.name)), NAME, "…");
        let (value, shorter) = shorten(&described(field), FIELD, " …");
        cut |= short || shorter;
        blocks.push(Block::Field { label, value });
    }
    if question.is_about_a_secret() {
        blocks.push(text(en::ABOUT_A_SECRET.to_owned()));
    }
    blocks.push(text(en::how_to_answer(question)));
    let (said, _) = shorten(&one_line(&visible(who.said)), SAID, " …");
    blocks.push(text(en::without_an_answer(&said)));
    let card = Card {
        title: en::elicits(who.server),
        blocks,
        actions: buttons(question),
    };
    let mut sent = outgoing(to, Body::Card { card });
    (sent.tag, sent.rings) = (Some(tag(run)), true);
    let mut messages = vec![sent];
    if cut {
        let whole = serde_json::to_string_pretty(question).unwrap_or_default();
        let file = Body::File {
            name: en::QUESTION_FILE.to_owned(),
            content: Content::inline(whole),
            caption: String::new(),
        };
        messages.push(outgoing(to, file));
    }
    messages
}

fn tag(run: &RunId) -> String {
    format!("{QUESTION}{run}")
}

fn described(field: &Field) -> String {
    let mut words = field.kind.in_words();
    match &field.default {
        Some(default) => words.push_str(&en::else_this(default)),
        None if field.required => words.push_str(en::REQUIRED),
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

fn buttons(question: &Elicitation) -> Vec<Vec<Action>> {
    let mark = question.digest().short().to_owned();
    let button = |label: &str, answer: &str, style| Action {
        label: shorten(&one_line(&visible(label)), LABEL, "…").0,
        data: format!("{ANSWER}:{mark}:{answer}"),
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

fn settled(
    to: &SessionId,
    (run, server): (&RunId, &str),
    question: &Elicitation,
    (answer, by): (Option<&Value>, &str),
) -> Outgoing {
    let answer = answer.map(|answer| match question.is_about_a_secret() {
        true => String::new(),
        false => shorten(&one_line(&visible(&answer.to_string())), MESSAGE, " …").0,
    });
    let card = Card {
        title: en::elicits(server),
        blocks: vec![
            Block::Text {
                text: en::elicitation_settled(answer.as_deref(), &one_line(by)),
            },
            Block::Code {
                language: String::new(),
                text: shorten(&visible(&question.message), MESSAGE, " …").0,
            },
        ],
        actions: Vec::new(),
    };
    outgoing(
        to,
        Body::EditCard {
            tag: tag(run),
            card,
        },
    )
}

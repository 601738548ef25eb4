//! Facts to messages. What is said here is stored in the commit that made it true, so nothing here waits or reads.

mod approval;
mod cutting;
pub mod document;
pub mod elicitation;
mod knowledge;

use crate::text::{Builder, cut, en, markdown, parts, time};
use domain::{
    Digest, Micros,
    card::{Action, Block, Card, Style},
    content::{Content, prefix},
    id::{RunId, SessionId, short},
    rich_text::{MarkStyle, RichText},
    run::Outcome,
};
use ports::{
    message::{Body, Outgoing, QUESTION},
    present::{Notice, Presenter},
};

pub use approval::{asked, changed, details, modified, reminder, settled, tag};
pub use knowledge::{Opens, collections, documents, found, passage};

/// More parts than this are no reading for a chat: the whole goes as a file.
const MAX_PARTS: usize = 4;
/// Of a text that goes as a file, so much is shown at once. In UTF-16 units.
const TEASER: usize = 800;
/// Bytes of a file that stand in the message itself.
const INLINE: usize = 20 * 1024;

/// English words for every surface.
#[derive(Clone, Copy, Default, Debug)]
pub struct English;

impl Presenter for English {
    fn present(&self, to: &SessionId, notice: &Notice, now: Micros, zone: &str) -> Vec<Outgoing> {
        match notice {
            Notice::ApprovalAsked { approval } => asked(to, approval, now, zone),
            Notice::CallModified { approval } => modified(to, approval, now, zone),
            Notice::ChangeRefused { approval, why } => {
                texts(to, &RichText::plain(en::change_refused(approval, why)))
            }
            Notice::ApprovalChanged { approval } => vec![changed(to, approval, now, zone)],
            Notice::ApprovalReminder { approval, card } => {
                vec![reminder(to, approval, card, now)]
            }
            Notice::ApprovalOutage {
                approval,
                from,
                to: end,
            } => {
                let line = en::outage(&time::at(*from, now, zone), &time::at(*end, now, zone));
                vec![approval::outage(to, approval, line, (now, zone))]
            }
            Notice::ApprovalSettled { approval, by } => vec![settled(to, approval, by, now, zone)],
            Notice::SeveralAsked { run, calls, list } => {
                vec![several(to, *calls, list, Some(run))]
            }
            Notice::Question { run, agent, text } => {
                let mut messages = ring(texts(to, &question(agent, text)));
                for message in &mut messages {
                    message.tag = Some(format!("{QUESTION}{run}"));
                }
                messages
            }
            Notice::Elicited { .. } | Notice::ElicitationSettled { .. } => {
                elicitation::present(to, notice)
            }
            Notice::RunEnded { .. } => ended(to, notice),
            Notice::DocumentRead { document } => vec![document::read(to, document)],
            Notice::NotStarted { prompt, why } => alert(to, en::not_started(prompt, why)),
            Notice::Undelivered {
                to: there,
                card,
                why,
            } => alert(to, en::undelivered(there, *card, why)),
            Notice::SetAside {
                job,
                what,
                attempts,
                why,
            } => alert(to, en::set_aside(job, what, *attempts, why)),
            Notice::DeadLetters { count } => alert(to, en::dead_letters(*count)),
            Notice::Sealed { number, digest, at } => {
                vec![say(
                    to,
                    RichText::plain(en::sealed(*number, digest, &time::at(*at, now, zone))),
                )]
            }
        }
    }
}

/// The answer with buttons for what it cites, and what there is to say about how it ended.
fn ended(to: &SessionId, notice: &Notice) -> Vec<Outgoing> {
    let Notice::RunEnded {
        agent,
        outcome,
        answer,
        cited,
        cost,
        steps,
        ..
    } = notice
    else {
        return Vec::new();
    };
    let said = answer.as_ref().map(|answer| self::answer(to, answer));
    let buttons = knowledge::citations(cited);
    let mut messages = knowledge::with_buttons(said.unwrap_or_default(), buttons);
    let ended = match outcome {
        Outcome::Answered if messages.is_empty() => Some(en::done(agent)),
        outcome => en::ended(agent, outcome, *steps, *cost),
    };
    messages.extend(ended.map(|text| say(to, RichText::plain(text))));
    ring(messages)
}

fn alert(to: &SessionId, text: String) -> Vec<Outgoing> {
    ring(texts(to, &RichText::plain(text)))
}

/// A silent message.
#[must_use]
pub fn say(to: &SessionId, text: RichText) -> Outgoing {
    outgoing(to, Body::text(text))
}

/// A text of any length as messages: in numbered parts, or as a file when that would be too many.
#[must_use]
pub fn texts(to: &SessionId, text: &RichText) -> Vec<Outgoing> {
    let parts = parts(text);
    if parts.len() > MAX_PARTS {
        // What goes out is a stored document of at most 32 KiB.
        return with_file(to, text, Content::inline(prefix(&text.text, INLINE)));
    }
    parts.into_iter().map(|part| say(to, part)).collect()
}

/// The name of a message about several cards goes on with the name of what it listed.
pub const LIST: &str = "list:";

/// Below several cards: a button for all of them.
#[must_use]
pub fn several(to: &SessionId, calls: usize, list: &Digest, run: Option<&RunId>) -> Outgoing {
    let button = |label: &str, data: &str, style| Action {
        label: label.to_owned(),
        data: data.to_owned(),
        style,
    };
    let run = run.map(|run| short(run.as_str()));
    let card = Card {
        title: en::several(calls),
        blocks: vec![Block::Text {
            text: en::several_how(run),
        }],
        actions: vec![vec![
            button(en::APPROVE_ALL, "okall", Style::Good),
            button(en::DENY_ALL, "noall", Style::Danger),
        ]],
    };
    let mut message = outgoing(to, Body::Card { card });
    message.tag = Some(format!("{LIST}{list}"));
    message
}

#[must_use]
pub fn outgoing(to: &SessionId, body: Body) -> Outgoing {
    Outgoing {
        to: to.clone(),
        body,
        tag: None,
        rings: false,
        reply_to: None,
        approval: None,
    }
}

/// The last message rings: once per answer.
fn ring(mut messages: Vec<Outgoing>) -> Vec<Outgoing> {
    if let Some(last) = messages.last_mut() {
        last.rings = true;
    }
    messages
}

/// What a model answered, which is Markdown.
fn answer(to: &SessionId, answer: &Content) -> Vec<Outgoing> {
    let rich = markdown(answer.head());
    if rich.text.trim().is_empty() {
        return Vec::new();
    }
    let parts = parts(&rich);
    // What is stored elsewhere cannot be read here: its beginning is what there is to show.
    if matches!(answer, Content::Stored { .. }) || parts.len() > MAX_PARTS {
        return with_file(to, &rich, answer.clone());
    }
    parts.into_iter().map(|part| say(to, part)).collect()
}

fn with_file(to: &SessionId, rich: &RichText, content: Content) -> Vec<Outgoing> {
    let mut text = Builder::default();
    if let Some(beginning) = cut(rich, TEASER).first() {
        text.append(beginning);
    }
    text.push("\n\n")
        .marked(en::WHOLE_ANSWER, MarkStyle::Italic);
    let file = Body::File {
        name: en::ANSWER_FILE.to_owned(),
        content,
        caption: String::new(),
    };
    vec![say(to, text.build()), outgoing(to, file)]
}

fn question(agent: &str, text: &str) -> RichText {
    let mut out = Builder::default();
    out.marked(&en::asks(agent), MarkStyle::Bold)
        .push("\n\n")
        .append(&markdown(text));
    out.push("\n\n").marked(en::YOUR_ANSWER, MarkStyle::Italic);
    out.build()
}

#[cfg(test)]
pub(crate) mod tests;

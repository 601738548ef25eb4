//! The card of a file: it comes when the file does, and is edited when the file was read.

use super::outgoing;
use crate::text::{en, one_line};
use domain::{
    card::{Action, Block, Card, Style},
    id::SessionId,
    knowledge::{Document, DocumentStatus},
};
use ports::message::{Body, Outgoing};

/// The data of a tap on Remove: this and the document's id.
pub const REMOVE: &str = "unfile:";

/// The name of the card about one content of a document.
#[must_use]
pub fn tag(document: &Document) -> String {
    format!("document:{}:{}", document.id, document.revision)
}

/// The card of a file that just came.
#[must_use]
pub fn arrived(to: &SessionId, document: &Document, line: String) -> Outgoing {
    let card = Card {
        title: line,
        ..Card::default()
    };
    Outgoing {
        tag: Some(tag(document)),
        ..outgoing(to, Body::Card { card })
    }
}

/// The same card, when it is known what is in the file.
#[must_use]
pub fn read(to: &SessionId, document: &Document) -> Outgoing {
    let (tag, card) = (tag(document), card(document));
    outgoing(to, Body::EditCard { tag, card })
}

#[must_use]
pub fn card(document: &Document) -> Card {
    let reading = document.current.as_ref();
    let title = one_line(&en::read_title(document, reading));
    let removed = document.status == DocumentStatus::Removed;
    let mut blocks = Vec::new();
    if let Some(why) = &document.problem {
        let text = en::not_read(why, reading.is_some());
        blocks.push(Block::Text { text });
    }
    if let Some(reading) = reading.filter(|_| document.status == DocumentStatus::Ready) {
        let file = format!("{} ({})", document.name, en::bytes(reading.bytes));
        blocks.push(field(en::FILE, file));
        blocks.extend(
            reading
                .pages
                .map(|pages| field(en::PAGES, pages.to_string())),
        );
        blocks.push(field(en::PASSAGES, reading.passages.to_string()));
        let language = reading.language.as_deref().map(en::language);
        blocks.extend(language.map(|language| field(en::LANGUAGE, language)));
        let skipped = reading.skipped.iter();
        blocks.extend(skipped.map(|what| field(en::LEFT_OUT, what.clone())));
    }
    let remove = Action {
        label: en::REMOVE.to_owned(),
        data: format!("{REMOVE}{}", document.id),
        style: Style::Plain,
    };
    Card {
        title,
        blocks,
        actions: if removed || reading.is_none() {
            Vec::new()
        } else {
            vec![vec![remove]]
        },
    }
}

fn field(label: &str, value: String) -> Block {
    Block::Field {
        label: label.to_owned(),
        value: one_line(&value),
    }
}

//! Passages, and lists of what they stand in. Every button says by itself what it opens, so it works after a restart and for ever;
//! whether the person may see that is looked up when it is pressed.

use super::{outgoing, texts};
use crate::text::{Builder, en, one_line};
use domain::{
    card::{Action, DATA_LIMIT, Style},
    citation::Source,
    content::prefix,
    id::{CollectionId, DocumentId, SessionId},
    knowledge::{Collection, Document},
    rich_text::{MarkStyle, RichText},
};
use handlers::knowledge::{Documents, Found, PAGE, Place};
use ports::message::{Body, Outgoing};

/// Bytes of a name on a button.
const LABEL: usize = 28;
/// Buttons of one row that have names on them.
const PER_ROW: usize = 2;

/// What a button opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opens {
    Collections {
        /// From 0.
        page: usize,
    },
    Documents {
        collection: CollectionId,
        page: usize,
    },
    Passage {
        document: DocumentId,
        revision: u32,
        ordinal: u32,
    },
}

impl Opens {
    /// Of a button's data, if it is one of these.
    #[must_use]
    pub fn read(data: &str) -> Option<Self> {
        let fields: Vec<&str> = data.split(':').collect();
        Some(match fields.as_slice() {
            ["kbs", page] => Self::Collections {
                page: page.parse().ok()?,
            },
            ["kb", collection, page] => Self::Documents {
                collection: CollectionId::new(*collection),
                page: page.parse().ok()?,
            },
            ["open", document, revision, ordinal] => Self::Passage {
                document: DocumentId::new(*document),
                revision: revision.parse().ok()?,
                ordinal: ordinal.parse().ok()?,
            },
            _ => return None,
        })
    }

    fn data(&self) -> String {
        match self {
            Self::Collections { page } => format!("kbs:{page}"),
            Self::Documents { collection, page } => format!("kb:{collection}:{page}"),
            Self::Passage {
                document,
                revision,
                ordinal,
            } => format!("open:{document}:{revision}:{ordinal}"),
        }
    }

    fn button(&self, label: impl Into<String>) -> Action {
        let data = self.data();
        debug_assert!(data.len() <= DATA_LIMIT);
        Action {
            label: label.into(),
            data,
            style: Style::Plain,
        }
    }
}

/// The best passages, each with a button to read on.
#[must_use]
pub fn found(to: &SessionId, found: &[Found]) -> Vec<Outgoing> {
    let mut out = Builder::default();
    let mut buttons = Vec::new();
    for (one, number) in found.iter().zip(1..) {
        let place = &one.place;
        out.push(&format!("{number}. "));
        head(&mut out, place);
        out.push(&format!(" ({})\n", place.collection_name));
        let mut at = 0;
        for mark in &one.highlights {
            out.push(one.snippet.get(at..mark.start).unwrap_or_default());
            let word = one.snippet.get(mark.clone()).unwrap_or_default();
            out.marked(word, MarkStyle::Bold);
            at = mark.end;
        }
        out.push(one.snippet.get(at..).unwrap_or_default())
            .push("\n\n");
        buttons.push(passage_at(place, place.passage.ordinal).button(number.to_string()));
    }
    with_buttons(texts(to, &out.build()), vec![buttons])
}

/// A whole passage, with buttons to the one before and the one after it.
#[must_use]
pub fn passage(to: &SessionId, place: &Place) -> Vec<Outgoing> {
    let ordinal = place.passage.ordinal;
    let mut out = Builder::default();
    head(&mut out, place);
    let which = en::which_passage(ordinal + 1, place.passages, place.outdated);
    out.push("\n")
        .marked(&which, MarkStyle::Italic)
        .push("\n\n");
    let text = place.passage.text.trim();
    match place.passage.code {
        true => out.marked(text, MarkStyle::Pre(String::new())),
        false => out.push(text),
    };
    let before = ordinal.checked_sub(1).map(|before| (before, en::PREVIOUS));
    let after = (ordinal + 1 < place.passages).then_some((ordinal + 1, en::NEXT));
    let buttons = before.into_iter().chain(after);
    let buttons = buttons.map(|(ordinal, label)| passage_at(place, ordinal).button(label));
    with_buttons(texts(to, &out.build()), vec![buttons.collect()])
}

fn passage_at(place: &Place, ordinal: u32) -> Opens {
    Opens::Passage {
        document: place.document.clone(),
        revision: place.revision,
        ordinal,
    }
}

fn head(out: &mut Builder, place: &Place) {
    out.marked(&one_line(&place.title), MarkStyle::Bold);
    let headings = place.headings().iter();
    let headings: Vec<String> = headings.map(|heading| one_line(heading)).collect();
    if !headings.is_empty() {
        out.push(&format!(" · {}", headings.join(" › ")));
    }
    if let Some(at) = en::page_or_line(&place.passage) {
        out.push(&format!(" · {at}"));
    }
}

/// Buttons for what an answer cites.
#[must_use]
pub fn citations(cited: &[Source]) -> Vec<Vec<Action>> {
    let button = |source: &Source| {
        let opens = Opens::Passage {
            document: source.document.clone(),
            revision: source.revision,
            ordinal: source.ordinal,
        };
        opens.button(format!("[{}] {}", source.number, label(&source.title)))
    };
    let buttons: Vec<Action> = cited.iter().map(button).collect();
    buttons.chunks(PER_ROW).map(<[Action]>::to_vec).collect()
}

/// Collections with the agents that have them, a button for each.
#[must_use]
pub fn collections(to: &SessionId, all: &[(Collection, Vec<String>)], page: usize) -> Outgoing {
    let shown = all.iter().skip(page.saturating_mul(PAGE)).take(PAGE);
    let mut out = Builder::default();
    let mut buttons = Vec::new();
    for (collection, users) in shown {
        out.marked(&collection.name, MarkStyle::Bold)
            .push(&en::whose(collection, users))
            .push("\n");
        let opens = Opens::Documents {
            collection: collection.id.clone(),
            page: 0,
        };
        buttons.push(opens.button(label(&collection.name)));
    }
    out.push("\n").push(en::KB_HINT);
    let mut rows: Vec<Vec<Action>> = buttons.chunks(PER_ROW).map(<[Action]>::to_vec).collect();
    let more = all.len() > (page + 1).saturating_mul(PAGE);
    rows.push(turn(page, more, |page| Opens::Collections { page }));
    linked(to, out.build(), rows)
}

/// Documents of a collection, a button for each.
#[must_use]
pub fn documents(to: &SessionId, list: &Documents) -> Outgoing {
    let mut out = Builder::default();
    out.marked(&list.collection.name, MarkStyle::Bold)
        .push("\n");
    if list.documents.is_empty() {
        out.push(en::NO_DOCUMENTS);
    }
    let mut rows = Vec::new();
    for document in &list.documents {
        out.push(&en::document(document)).push("\n");
        rows.extend(first_of(document).map(|opens| vec![opens.button(label(&document.name))]));
    }
    let collection = &list.collection.id;
    rows.push(turn(list.page, list.more, |page| Opens::Documents {
        collection: collection.clone(),
        page,
    }));
    linked(to, out.build(), rows)
}

fn first_of(document: &Document) -> Option<Opens> {
    let reading = document.current.as_ref()?;
    (reading.passages > 0).then(|| Opens::Passage {
        document: document.id.clone(),
        revision: reading.revision,
        ordinal: 0,
    })
}

fn turn(page: usize, more: bool, opens: impl Fn(usize) -> Opens) -> Vec<Action> {
    let back = page
        .checked_sub(1)
        .map(|page| opens(page).button(en::PREVIOUS));
    let on = more.then(|| opens(page.saturating_add(1)).button(en::NEXT));
    back.into_iter().chain(on).collect()
}

fn label(name: &str) -> String {
    let name = one_line(name);
    match prefix(&name, LABEL) {
        short if short.len() < name.len() => format!("{short}…"),
        _ => name,
    }
}

fn linked(to: &SessionId, text: RichText, rows: Vec<Vec<Action>>) -> Outgoing {
    let actions = rows.into_iter().filter(|row| !row.is_empty()).collect();
    outgoing(to, Body::Text { text, actions })
}

/// Below the last text of several messages.
#[must_use]
pub fn with_buttons(mut messages: Vec<Outgoing>, rows: Vec<Vec<Action>>) -> Vec<Outgoing> {
    let rows = rows.into_iter().filter(|row| !row.is_empty());
    let last = messages
        .iter_mut()
        .rev()
        .find_map(|message| match &mut message.body {
            Body::Text { actions, .. } => Some(actions),
            _ => None,
        });
    if let Some(actions) = last {
        actions.extend(rows);
    }
    messages
}

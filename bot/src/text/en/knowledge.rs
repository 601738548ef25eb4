//! Collections, documents, passages.

use crate::text::one_line;
use domain::knowledge::{Collection, Document, DocumentStatus, Passage};

pub const NOTHING_FOUND: &str = "Nothing found in the documents that you can read here. Fewer or other words may help; /kb lists the collections.";
pub const NO_COLLECTIONS: &str = "There are no documents yet. /kb create handbook makes a collection for the team, /kb create notes alone one \
     that only you see.";
pub const NO_DOCUMENTS: &str = "It is empty.";
pub const KB_HINT: &str =
    "/search <words> finds passages in them. /kb attach <name> <agent> lets an agent do that.";
/// Beside the button; what it opens is a message.
pub const OPENED: &str = "Below.";
pub const PREVIOUS: &str = "◀ Previous";
pub const NEXT: &str = "Next ▶";

#[must_use]
pub fn collection_made(collection: &Collection) -> String {
    let who = match collection.owner {
        None => "everybody in the team",
        Some(_) => "only you",
    };
    format!(
        "Collection {} is there; {who} can read it.",
        collection.name
    )
}

#[must_use]
pub fn collection_renamed(old: &str, new: &str) -> String {
    format!("{} is {} now.", one_line(old), one_line(new))
}

#[must_use]
pub fn attached(collection: &Collection, agent: &str, attached: bool) -> String {
    let name = &collection.name;
    match (attached, &collection.owner) {
        (true, None) => format!("{agent} looks things up in {name} now, and cites them."),
        (true, Some(_)) => {
            format!(
                "{agent} looks things up in {name} now, when you ask it where nobody else reads."
            )
        }
        (false, _) => format!("{agent} has nothing to do with {name} any more."),
    }
}

/// After a collection's name: who reads it, which agents have it.
#[must_use]
pub fn whose(collection: &Collection, agents: &[String]) -> String {
    let only = collection.owner.as_ref().map_or("", |_| " (only you)");
    match agents {
        [] => only.to_owned(),
        agents => format!("{only} — {}", agents.join(", ")),
    }
}

/// A line of a list.
#[must_use]
pub fn document(document: &Document) -> String {
    let name = one_line(&document.name);
    let problem = document.problem.as_deref().unwrap_or_default();
    match (document.status, &document.current) {
        (DocumentStatus::Reading, _) => format!("{name} — being read"),
        (DocumentStatus::Failed, _) => format!("{name} — ⚠️ {}", one_line(problem)),
        (_, Some(reading)) => format!("{name} — {}", passages(reading.passages.into())),
        (_, None) => name,
    }
}

#[must_use]
pub fn passages(count: u64) -> String {
    match count {
        1 => "1 passage".to_owned(),
        count => format!("{count} passages"),
    }
}

#[must_use]
pub fn documents(count: usize) -> String {
    match count {
        1 => "1 document".to_owned(),
        count => format!("{count} documents"),
    }
}

/// Of the index.
#[must_use]
pub fn segments(count: usize) -> String {
    match count {
        1 => "1 segment".to_owned(),
        count => format!("{count} segments"),
    }
}

/// Below a passage's title.
#[must_use]
pub fn which_passage(number: u32, of: u32, outdated: bool) -> String {
    let when = if outdated { ", as it was before" } else { "" };
    format!("Passage {number} of {of}{when}")
}

/// Where a passage stands in its document.
#[must_use]
pub fn page_or_line(passage: &Passage) -> Option<String> {
    let page = passage.page.map(|page| match passage.last_page {
        Some(last) => format!("pages {page}–{last}"),
        None => format!("page {page}"),
    });
    page.or_else(|| passage.line.map(|line| format!("line {line}")))
}

//! Sentences about what is remembered.

use crate::text::one_line;
use handlers::memory::{Shown, Written};

pub const NOTHING_REMEMBERED: &str = "Nothing was remembered there yet.";
/// In place of what somebody else's run said, where it may repeat what is remembered about them.
pub const HIDDEN: &str = "(it knew what is remembered about who asked, which only they may read)";
pub const MEMORY_NO_TEXT: &str = "A memory is a text (Markdown, UTF-8); that file is none.";
pub const MEMORY_HINT: &str = "/memory agent shows one; with “add TEXT” a line is added, with “edit” it comes as a file that you change and send back, “clear” empties it, \
“undo” takes the latest change back, “history” lists the changes.";

/// Whose it is.
#[must_use]
pub fn memory_of(shown: &Shown) -> String {
    match shown.layer.as_str() {
        "session" => "This conversation (session)".to_owned(),
        "agent" => format!("{} (agent)", one_line(&shown.of)),
        _ => "You (member)".to_owned(),
    }
}

/// `at` is a time in the reader's zone.
#[must_use]
pub fn memory_state(shown: &Shown, at: &str) -> String {
    let Some(by) = &shown.updated_by else {
        return "nothing".to_owned();
    };
    let lines = shown.text.lines().filter(|line| !line.trim().is_empty());
    let size = match lines.count() {
        0 => "nothing".to_owned(),
        1 => format!("1 line, {} bytes", shown.text.len()),
        lines => format!("{lines} lines, {} bytes", shown.text.len()),
    };
    format!("{size}, changed {at} by {}", one_line(by))
}

#[must_use]
pub fn memory_empty(layer: &str) -> String {
    format!("{NOTHING_REMEMBERED} /memory {layer} add TEXT begins it.")
}

/// The caption of the file.
#[must_use]
pub fn memory_file(layer: &str) -> String {
    format!("Change it and send it back, under this name or with the caption /memory {layer}.")
}

#[must_use]
pub fn memory_written(written: &Written) -> String {
    let name = match written.layer.as_str() {
        "session" => "This conversation’s memory",
        "agent" => "The agent’s memory",
        _ => "Your memory",
    };
    match (written.undoes, written.diff.is_empty()) {
        (Some(number), _) => format!("{name} is as before change {number}."),
        (None, true) => format!("{name} is as it was: it says so already."),
        (None, false) => format!("{name} has {} bytes now.", written.bytes),
    }
}

#[must_use]
pub fn memory_undo_hint(layer: &str) -> String {
    format!("/memory {layer} undo takes the latest change back.")
}

//! What is said about files that somebody adds: on their way, read, not read, recognised.

use domain::knowledge::{Document, DocumentStatus, Reading};
use handlers::ingest::Added;

pub const PAGES: &str = "Pages";
pub const PASSAGES: &str = "Passages";
pub const LANGUAGE: &str = "Language";
pub const FILE: &str = "File";
pub const LEFT_OUT: &str = "Left out";
pub const REMOVE: &str = "Remove";
pub const REMOVED_FILE: &str = "Removed: it is not found any more.";
pub const FILE_GONE: &str = "Telegram does not give this file any more: send it again.";

/// Larger than what can be fetched, both in bytes.
#[must_use]
pub fn too_big(size: Option<u64>, limit: u64) -> String {
    let size = size.map(|size| format!(" has {} and", bytes(size)));
    format!(
        "This file{} is too large for a bot, which may fetch {}: split it, or use countersign knowledge add on the machine.",
        size.unwrap_or_default(),
        bytes(limit)
    )
}

/// The place for files is full or away.
#[must_use]
pub fn not_kept(name: &str) -> String {
    format!(
        "“{name}” can’t be kept at the moment, because the place for files is full or doesn’t answer. Nothing of it was added: send it again later."
    )
}

/// Nobody tries again to take it in.
#[must_use]
pub fn not_taken_in(name: &str) -> String {
    format!(
        "“{name}” could not be taken in, though it was tried several times. Nothing of it was added: send it again."
    )
}

/// What became of a file that came.
#[must_use]
pub fn added(added: &Added, name: &str, collection: &str, teams: bool) -> String {
    let document = added.document();
    let readers = if teams {
        ", which the whole team can read"
    } else {
        ""
    };
    match added {
        Added::New(_) => format!("Reading “{}” into {collection}{readers}…", document.name),
        Added::Version(_) => format!(
            "Reading the new “{}” into {collection}; until that is done, the old one is found.",
            document.name
        ),
        Added::Same(_) if document.status == DocumentStatus::Reading => {
            format!("“{}” is being read already.", document.name)
        }
        Added::Same(_) if document.name == name => {
            format!("“{name}” is in {collection} already, with the same content.")
        }
        Added::Same(_) => format!(
            "{collection} has this content already, as “{}”: nothing was added.",
            document.name
        ),
    }
}

#[must_use]
pub fn read_title(document: &Document, reading: Option<&Reading>) -> String {
    match (document.status, reading) {
        (DocumentStatus::Removed, _) => format!("Removed: {}", document.name),
        (DocumentStatus::Failed, _) => format!("Not read: {}", document.name),
        (_, Some(reading)) => format!("Read: {}", reading.title),
        (_, None) => format!("Reading “{}”…", document.name),
    }
}

/// Why it was not read, and what holds meanwhile.
#[must_use]
pub fn not_read(why: &str, has_older: bool) -> String {
    let mut text = why.to_owned();
    if let Some(first) = text.chars().next() {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    if has_older {
        text.push_str(" The content from before is still found.");
    }
    text
}

/// `2.4 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let in_units = |unit: u64| {
        let tenths = bytes.saturating_mul(10) / unit;
        match tenths {
            0..100 if !tenths.is_multiple_of(10) => format!("{}.{}", tenths / 10, tenths % 10),
            _ => (tenths / 10).to_string(),
        }
    };
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", in_units(1_000)),
        _ => format!("{} MB", in_units(1_000_000)),
    }
}

/// The language's English name, as far as it is known here.
#[must_use]
pub fn language(code: &str) -> String {
    let name = match code {
        "ar" => "Arabic",
        "cs" => "Czech",
        "da" => "Danish",
        "de" => "German",
        "el" => "Greek",
        "en" => "English",
        "es" => "Spanish",
        "fi" => "Finnish",
        "fr" => "French",
        "he" => "Hebrew",
        "hu" => "Hungarian",
        "it" => "Italian",
        "ja" => "Japanese",
        "ko" => "Korean",
        "nl" => "Dutch",
        "no" => "Norwegian",
        "pl" => "Polish",
        "pt" => "Portuguese",
        "ro" => "Romanian",
        "ru" => "Russian",
        "sv" => "Swedish",
        "tr" => "Turkish",
        "uk" => "Ukrainian",
        "zh" => "Chinese",
        other => other,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_short() {
        let said = [0, 999, 1_000, 2_450, 20_000_000, 104_857_600].map(bytes);
        assert_eq!(
            said,
            ["0 bytes", "999 bytes", "1 kB", "2.4 kB", "20 MB", "104 MB"]
        );
    }
}

//! Values that have a limit on a card: their beginning, and whether something is missing.

use crate::text::en;

/// At most `most` UTF-16 units and then `more`, and whether something is missing.
pub(super) fn shorten(text: &str, most: usize, more: &str) -> (String, bool) {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > most
    });
    match end {
        None => (text.to_owned(), false),
        Some((end, _)) => (format!("{}{more}", &text[..end]), true),
    }
}

/// As many whole lines as fit into `room` UTF-16 units, and whether any is missing.
pub(super) fn beginning(diff: &str, room: usize) -> (String, bool) {
    let diff = diff.trim_end();
    let mut used = 0;
    let mut lines = diff.lines();
    let kept: Vec<&str> = lines
        .by_ref()
        .take_while(|line| {
            used += line.encode_utf16().count() + 1;
            used <= room
        })
        .collect();
    let missing = diff.lines().count() - kept.len();
    match missing {
        0 => (diff.to_owned(), false),
        missing => (
            format!("{}\n{}", kept.join("\n"), en::more_lines(missing))
                .trim_start()
                .to_owned(),
            true,
        ),
    }
}

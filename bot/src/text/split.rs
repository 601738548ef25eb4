//! Long texts in parts that a chat takes, cut where a reader would: between paragraphs, around code, at a line's end.

use super::builder::units;
use domain::rich_text::{Mark, MarkStyle, RichText};

/// Longest text that we make, in UTF-16 units: what Telegram's `sendMessage` takes, less the line that says that a message is
/// sent again.
pub const PART_LIMIT: usize = 4096 - 64;
/// Room for `(12/34)` under a part.
const NUMBER: usize = 16;
/// Marks that a message may have; Telegram ignores what comes after (Bot API, "Formatting options").
const MARKS: usize = 100;

/// The text in parts of at most [`PART_LIMIT`], numbered when there are several. No part is empty, but for an empty text.
#[must_use]
pub fn parts(rich: &RichText) -> Vec<RichText> {
    if rich.utf16_len() <= PART_LIMIT && rich.marks.len() <= MARKS {
        return vec![rich.clone()];
    }
    let parts = cut(rich, PART_LIMIT - NUMBER);
    if parts.len() < 2 {
        return parts;
    }
    let of = parts.len();
    parts
        .into_iter()
        .enumerate()
        .map(|(i, mut part)| {
            part.text.push_str(&format!("\n\n({}/{of})", i + 1));
            part
        })
        .collect()
}

/// The text in parts of at most `limit` UTF-16 units (at least 2), without numbers.
#[must_use]
pub fn cut(rich: &RichText, limit: usize) -> Vec<RichText> {
    let text = rich.text.as_str();
    let mut parts = Vec::new();
    // Both in bytes and in units: bytes to slice by, units to place marks by.
    let (mut byte, mut unit) = (0, 0u32);
    while byte < text.len() {
        let window = Window::of(rich, byte, unit, limit);
        let end = window.end();
        let piece = &text[byte..end];
        let kept = if end < text.len() {
            piece.trim_end()
        } else {
            piece
        };
        if !kept.is_empty() {
            parts.push(slice(rich, kept, unit));
        }
        unit += units(piece);
        byte = end;
        let skipped = window.skip(&text[byte..], unit);
        unit += units(&text[byte..byte + skipped]);
        byte += skipped;
    }
    parts
}

/// What could become the next part.
struct Window<'a> {
    rich: &'a RichText,
    byte: usize,
    unit: u32,
    /// Bytes of the longest part, ending at a character's border.
    longest: usize,
}

impl<'a> Window<'a> {
    fn of(rich: &'a RichText, byte: usize, unit: u32, limit: usize) -> Self {
        let mut room = u32::try_from(limit).unwrap_or(u32::MAX).max(2);
        let mut later = rich.marks.iter().filter(|mark| mark.start > unit);
        // A mark too many begins the next part.
        if let Some(mark) = later.nth(MARKS - 20) {
            room = room.min(mark.start - unit);
        }
        let mut longest = 0;
        for c in rich.text[byte..].chars() {
            let width = u32::try_from(c.len_utf16()).unwrap_or(2);
            if room < width && longest > 0 {
                break;
            }
            room = room.saturating_sub(width);
            longest += c.len_utf8();
        }
        Self {
            rich,
            byte,
            unit,
            longest,
        }
    }

    /// Where the part ends, in bytes of the whole text.
    fn end(&self) -> usize {
        let text = &self.rich.text[self.byte..];
        if self.longest >= text.len() {
            return self.rich.text.len();
        }
        let window = &text[..self.longest];
        // A border far at the front would make a part of nearly nothing.
        let least = self.longest / 3;
        let late = |at: &usize| *at > least;
        let found = self
            .borders(window)
            .filter(late)
            .or_else(|| window.rfind('\n').filter(late))
            .or_else(|| window.rfind(' ').filter(late));
        self.byte + found.unwrap_or(self.longest)
    }

    /// The last border between paragraphs, or before or after code.
    fn borders(&self, window: &str) -> Option<usize> {
        let mut best = None;
        let (mut unit, mut before) = (self.unit, ' ');
        for (at, c) in window.char_indices() {
            let edge = self
                .code()
                .any(|mark| unit == mark.start || unit == mark.start + mark.len);
            let paragraph = before == '\n' && c == '\n' && !self.inside_code(unit);
            if at > 0 && (edge || paragraph) {
                best = Some(at);
            }
            unit += u32::try_from(c.len_utf16()).unwrap_or(2);
            before = c;
        }
        best
    }

    fn code(&self) -> impl Iterator<Item = &Mark> {
        self.rich
            .marks
            .iter()
            .filter(|mark| matches!(mark.style, MarkStyle::Pre(_)))
    }

    fn inside_code(&self, unit: u32) -> bool {
        self.code()
            .any(|mark| mark.start < unit && unit < mark.start + mark.len)
    }

    /// Bytes of white space after the cut that neither part needs. In code only the line break: what follows is indentation.
    fn skip(&self, rest: &str, unit: u32) -> usize {
        if self.inside_code(unit) {
            return usize::from(rest.starts_with('\n'));
        }
        let upto_code = self
            .code()
            .filter(|mark| mark.start >= unit)
            .map(|mark| mark.start - unit)
            .min();
        let white = rest.len() - rest.trim_start().len();
        // White space is one unit per character, and one byte each where it is ASCII; other kinds stay.
        let ascii = rest.bytes().take(white).take_while(u8::is_ascii).count();
        upto_code.map_or(ascii, |most| ascii.min(usize::try_from(most).unwrap_or(0)))
    }
}

/// The part with this text, which begins at `unit`, and its share of the marks.
fn slice(rich: &RichText, text: &str, unit: u32) -> RichText {
    let end = unit + units(text);
    let marks = rich.marks.iter().filter_map(|mark| {
        let (from, to) = (mark.start.max(unit), (mark.start + mark.len).min(end));
        (from < to).then(|| Mark {
            start: from - unit,
            len: to - from,
            style: mark.style.clone(),
        })
    });
    RichText {
        text: text.to_owned(),
        marks: marks.collect(),
    }
}

#[cfg(test)]
mod tests;

//! Views: a text with its escapes undone, each byte with the place that it came from.

use std::ops::Range;

/// JSON within JSON within JSON: an update, stored as a text of a payload, may hold a text that somebody escaped.
const JSON_DEEP: usize = 3;
/// An address within an address.
const PERCENT_DEEP: usize = 2;

/// Gets a view's bytes, and a function that says where each came from.
type Seen<'a> = &'a mut dyn FnMut(&[u8], &dyn Fn(usize) -> Range<usize>);
/// What the escape at the beginning stands for, and its length; `None` when it is none.
type Undo = fn(&[u8]) -> Option<(Vec<u8>, usize)>;

/// Bytes, and for each where it stands in the text.
struct View {
    bytes: Vec<u8>,
    origin: Vec<Range<usize>>,
}

/// Shows the text as it is and through every view that differs; `seen` gets the bytes and where each came from.
pub(super) fn each(text: &[u8], seen: Seen<'_>) {
    seen(text, &|at| at..at + 1);
    let signs = |byte: &u8| matches!(byte, b'\\' | b'%' | b'\n' | b'\r');
    if !text.iter().any(signs) && !groupings(text).contains(&true) {
        return;
    }
    let whole = View {
        bytes: text.to_vec(),
        origin: (0..text.len()).map(|at| at..at + 1).collect(),
    };
    for json in layers(whole, JSON_DEEP, b'\\', unescaped) {
        for view in layers(json, PERCENT_DEEP, b'%', decoded) {
            seen(&view.bytes, &|at| view.origin[at].clone());
            for dropped in [line_ends, margins, groupings] {
                if let Some(joined) = view.without(&dropped(&view.bytes)) {
                    seen(&joined.bytes, &|at| joined.origin[at].clone());
                }
            }
        }
    }
}

/// The view, the view through it, and so on, as long as there is something to undo.
fn layers(first: View, deep: usize, sign: u8, undo: Undo) -> Vec<View> {
    let mut layers = vec![first];
    for _ in 0..deep {
        let next = layers
            .last()
            .filter(|last| last.bytes.contains(&sign))
            .and_then(|last| last.through(sign, undo));
        match next {
            Some(next) => layers.push(next),
            None => break,
        }
    }
    layers
}

impl View {
    /// `undo` is asked at every `sign`: what the escape there stands for and how long it is.
    fn through(&self, sign: u8, undo: Undo) -> Option<View> {
        let mut next = View {
            bytes: Vec::with_capacity(self.bytes.len()),
            origin: Vec::with_capacity(self.bytes.len()),
        };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let undone = (*byte == sign).then(|| undo(&self.bytes[at..])).flatten();
            match undone {
                Some((plain, len)) => {
                    let from = self.origin[at].start..self.origin[at + len - 1].end;
                    next.origin.extend(plain.iter().map(|_| from.clone()));
                    next.bytes.extend(plain);
                    at += len;
                }
                None => {
                    next.bytes.push(*byte);
                    next.origin.push(self.origin[at].clone());
                    at += 1;
                }
            }
        }
        (next.bytes.len() != self.bytes.len()).then_some(next)
    }

    fn without(&self, dropped: &[bool]) -> Option<View> {
        let kept: Vec<usize> = (0..self.bytes.len()).filter(|at| !dropped[*at]).collect();
        (kept.len() != self.bytes.len()).then(|| View {
            bytes: kept.iter().map(|at| self.bytes[*at]).collect(),
            origin: kept.iter().map(|at| self.origin[*at].clone()).collect(),
        })
    }
}

fn line_ends(text: &[u8]) -> Vec<bool> {
    text.iter()
        .map(|byte| matches!(byte, b'\n' | b'\r'))
        .collect()
}

/// Line ends, and what indents, quotes or marks the lines after them.
fn margins(text: &[u8]) -> Vec<bool> {
    let mut margin = false;
    text.iter()
        .map(|byte| {
            margin = match byte {
                b'\n' | b'\r' => true,
                b' ' | b'\t' | b'+' | b'>' | b'|' => margin,
                _ => false,
            };
            margin
        })
        .collect()
}

/// What stands between pairs of hexadecimal digits: `73:6b`, `736b 2d6c`. Where the text ends, the next pair may still come.
fn groupings(text: &[u8]) -> Vec<bool> {
    let separates = |at: usize| matches!(text.get(at), Some(b' ' | b':' | b'\t' | b'\n' | b'\r'));
    let digit = |at: usize| text.get(at).is_none_or(u8::is_ascii_hexdigit);
    let (mut dropped, mut at) = (vec![false; text.len()], 0);
    while at < text.len() {
        let end = (at..).find(|at| !separates(*at)).unwrap_or(text.len());
        if end > at && at >= 2 && digit(at - 2) && digit(at - 1) && digit(end) && digit(end + 1) {
            dropped[at..end].fill(true);
        }
        at = end.max(at) + 1;
    }
    dropped
}

/// JSON's escapes, and `\x41`, which shells and programs have besides.
fn unescaped(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let plain = match text.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'u' => return unicode(text),
        b'x' => return byte(text.get(2..4)?).map(|plain| (vec![plain], 4)),
        sign @ (b'"' | b'\\' | b'/') => *sign,
        _ => return None,
    };
    Some((vec![plain], 2))
}

fn unicode(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(0)?;
    let mut units = vec![first];
    if (0xd800..0xdc00).contains(&first) {
        units.push(unit(6)?);
    }
    let plain = String::from_utf16(&units).ok()?;
    Some((plain.into_bytes(), units.len() * 6))
}

/// `%41`.
fn decoded(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    byte(text.get(1..3)?).map(|plain| (vec![plain], 3))
}

fn byte(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

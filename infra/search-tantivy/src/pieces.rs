//! Where the words of a text are: whole words, and the parts of identifiers besides (`parseHttpRequest`: `parse`, `Http`, `Request`).
//! What is written without spaces (Chinese, Japanese, Korean) is cut into pairs of characters.

use std::ops::Range;

/// Longer ones are no words: encoded bytes.
const LONGEST: usize = 128;

/// Calls `found` with the bytes of each piece, in the order of their beginnings; parts come after their whole.
pub fn each(text: &str, found: &mut impl FnMut(Range<usize>)) {
    let mut start = None;
    let (mut before_word, mut last) = (' ', ' ');
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, next)| *next);
        let point = c == '.' && last.is_ascii_digit() && next.is_ascii_digit();
        if is_of_word(c) || point {
            start.get_or_insert(at);
        } else {
            if let Some(start) = start.take() {
                word(text, start..at, [before_word, c], found);
            }
            before_word = c;
        }
        last = c;
    }
    if let Some(start) = start {
        word(text, start..text.len(), [before_word, ' '], found);
    }
}

/// Letters, digits, their marks (a text need not be composed), and the hyphen that is shown at a line's end only.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '\u{300}'..='\u{36f}' | '\u{ad}')
}

fn word(text: &str, at: Range<usize>, around: [char; 2], found: &mut impl FnMut(Range<usize>)) {
    let Some(whole) = text.get(at.clone()) else {
        return;
    };
    if whole.chars().any(is_unspaced) {
        return unspaced(whole, at.start, found);
    }
    let start = at.start + (whole.len() - whole.trim_start_matches('_').len());
    let whole = whole.trim_matches('_');
    // What an apostrophe leaves over: don't, l'homme.
    let mut letters = whole.chars();
    let single = letters.next().is_some() && letters.next().is_none();
    let left_over = single && around.iter().any(|c| matches!(c, '\'' | '’'));
    if whole.is_empty() || whole.len() > LONGEST || left_over {
        return;
    }
    found(start..start + whole.len());
    parts(whole, start, found);
}

/// Of an identifier. A word that is none has none.
fn parts(whole: &str, offset: usize, found: &mut impl FnMut(Range<usize>)) {
    let bytes = whole.as_bytes();
    let upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
    let lower = |at: usize| {
        bytes
            .get(at)
            .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let begins = |at: usize| upper(at) && (lower(at - 1) || (upper(at - 1) && lower(at + 1)));
    let mut start = 0;
    let mut push = |part: Range<usize>| {
        if !part.is_empty() && part.len() < whole.len() {
            found(offset + part.start..offset + part.end);
        }
    };
    for at in 1..bytes.len() {
        if bytes.get(at) == Some(&b'_') {
            push(start..at);
            start = at + 1;
        } else if begins(at) {
            push(start..at);
            start = at;
        }
    }
    push(start..whole.len());
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// Pairs of neighbours, a single one alone; other letters between them as they are.
fn unspaced(word: &str, offset: usize, found: &mut impl FnMut(Range<usize>)) {
    let chars: Vec<_> = word.char_indices().collect();
    for run in chars.chunk_by(|a, b| is_unspaced(a.1) == is_unspaced(b.1)) {
        let start = |at: usize| run.get(at).map(|(start, _)| offset + start);
        let end = |at: usize| run.get(at).map(|(start, c)| offset + start + c.len_utf8());
        let size = match run.first() {
            Some((_, c)) if is_unspaced(*c) => run.len().min(2),
            _ => run.len(),
        };
        for first in 0..=run.len() - size {
            if let (Some(start), Some(end)) = (start(first), end(first + size - 1)) {
                found(start..end);
            }
        }
    }
}

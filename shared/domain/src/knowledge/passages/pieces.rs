//! The pieces of a section that are never cut: sentences, lines of code, of lists and of tables. Between them a reader pauses, for
//! longer or shorter.

use super::{LARGEST, Section};
use std::ops::Range;

/// What stands between a piece and the one before it, the shortest pause first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pause {
    /// None: a sentence longer than a passage.
    Within,
    /// The next line of code.
    Line,
    Sentence,
    Paragraph,
    /// A heading, a page, a definition of code that is not indented.
    Section,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The section's place in its document.
    pub section: usize,
    /// Of the section's text, neither beginning nor ending in blank.
    pub bytes: Range<usize>,
    /// Before it.
    pub pause: Pause,
}

/// The pieces of one section, in order.
pub fn of(section: usize, of: &Section) -> Vec<Piece> {
    let text = of.text.as_str();
    let mut reader = Reader {
        text,
        code: of.code,
        fence: None,
        pieces: Vec::new(),
        open: None,
        pause: Pause::Section,
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        reader.line(at, line);
        at += line.len();
    }
    reader.close(text.len());
    let short = reader
        .pieces
        .into_iter()
        .flat_map(|(bytes, pause)| cut(text, bytes, pause));
    short
        .map(|(bytes, pause)| Piece {
            section,
            bytes,
            pause,
        })
        .collect()
}

struct Reader<'a> {
    text: &'a str,
    code: bool,
    /// What closes the block of code that is open.
    fence: Option<&'a str>,
    pieces: Vec<(Range<usize>, Pause)>,
    /// Where prose that isn't in a piece yet begins.
    open: Option<usize>,
    /// What came before the next piece.
    pause: Pause,
}

impl<'a> Reader<'a> {
    fn line(&mut self, at: usize, line: &'a str) {
        let trimmed = line.trim_start();
        if trimmed.trim_end().is_empty() {
            self.close(at);
            self.pause = self.pause.max(match self.fence {
                Some(_) => Pause::Line,
                None => Pause::Paragraph,
            });
            return;
        }
        let fence = ["```", "~~~"]
            .into_iter()
            .find(|it| trimmed.starts_with(it));
        let alone = self.code || self.fence.is_some() || fence.is_some() || is_item(trimmed);
        if !alone {
            self.open.get_or_insert(at);
            return;
        }
        self.close(at);
        let outermost = self.code && !line.starts_with([' ', '\t', '}', ')', ']']);
        self.pause = match self.pause {
            Pause::Paragraph if outermost => Pause::Section,
            pause => pause.max(Pause::Line),
        };
        self.push(at..at + line.len());
        match (self.fence, fence) {
            (None, Some(fence)) if !self.code => self.fence = Some(fence),
            (Some(open), Some(fence)) if open == fence => {
                self.fence = None;
                self.pause = Pause::Paragraph;
            }
            _ => {}
        }
    }

    /// Prose ends here: it becomes sentences.
    fn close(&mut self, at: usize) {
        let Some(from) = self.open.take() else {
            return;
        };
        self.pause = self.pause.max(Pause::Sentence);
        let text = self.text;
        let mut begin = from;
        for end in sentence_ends(&text[from..at]) {
            self.push(begin..from + end);
            self.pause = Pause::Sentence;
            begin = from + end;
        }
        self.push(begin..at);
    }

    /// Blank at both ends is in no piece.
    fn push(&mut self, bytes: Range<usize>) {
        let part = &self.text[bytes.clone()];
        // In code, how far a line is indented says something.
        let begin = match self.code || self.fence.is_some() {
            true => part.len() - part.trim_start_matches(['\n', '\r']).len(),
            false => part.len() - part.trim_start().len(),
        };
        let end = part.trim_end().len();
        if begin < end {
            self.pieces
                .push((bytes.start + begin..bytes.start + end, self.pause));
            self.pause = Pause::Within;
        }
    }
}

/// An entry of a list, a row of a table, a heading.
fn is_item(line: &str) -> bool {
    let numbered = || {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < line.len() && (rest.starts_with(". ") || rest.starts_with(") "))
    };
    line.starts_with(['|', '#', '>'])
        || line.starts_with("- ")
        || line.starts_with("* ")
        || line.starts_with("+ ")
        || line.starts_with("• ")
        || numbered()
}

/// Words that end in a full stop, and no sentence with them.
const SHORTENED: [&str; 26] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "no", "nr", "fig", "figs", "sec", "ch", "vol",
    "pp", "ed", "eds", "al", "cf", "bzw", "ca", "bspw", "см", "рис", "стр", "им",
];

/// Where sentences end, the last one not named: behind the full stop and what closes with it, before blank and something that can begin one.
fn sentence_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        // In writing without blanks the mark is enough.
        if matches!(c, '。' | '！' | '？') {
            ends.push(at + c.len_utf8());
            continue;
        }
        if !matches!(c, '.' | '!' | '?' | '…') {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next, c)) = chars.peek().copied() {
            if !matches!(
                c,
                '.' | '!' | '?' | '…' | '"' | '\'' | ')' | ']' | '»' | '”' | '’'
            ) {
                break;
            }
            end = next + c.len_utf8();
            chars.next();
        }
        let rest = &text[end..];
        let next = rest.trim_start();
        if next.len() == rest.len() || next.is_empty() {
            continue;
        }
        let begins = !next.starts_with(|c: char| c.is_lowercase() || matches!(c, ',' | ';' | ':'));
        if begins && !(c == '.' && is_shortened(&text[..at])) {
            ends.push(end);
        }
    }
    ends
}

/// Whether the word in front of a full stop is shortened: one letter (an initial, `z. B.`), or a known one.
fn is_shortened(before: &str) -> bool {
    let begin = before
        .rfind(|c: char| !c.is_alphanumeric())
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
    let word = &before[begin..];
    let one_letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    one_letter || SHORTENED.contains(&word.to_lowercase().as_str())
}

/// What is longer than a passage is cut at blanks, or where there is none.
fn cut(text: &str, bytes: Range<usize>, pause: Pause) -> Vec<(Range<usize>, Pause)> {
    let (mut parts, mut pause, mut from) = (Vec::new(), pause, bytes.start);
    while bytes.end - from > LARGEST {
        let mut most = from + LARGEST;
        while !text.is_char_boundary(most) {
            most -= 1;
        }
        let window = &text[from..most];
        let blank = window
            .rfind(char::is_whitespace)
            .filter(|at| *at > LARGEST / 2);
        let to = blank.map_or(most, |at| from + at);
        parts.push((from..from + text[from..to].trim_end().len(), pause));
        pause = Pause::Within;
        from = to + text[to..bytes.end].len() - text[to..bytes.end].trim_start().len();
    }
    parts.push((from..bytes.end, pause));
    parts.retain(|(bytes, _)| !bytes.is_empty());
    parts
}

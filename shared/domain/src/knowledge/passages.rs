//! Sections are cut into passages of 500 to 1000 tokens: small ones of the same kind stand together, large ones are cut where the
//! reader would pause. Nothing is lost and nothing stands twice: the passages' texts are the sections', without the blanks
//! between them.
//!
//! A token is taken as four bytes, which is about right for English, German or French, and for Cyrillic letters of two bytes.

mod pieces;

use super::{Origin, Passage, Section, Unit};
use pieces::{Pause, Piece};
use std::ops::Range;

/// Bytes that count as a token.
pub const TOKEN: usize = 4;
/// A passage ends at the first good place from here on.
pub const SMALLEST: usize = 500 * TOKEN;
/// And here at the latest.
pub const LARGEST: usize = 1000 * TOKEN;

/// The passages of a document, in its order.
#[must_use]
pub fn passages(sections: &[Section]) -> Vec<Passage> {
    let pieces: Vec<Piece> = sections
        .iter()
        .enumerate()
        .flat_map(|(at, section)| pieces::of(at, section))
        .collect();
    let mut cuts = Vec::new();
    let mut from = 0;
    while from < pieces.len() {
        let to = end(sections, &pieces, from);
        cuts.push(from..to);
        from = to;
    }
    join_the_last(sections, &pieces, &mut cuts);
    let mut place = Place::default();
    let texts = cuts
        .into_iter()
        .filter_map(|cut| passage(sections, &pieces[cut], &mut place));
    texts
        .zip(0..)
        .map(|(passage, ordinal)| Passage { ordinal, ..passage })
        .collect()
}

/// How far the source was read: passages come in its order, so that no text is counted twice.
#[derive(Default)]
struct Place {
    section: Option<usize>,
    bytes: usize,
    line: Option<u32>,
    origin: Option<Origin>,
}

impl Place {
    fn go(&mut self, sections: &[Section], to: &Piece) {
        let section = &sections[to.section];
        if self.section != Some(to.section) {
            *self = Self {
                section: Some(to.section),
                bytes: 0,
                line: section.line,
                origin: section.origin,
            };
        }
        let skipped = &section.text[self.bytes..to.bytes.start];
        let lines = skipped.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self
            .line
            .map(|line| line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX)));
        self.origin = self.origin.map(|origin| origin.after(skipped));
        self.bytes = to.bytes.start;
    }
}

/// Where the passage that begins at the piece `from` ends: at the first new section when it is long enough, else where the pause is longest,
/// the later the better. At least one piece.
fn end(sections: &[Section], pieces: &[Piece], from: usize) -> usize {
    let mut size = pieces[from].bytes.len();
    let mut best: Option<(Pause, usize)> = None;
    for to in from + 1..pieces.len() {
        let (next, before) = (&pieces[to], &pieces[to - 1]);
        if sections[next.section].code != sections[before.section].code {
            return to;
        }
        if size >= SMALLEST {
            if next.pause == Pause::Section {
                return to;
            }
            best = best.max(Some((next.pause, to)));
        }
        let grown = size + gap(next, before) + next.bytes.len();
        if grown > LARGEST {
            return best.map_or(to, |(_, to)| to);
        }
        size = grown;
    }
    pieces.len()
}

/// Bytes between two pieces that follow each other.
fn gap(next: &Piece, before: &Piece) -> usize {
    match next.section == before.section {
        true => next.bytes.start - before.bytes.end,
        false => BETWEEN.len(),
    }
}

/// A short rest belongs to what is before it, where that has room.
fn join_the_last(sections: &[Section], pieces: &[Piece], cuts: &mut Vec<Range<usize>>) {
    let [.., before, last] = &cuts[..] else {
        return;
    };
    let size = |cut: &Range<usize>| -> usize {
        let inner = pieces[cut.clone()]
            .windows(2)
            .map(|two| gap(&two[1], &two[0]));
        let texts = pieces[cut.clone()].iter().map(|piece| piece.bytes.len());
        texts.sum::<usize>() + inner.sum::<usize>()
    };
    let both = before.start..last.end;
    let one_kind =
        sections[pieces[before.start].section].code == sections[pieces[last.start].section].code;
    if one_kind && size(last) < SMALLEST && size(&both) <= LARGEST {
        cuts.truncate(cuts.len() - 2);
        cuts.push(both);
    }
}

/// Between texts of sections that don't follow each other in the source.
const BETWEEN: &str = "\n\n";

/// The passage of these pieces; none when there is only blank.
fn passage(sections: &[Section], pieces: &[Piece], place: &mut Place) -> Option<Passage> {
    let (first, last) = (pieces.first()?, pieces.last()?);
    let mut text = String::new();
    let mut whole = true;
    for (at, section) in sections[first.section..=last.section].iter().enumerate() {
        let at = first.section + at;
        let from = if at == first.section {
            first.bytes.start
        } else {
            0
        };
        let to = if at == last.section {
            last.bytes.end
        } else {
            section.text.len()
        };
        if at > first.section {
            whole &= follows(&sections[at - 1], section);
            if !whole {
                text.truncate(text.trim_end().len());
                text.push_str(BETWEEN);
            }
        }
        text.push_str(&section.text[from..to]);
    }
    let begin = &sections[first.section];
    place.go(sections, first);
    let origin = place.origin.filter(|_| whole);
    let stands = |extracted: bool| {
        let origin = origin.filter(|origin| (origin.unit == Unit::Extracted) == extracted)?;
        Some(origin.at..origin.after(&text).at)
    };
    let (at, within) = (stands(false), stands(true));
    let parts = &sections[first.section..=last.section];
    Some(Passage {
        ordinal: 0,
        headings: headings(parts),
        page: begin.page,
        last_page: sections[last.section]
            .page
            .filter(|last| Some(*last) != begin.page),
        line: place.line,
        at,
        within,
        code: begin.code,
        language: parts.iter().find_map(|section| section.language.clone()),
        text,
    })
}

/// Whether the source goes on from one section to the other without anything between them.
fn follows(before: &Section, next: &Section) -> bool {
    let end = before
        .origin
        .map(|origin: Origin| origin.after(&before.text));
    end.is_some() && end == next.origin
}

/// What all of them stand under; of those that have nothing in common, the first one's.
fn headings(parts: &[Section]) -> Vec<String> {
    let Some((first, rest)) = parts.split_first() else {
        return Vec::new();
    };
    let same = |one: &[String], other: &[String]| {
        one.iter().zip(other).take_while(|(a, b)| a == b).count()
    };
    let common = rest
        .iter()
        .map(|part| same(&first.headings, &part.headings))
        .min();
    match common {
        None | Some(0) => first.headings.clone(),
        Some(common) => first.headings[..common].to_vec(),
    }
}

#[cfg(test)]
mod tests;

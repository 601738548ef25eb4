//! Whether passages stand in the original, at the places that they name.

use domain::{
    knowledge::{Origin, Passage, Section, Unit},
    redact::MARK,
};
use std::ops::Range;

/// The text of a document, extracted from its bytes once more.
pub struct Original {
    text: String,
    /// Of its beginning.
    origin: Option<Origin>,
    /// Where in it sections begin, and on which page.
    pages: Vec<(usize, Option<u32>)>,
    /// The same with single blanks only, without what is between words.
    words: String,
    /// It holds a secret no more.
    redacted: bool,
}

impl Original {
    #[must_use]
    pub fn of(sections: &[Section]) -> Self {
        let (mut text, mut pages) = (String::new(), Vec::new());
        for section in sections {
            pages.push((text.len(), section.page));
            text.push_str(&section.text);
        }
        Self {
            pages,
            origin: sections.first().and_then(|section| section.origin),
            words: squeezed(&text),
            redacted: text.contains(MARK),
            text,
        }
    }

    /// The first passage that does not stand where it says. One that says no place (from before there were such) has to stand somewhere; so has
    /// what is around a secret, in whose place something of another length stands.
    #[must_use]
    pub fn lacks<'a>(&self, passages: &'a [Passage]) -> Option<&'a Passage> {
        let begins = self.begins(passages);
        let stands = |passage: &&Passage| match place(passage) {
            Some(place) if !self.is_redacted(passage) => self.stands_at(passage, &place, &begins),
            _ => around_secrets(&passage.text).all(|part| self.words.contains(&squeezed(part))),
        };
        passages.iter().find(|passage| !stands(passage))
    }

    fn stands_at(&self, passage: &Passage, place: &Place, begins: &[(u64, usize)]) -> bool {
        let Some(origin) = self.origin else {
            return false;
        };
        let found = begins.binary_search_by_key(&place.bytes.start, |(place, _)| *place);
        let begin = found.ok().and_then(|found| begins.get(found));
        let Some((_, begin)) = begin else {
            return false;
        };
        let text = self.text.get(*begin..);
        let length = origin.unit.bytes(&passage.text);
        place.extracted == (origin.unit == Unit::Extracted)
            && place.bytes.end.checked_sub(place.bytes.start) == Some(length)
            && text.is_some_and(|text| text.starts_with(&passage.text))
            && self.is_on_its_pages(passage, *begin)
    }

    /// A passage from before the last page was noted names the first one only.
    fn is_on_its_pages(&self, passage: &Passage, begin: usize) -> bool {
        let last = self.page(begin + passage.text.len().saturating_sub(1));
        let last_fits = match passage.last_page {
            Some(_) => passage.last_page == last && passage.page != last,
            None => true,
        };
        passage.page == self.page(begin) && last_fits
    }

    fn page(&self, at: usize) -> Option<u32> {
        let after = self.pages.partition_point(|(begin, _)| *begin <= at);
        self.pages.get(after.checked_sub(1)?)?.1
    }

    fn is_redacted(&self, passage: &Passage) -> bool {
        self.redacted || passage.text.contains(MARK)
    }

    /// Where the passages begin: in the source, and in the text. In order, those that begin with a character.
    fn begins(&self, passages: &[Passage]) -> Vec<(u64, usize)> {
        let places = passages.iter().filter_map(place);
        let mut places: Vec<u64> = places.map(|place| place.bytes.start).collect();
        places.sort_unstable();
        places.dedup();
        let (mut begins, mut places) = (Vec::new(), places.into_iter().peekable());
        let Some(mut now) = self.origin else {
            return begins;
        };
        for (at, c) in self.text.char_indices() {
            while places.next_if(|place| *place < now.at).is_some() {}
            match places.peek() {
                None => break,
                Some(place) if *place == now.at => begins.push((*place, at)),
                Some(_) => {}
            }
            now = now.after(c.encode_utf8(&mut [0; 4]));
        }
        begins
    }
}

struct Place {
    bytes: Range<u64>,
    /// Of the extracted text, not of the source.
    extracted: bool,
}

fn place(passage: &Passage) -> Option<Place> {
    let place = |bytes: &Range<u64>, extracted| Place {
        bytes: bytes.clone(),
        extracted,
    };
    let at = passage.at.as_ref().map(|at| place(at, false));
    at.or(passage.within.as_ref().map(|within| place(within, true)))
}

fn around_secrets(text: &str) -> impl Iterator<Item = &str> {
    let after = |(at, part)| match (at, part) {
        (0, part) => part,
        (_, part) => str::split_once(part, ']').map_or("", |(_, after)| after),
    };
    text.split(MARK).enumerate().map(after)
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

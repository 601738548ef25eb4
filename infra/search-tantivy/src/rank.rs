//! The best passages for a search, exactly as BM25 has them ([`bm25`]), found without reading most of the lists ([`blocks`]). Equal
//! passages get equal scores, in whichever segments they are.

use crate::{failed, view::View, words};
use domain::knowledge::Revision;
use ports::search::{Hit, Search, SearchError};
use std::collections::HashMap;
use tantivy::{DocId, postings::TermInfo};

mod best;
mod blocks;
mod bm25;

pub use bm25::Bm25;

use best::Best;
use blocks::Segment;

/// Words of a search that are looked for: the ones that tell most, when there are more.
const WORDS: usize = 64;

/// A term to look for.
#[derive(Debug)]
struct Wanted {
    /// How often it was said.
    times: u32,
    /// In how many passages its word is, in any of its forms.
    passages: u64,
    /// Where each segment that has it keeps its list.
    lists: Vec<Option<TermInfo>>,
}

/// A document of a view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place {
    segment: usize,
    doc: DocId,
}

/// # Errors
/// When a segment can't be read.
pub fn best(view: &View, search: &Search) -> Result<Vec<Hit>, SearchError> {
    let found = found(view, search).map_err(|error| failed(&error))?;
    Ok(named(view, found, search.limit))
}

/// The best passages, and those that are as good as the last of them.
fn found(view: &View, search: &Search) -> tantivy::Result<Vec<(f32, Place)>> {
    let wanted = wanted(view, &search.text)?;
    let mut segments = Vec::new();
    for (number, opened) in view.segments.iter().enumerate() {
        let terms = wanted.iter().filter_map(|(weight, word)| {
            let list = word.lists.get(number)?.as_ref()?;
            Some((list, *weight))
        });
        segments.push(Segment::new((number, opened), &view.bm25, terms)?);
    }
    // Who has none of the words has nothing.
    let mut best = Best::new(search.limit, f32::MIN_POSITIVE);
    blocks::search(&segments, &mut best)?;
    Ok(best.harvest())
}

/// The best of them by name, as the port promises their order.
fn named(view: &View, found: Vec<(f32, Place)>, limit: usize) -> Vec<Hit> {
    let named = found.iter().filter_map(|(score, place)| {
        let names = &view.segments.get(place.segment)?.names;
        Some((*score, names.of(place.doc)?))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by(|(a, (of_a, at_a)), (b, (of_b, at_b))| {
        let place = (&of_a.document, at_a).cmp(&(&of_b.document, at_b));
        b.total_cmp(a).then(place)
    });
    named.truncate(limit);
    let hit = |(score, (revision, ordinal)): (f32, (&Revision, u32))| Hit {
        document: revision.document.clone(),
        revision: revision.revision,
        ordinal,
        score,
    };
    named.into_iter().map(hit).collect()
}

/// The words of the search that there are, the weightiest first, with their weights. A term that several words have is as telling as the
/// most frequent one.
fn wanted(view: &View, search: &str) -> tantivy::Result<Vec<(f32, Wanted)>> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for word in words::asked(search, &view.languages) {
        let mut found = Vec::new();
        for term in word.terms {
            let (passages, lists) = look_up(view, &term)?;
            if passages > 0 {
                found.push((term, passages, lists));
            }
        }
        let passages: u64 = found.iter().map(|(_, passages, _)| passages).sum();
        for (term, _, lists) in found {
            let at = *places.entry(term).or_insert(wanted.len());
            match wanted.get_mut(at) {
                Some(known) => {
                    known.times += word.times;
                    known.passages = known.passages.max(passages);
                }
                None => wanted.push(Wanted {
                    times: word.times,
                    passages,
                    lists,
                }),
            }
        }
    }
    let weighed = |word: Wanted| (view.bm25.weight(word.passages, word.times), word);
    let mut wanted: Vec<_> = wanted.into_iter().map(weighed).collect();
    wanted.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    wanted.truncate(WORDS);
    Ok(wanted)
}

/// In how many passages a term is, and where each segment has their list.
fn look_up(view: &View, term: &str) -> tantivy::Result<(u64, Vec<Option<TermInfo>>)> {
    let mut passages = 0;
    let mut lists = Vec::with_capacity(view.segments.len());
    for segment in &view.segments {
        let list = segment.words.terms().get(term.as_bytes())?;
        passages += list.as_ref().map_or(0, |list| u64::from(list.doc_freq));
        lists.push(list);
    }
    Ok((passages, lists))
}

//! The best passages for a search.
//!
//! First block-max WAND takes the best by tantivy's BM25, whose constants can't be chosen; of those, more than are asked for, the
//! order is made again by our own formula. Equal passages get equal scores, in whichever segments they are.

use crate::{failed, view::View, words};
use ports::search::{Hit, Search, SearchError};
use std::collections::HashMap;
use tantivy::{
    DocId, Score, Term,
    query::{
        Bm25StatisticsProvider, BooleanQuery, BoostQuery, EnableScoring, Occur, Query, TermQuery,
    },
    schema::{Field, IndexRecordOption},
};

mod again;
mod best;

use best::Best;

/// Words of a search that are looked for: the ones that tell most, when there are more.
const WORDS: usize = 64;
/// See [`telling`]. nDCG@10 on Cranfield and CACM is .395 and .525 with and .394 and .525 without; recall@100 on Cranfield is .728 with
/// and .753 without, so it is for few hits only.
const COMMON: u64 = 8;
const FEW: usize = 3;
const SHALLOW: usize = 50;

/// A term to look for.
#[derive(Clone, Debug)]
struct Wanted {
    term: Term,
    /// How often it was said.
    times: f32,
    /// In how many passages its word is, in any of its forms.
    passages: u64,
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
    hits(view, search).map_err(|error| failed(&error))
}

fn hits(view: &View, search: &Search) -> tantivy::Result<Vec<Hit>> {
    let collection = Collection::of(view)?;
    let wanted = wanted(view, &collection, &search.text)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let candidates = candidates(view, &collection, &wanted, again::candidates(search.limit))?;
    let scored = again::scored(view, &collection, &wanted, candidates)?;
    named(view, scored, search.limit)
}

/// The best of them by name, as the port promises their order.
fn named(view: &View, mut scored: Vec<(f32, Place)>, limit: usize) -> tantivy::Result<Vec<Hit>> {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Whoever is as good as the last one is looked at too.
    let last = scored
        .get(limit.saturating_sub(1))
        .map_or(f32::MIN, |last| last.0);
    let mut hits = Vec::new();
    for (score, place) in scored.into_iter().take_while(|(score, _)| *score >= last) {
        let named = view
            .names
            .get(place.segment)
            .map(|names| names.of(place.doc))
            .transpose()?;
        if let Some((revision, ordinal)) = named.flatten() {
            hits.push(Hit {
                document: revision.document,
                revision: revision.revision,
                ordinal,
                score,
            });
        }
    }
    hits.sort_by(|a, b| {
        let place = (&a.document, a.ordinal).cmp(&(&b.document, b.ordinal));
        b.score.total_cmp(&a.score).then(place)
    });
    hits.truncate(limit);
    Ok(hits)
}

/// What there is in all segments together.
#[derive(Clone, Copy, Debug)]
struct Collection {
    passages: u64,
    words: u64,
}

impl Collection {
    fn of(view: &View) -> tantivy::Result<Self> {
        Ok(Self {
            passages: view.searcher.total_num_docs()?,
            words: view.searcher.total_num_tokens(view.words)?,
        })
    }

    /// Words of a passage.
    fn average(&self) -> f32 {
        self.words as f32 / self.passages.max(1) as f32
    }

    /// What finding a word tells that is in so many passages: log(1 + (N - n + 0.5) / (n + 0.5)).
    fn rareness(&self, passages: u64) -> f32 {
        let (all, with) = (self.passages as f32, passages as f32);
        ((all - with + 0.5) / (with + 0.5)).ln_1p()
    }
}

/// The words of the search that there are. A term that several words have is as telling as the most frequent one.
fn wanted(view: &View, collection: &Collection, search: &str) -> tantivy::Result<Vec<Wanted>> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut places: HashMap<Term, usize> = HashMap::new();
    for word in words::asked(search, &view.languages) {
        let mut found = Vec::new();
        for term in &word.terms {
            let term = Term::from_field_text(view.words, term);
            let passages = view.searcher.doc_freq(&term)?;
            if passages > 0 {
                found.push((term, passages));
            }
        }
        let passages: u64 = found.iter().map(|(_, passages)| passages).sum();
        let passages = passages.min(collection.passages);
        for (term, _) in found {
            let at = *places.entry(term.clone()).or_insert(wanted.len());
            match wanted.get_mut(at) {
                Some(known) => {
                    known.times += word.times as f32;
                    known.passages = known.passages.max(passages);
                }
                None => wanted.push(Wanted {
                    term,
                    times: word.times as f32,
                    passages,
                }),
            }
        }
    }
    if wanted.len() > WORDS {
        let telling = |word: &Wanted| word.times * collection.rareness(word.passages);
        wanted.sort_by(|a, b| telling(b).total_cmp(&telling(a)));
        wanted.truncate(WORDS);
    }
    Ok(wanted)
}

/// Words that are looked for first. Those in more than one passage of [`COMMON`] are left to the order of what the others find, unless
/// fewer than [`FEW`] would be left: their lists are long and decide little. Who wants many hits wants what only they find, too.
fn telling<'a>(collection: &Collection, wanted: &'a [Wanted], count: usize) -> Vec<&'a Wanted> {
    let rare = |word: &&Wanted| word.passages * COMMON <= collection.passages;
    let telling: Vec<_> = wanted.iter().filter(rare).collect();
    if telling.len() < FEW || count > SHALLOW {
        return wanted.iter().collect();
    }
    telling
}

/// The best by tantivy's BM25, at least so many if there are.
fn candidates(
    view: &View,
    collection: &Collection,
    wanted: &[Wanted],
    count: usize,
) -> tantivy::Result<Vec<Place>> {
    let wanted = telling(collection, wanted, count);
    let statistics = Statistics {
        collection: *collection,
        passages: wanted
            .iter()
            .map(|word| (&word.term, word.passages))
            .collect(),
    };
    let term = |word: &Wanted| -> (Occur, Box<dyn Query>) {
        let query = TermQuery::new(word.term.clone(), IndexRecordOption::WithFreqs);
        (
            Occur::Should,
            Box::new(BoostQuery::new(Box::new(query), word.times)),
        )
    };
    let query = BooleanQuery::new(wanted.into_iter().map(term).collect());
    let scoring = EnableScoring::enabled_from_statistics_provider(&statistics, &view.searcher);
    let weight = query.weight(scoring)?;
    let mut best = Best::new(count);
    for (segment, reader) in view.searcher.segment_readers().iter().enumerate() {
        let gone = view.gone.get(segment).and_then(Option::as_ref);
        weight.for_each_pruning(best.threshold(), reader, &mut |doc: DocId, score: Score| {
            if gone.is_none_or(|gone| !gone.contains(doc)) {
                best.push(score, Place { segment, doc });
            }
            best.threshold()
        })?;
    }
    Ok(best.harvest())
}

/// Words are as rare as they are in any of their forms.
struct Statistics<'a> {
    collection: Collection,
    passages: HashMap<&'a Term, u64>,
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.collection.words)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.collection.passages)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Ok(self.passages.get(term).copied().unwrap_or_default())
    }
}

//! The order of those that were found, by BM25 with constants of our own.

use super::{Collection, Place, Wanted};
use crate::view::View;
use tantivy::{DocSet, SegmentReader, postings::Postings, schema::IndexRecordOption};

/// How long a repeated word goes on to count. With B = 0.6, nDCG@10 on Cranfield and CACM is .394 and .525 with 1.6, .397 and .526
/// with 2, .397 and .528 with 2.5, .386 and .519 with 1.2, and so for either half of the queries of each; the value nearest
/// to what is customary (1.2) from which on it changes little.
const K1: f32 = 1.6;
/// How much a long passage's words count less: .392 and .512 with the customary 0.75 (K1 = 1.5), .394 and .524 with 0.5 (K1 = 2).
const B: f32 = 0.6;

/// How many are put in order for so many to be shown.
pub fn candidates(limit: usize) -> usize {
    limit.saturating_add((limit / 2).max(20))
}

/// The candidates with their scores, in no order.
pub fn scored(
    view: &View,
    collection: &Collection,
    wanted: &[Wanted],
    mut candidates: Vec<Place>,
) -> tantivy::Result<Vec<(f32, Place)>> {
    candidates.sort_unstable();
    let mut scored: Vec<_> = candidates.into_iter().map(|place| (0.0, place)).collect();
    for of_segment in scored.chunk_by_mut(|a, b| a.1.segment == b.1.segment) {
        let segment = of_segment.first().map_or(0, |(_, place)| place.segment);
        if let Some(reader) = view.searcher.segment_readers().get(segment) {
            add(view, reader, collection, wanted, of_segment)?;
        }
    }
    Ok(scored)
}

fn add(
    view: &View,
    reader: &SegmentReader,
    collection: &Collection,
    wanted: &[Wanted],
    scored: &mut [(f32, Place)],
) -> tantivy::Result<()> {
    let index = reader.inverted_index(view.words)?;
    let lengths = reader.get_fieldnorms_reader(view.words)?;
    let average = collection.average();
    for word in wanted {
        let Some(mut postings) = index.read_postings(&word.term, IndexRecordOption::WithFreqs)?
        else {
            continue;
        };
        let weight = word.times * collection.rareness(word.passages);
        for (score, place) in scored.iter_mut() {
            if postings.doc() < place.doc {
                postings.seek(place.doc);
            }
            if postings.doc() == place.doc {
                let often = postings.term_freq() as f32;
                let length = lengths.fieldnorm(place.doc) as f32;
                let norm = K1 * (1.0 - B + B * length / average);
                *score += weight * often * (K1 + 1.0) / (often + norm);
            }
        }
    }
    Ok(())
}

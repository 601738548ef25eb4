//! MaxScore, a term at a time (H. Turtle, J. Flood: Query evaluation: strategies and optimizations, 1995).
//!
//! The rarest words come first: their lists are short and they weigh most. Every passage on such a list gets a score. As soon as the
//! words that are left can't together lift a passage among the best that none of the words before is in, no list is read as a whole any
//! more: the words that are left, whose lists are the long ones, are only looked up for passages that have a score and
//! could still become one of the best. What comes out is exact: the same passages with the same scores as
//! from reading all lists, because a passage's score is the sum of the same numbers in the same order.

use super::{Best, Place, WORDS, accumulators::Accumulators, bm25::Bm25};
use crate::view::Opened;
use tantivy::{
    DocId,
    postings::{BlockSegmentPostings, TermInfo},
    schema::IndexRecordOption,
};

/// For each word that is left, so many passages on the next list make it worth while to look the leaders up in all of them first.
const LONG: usize = 1024;

/// A word of the search and the passages of a segment that it is in.
pub struct List<'a> {
    pub term: &'a TermInfo,
    /// No passage gets more for this word.
    pub weight: f32,
    /// Nor more than this for it and all the words after it.
    pub left: f32,
}

/// The search of one segment.
pub struct Segment<'a> {
    pub number: usize,
    pub opened: &'a Opened,
    pub bm25: &'a Bm25,
    /// The weightiest first.
    pub lists: &'a [List<'a>],
}

impl Segment<'_> {
    /// Adds the best passages of this segment to those of others.
    ///
    /// # Errors
    /// When a list can't be read; then there may be scores in the accumulators.
    pub fn search(&self, scores: &mut Accumulators, best: &mut Best) -> tantivy::Result<()> {
        scores.fit(self.opened.passages);
        let mut rest = self.lists;
        let mut leaders = Vec::new();
        while let [list, after @ ..] = rest
            && 0.0 >= needed(best.threshold(), list.left)
        {
            leaders = self.read(list, scores, (best, leaders))?;
            rest = after;
            best.raise(self.threshold(best, rest, &mut leaders)?);
        }
        let left = rest.first().map_or(0.0, |list| list.left);
        let least = needed(best.threshold(), left).max(f32::MIN_POSITIVE);
        let scored = scores.iter().filter(|(_, score)| *score >= least);
        let mut candidates: Vec<_> = scored.collect();
        scores.clear();
        for (at, list) in rest.iter().enumerate() {
            self.look_up(list, &mut candidates)?;
            let left = rest.get(at + 1).map_or(0.0, |list| list.left);
            let least = needed(self.kth(best, &candidates), left);
            candidates.retain(|(_, score)| *score >= least);
        }
        for (doc, score) in candidates {
            best.push(score, self.place(doc));
        }
        Ok(())
    }

    /// What a passage must reach to be among the best, as far as can be told: scores only grow, so whoever leads now has at least
    /// that much in the end. Before a long list is read, the leaders are looked up in what is left.
    fn threshold(
        &self,
        best: &Best,
        rest: &[List],
        leaders: &mut Vec<(DocId, f32)>,
    ) -> tantivy::Result<f32> {
        let partial = self.kth(best, leaders);
        leaders.retain(|(_, score)| *score >= partial);
        let next = rest.first().map_or(0, |list| list.term.doc_freq as usize);
        if next < LONG * rest.len() || rest.is_empty() {
            return Ok(partial);
        }
        let mut leaders = leaders.clone();
        for list in rest {
            self.look_up(list, &mut leaders)?;
        }
        Ok(self.kth(best, &leaders).max(partial))
    }

    /// Gives every passage of the list its score. Answers who leads then, in the order of documents, each once: the best of the
    /// list, and who led before.
    fn read(
        &self,
        list: &List,
        scores: &mut Accumulators,
        (best, before): (&Best, Vec<(DocId, f32)>),
    ) -> tantivy::Result<Vec<(DocId, f32)>> {
        let mut postings = self.postings(list)?;
        let mut leading = best.clone();
        let gone = self.opened.gone.as_ref();
        while !postings.docs().is_empty() {
            for (doc, often) in postings.docs().iter().zip(postings.freqs()) {
                if gone.is_none_or(|gone| !gone.contains(*doc)) {
                    let score = scores.add(*doc, self.score(list, *doc, *often));
                    leading.push(score, self.place(*doc));
                }
            }
            postings.advance();
        }
        let leading = leading.harvest().into_iter();
        let here = leading.filter(|(_, place)| place.segment == self.number);
        let mut leaders: Vec<_> = here.map(|(score, place)| (place.doc, score)).collect();
        leaders.extend(before.iter().map(|(doc, _)| (*doc, scores.of(*doc))));
        leaders.sort_unstable_by_key(|(doc, _)| *doc);
        leaders.dedup_by_key(|(doc, _)| *doc);
        Ok(leaders)
    }

    /// Adds to the candidates' scores, which are in the order of documents, where they are on the list.
    fn look_up(&self, list: &List, candidates: &mut [(DocId, f32)]) -> tantivy::Result<()> {
        let mut postings = self.postings(list)?;
        for (doc, score) in candidates {
            let at = postings.seek(*doc);
            if postings.doc(at) == *doc {
                *score += self.score(list, *doc, postings.freq(at));
            }
        }
        Ok(())
    }

    #[inline]
    fn score(&self, list: &List, doc: DocId, often: u32) -> f32 {
        list.weight * self.bm25.part(often, self.opened.lengths.fieldnorm_id(doc))
    }

    /// What the last of the best has if these are added to them.
    fn kth(&self, best: &Best, scores: &[(DocId, f32)]) -> f32 {
        let mut best = best.clone();
        for (doc, score) in scores {
            best.push(*score, self.place(*doc));
        }
        best.threshold()
    }

    fn postings(&self, list: &List) -> tantivy::Result<BlockSegmentPostings> {
        let words = &self.opened.words;
        Ok(words.read_block_postings_from_terminfo(list.term, IndexRecordOption::WithFreqs)?)
    }

    fn place(&self, doc: DocId) -> Place {
        let segment = self.number;
        Place { segment, doc }
    }
}

/// What a passage must have to reach the threshold by as much as is left: a little less than the difference, because sums of
/// rounded numbers differ with who was added first.
fn needed(threshold: f32, left: f32) -> f32 {
    threshold * (1.0 - WORDS as f32 * f32::EPSILON) - left
}

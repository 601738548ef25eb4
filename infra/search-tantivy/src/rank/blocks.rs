//! Block-max pruning (A. Mallia, T. Suel, N. Tonellotto: Faster learned sparse retrieval with block-max pruning, 2024).
//!
//! Passages are taken by blocks of 32 in a row. It is known what a passage of a block gets at most: the sum of what it gets at most for each
//! word ([`crate::block_max`]). The most promising blocks are scored first, a few at a time, and as soon as no block is left that can
//! hold one of the best passages, the search is over. What comes out is exact: a passage that is found was given the sum over all
//! words, the weightiest first.

use super::{Best, Place, WORDS, bm25::Bm25};
use crate::{
    block_max::{BLOCK, Row},
    view::Opened,
};
use tantivy::postings::{BlockSegmentPostings, TermInfo};

/// Makes a sum of rounded numbers at least as much as the same numbers give in any other order: a few roundings for each word.
const ROUNDED: f32 = 1.0 + 4.0 * WORDS as f32 * f32::EPSILON;

/// A word of the search in a segment.
struct List<'a> {
    term: &'a TermInfo,
    /// What a passage would get that is about nothing but this word.
    weight: f32,
    row: Row<'a>,
}

/// A list while it is read.
struct Reading<'a> {
    list: &'a List<'a>,
    postings: BlockSegmentPostings,
    /// What a passage of the block that is scored now gets at most for this word and all after it.
    left: f32,
}

/// What is searched of one segment.
pub struct Segment<'a> {
    number: usize,
    opened: &'a Opened,
    bm25: &'a Bm25,
    /// The weightiest first.
    lists: Vec<List<'a>>,
}

/// Of a block's passages.
type Scores = [f32; BLOCK as usize];

/// Looks for the best passages of all segments.
///
/// # Errors
/// When a list can't be read.
pub fn search(segments: &[Segment], best: &mut Best<Place>) -> tantivy::Result<()> {
    // What a passage gets at most: for all blocks of the first segment, for those of the second, and so on.
    let mut bounds = Vec::new();
    for segment in segments {
        segment.bound(&mut bounds);
    }
    // Each block has a passage at least, so the first ones have as many as are wanted.
    let mut few = best.count();
    loop {
        let mut promising = Best::new(few, best.threshold());
        for (bound, at) in bounds.iter().zip(0_usize..) {
            promising.push(*bound, at);
        }
        let mut promising = promising.harvest();
        if promising.is_empty() {
            return Ok(());
        }
        promising.sort_unstable_by_key(|(_, at)| *at);
        let (mut rest, mut first) = (promising.as_slice(), 0);
        for segment in segments {
            let end = first + segment.blocks();
            let here = rest.partition_point(|(_, at)| *at < end);
            let (blocks, after) = rest.split_at(here);
            segment.score(blocks, first, best)?;
            (rest, first) = (after, end);
        }
        for (_, at) in promising {
            if let Some(bound) = bounds.get_mut(at) {
                *bound = 0.0;
            }
        }
        few = few.saturating_mul(4);
    }
}

impl<'a> Segment<'a> {
    /// `terms`: where the lists are and what their words weigh, the weightiest first.
    ///
    /// # Errors
    /// When a list can't be read.
    pub fn new(
        (number, opened): (usize, &'a Opened),
        bm25: &'a Bm25,
        terms: impl Iterator<Item = (&'a TermInfo, f32)>,
    ) -> tantivy::Result<Self> {
        let mut lists = Vec::new();
        for (term, weight) in terms {
            let row = opened.block_max.row(&opened.words, term, bm25)?;
            lists.push(List { term, weight, row });
        }
        Ok(Self {
            number,
            opened,
            bm25,
            lists,
        })
    }

    fn blocks(&self) -> usize {
        self.opened.words.passages.div_ceil(BLOCK) as usize
    }

    /// Adds the bounds of this segment's blocks.
    fn bound(&self, bounds: &mut Vec<f32>) {
        let first = bounds.len();
        bounds.resize(first + self.blocks(), 0.0);
        let bounds = bounds.get_mut(first..).unwrap_or_default();
        for list in &self.lists {
            let unit = list.weight * list.row.unit;
            for (bound, most) in bounds.iter_mut().zip(list.row.most.iter()) {
                *bound += unit * f32::from(*most);
            }
        }
        bounds.iter_mut().for_each(|bound| *bound *= ROUNDED);
    }

    /// Adds the best passages of these blocks, which are in order, to the best. The segment's blocks begin with `first`.
    fn score(
        &self,
        blocks: &[(f32, usize)],
        first: usize,
        best: &mut Best<Place>,
    ) -> tantivy::Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        let mut lists = Vec::with_capacity(self.lists.len());
        for list in &self.lists {
            lists.push(Reading {
                list,
                postings: self.opened.words.list(list.term)?,
                left: 0.0,
            });
        }
        let gone = self.opened.gone.as_ref();
        for (bound, at) in blocks {
            if *bound < best.least() {
                continue;
            }
            let block = at - first;
            let Some(scores) = self.scores(block, &mut lists, best.least()) else {
                continue;
            };
            for (doc, score) in (block as u32 * BLOCK..).zip(scores) {
                if score >= best.least() && gone.is_none_or(|gone| !gone.contains(doc)) {
                    let segment = self.number;
                    best.push(score, Place { segment, doc });
                }
            }
        }
        Ok(())
    }

    /// None: no passage has so much, as was seen before all lists were read.
    fn scores(&self, block: usize, lists: &mut [Reading], least: f32) -> Option<Scores> {
        let mut left = 0.0;
        for reading in lists.iter_mut().rev() {
            left += reading.list.bound(block);
            reading.left = left;
        }
        let mut scores = [0.0; BLOCK as usize];
        let mut reached = 0.0;
        for reading in lists {
            if (reached + reading.left) * ROUNDED < least {
                return None;
            }
            if reading.list.bound(block) > 0.0 {
                let added = self.add(reading, block as u32 * BLOCK, &mut scores);
                reached = added.max(reached);
            }
        }
        Some(scores)
    }

    /// Adds to the scores of the passages from `first` on. Answers the highest of those that it added to.
    fn add(&self, reading: &mut Reading, first: u32, scores: &mut Scores) -> f32 {
        let Reading { list, postings, .. } = reading;
        let mut highest = 0.0;
        let mut at = postings.seek(first);
        loop {
            let docs = postings.docs().get(at..).unwrap_or_default();
            let freqs = postings.freqs().get(at..).unwrap_or_default();
            for (doc, often) in docs.iter().zip(freqs) {
                let Some(score) = scores.get_mut((doc - first) as usize) else {
                    return highest;
                };
                let length = self.opened.words.lengths.fieldnorm_id(*doc);
                *score += list.weight * self.bm25.part(*often, length);
                if *score > highest {
                    highest = *score;
                }
            }
            if docs.is_empty() {
                return highest;
            }
            postings.advance();
            at = 0;
        }
    }
}

impl List<'_> {
    /// What a passage of a block gets at most for this word.
    fn bound(&self, block: usize) -> f32 {
        let most = self.row.most.get(block).copied();
        self.weight * self.row.unit * f32::from(most.unwrap_or_default())
    }
}

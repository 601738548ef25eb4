//! The scores of a segment's passages while words are added one after another.

use tantivy::DocId;

/// A score for every passage, and a bit for those that have one, so that the few are found again in order and taken back to 0
/// without a look at the others.
#[derive(Default)]
pub struct Accumulators {
    scores: Vec<f32>,
    scored: Vec<u64>,
}

impl Accumulators {
    /// Makes room for so many passages.
    pub fn fit(&mut self, passages: u32) {
        let groups = (passages as usize).div_ceil(64);
        if self.scored.len() < groups {
            self.scored.resize(groups, 0);
            self.scores.resize(groups * 64, 0.0);
        }
    }

    /// Answers the sum; 0 for a passage beyond the room: there is none.
    #[inline]
    pub fn add(&mut self, doc: DocId, score: f32) -> f32 {
        let at = doc as usize;
        match (self.scores.get_mut(at), self.scored.get_mut(at / 64)) {
            (Some(sum), Some(bits)) => {
                *sum += score;
                *bits |= 1 << (at % 64);
                *sum
            }
            _ => 0.0,
        }
    }

    pub fn of(&self, doc: DocId) -> f32 {
        self.scores.get(doc as usize).copied().unwrap_or_default()
    }

    /// Who has a score, in the order of documents.
    pub fn iter(&self) -> impl Iterator<Item = (DocId, f32)> {
        let groups = self.scored.iter().zip(self.scores.chunks_exact(64));
        groups.enumerate().flat_map(|(group, (bits, scores))| {
            ones(*bits).filter_map(move |bit| {
                let score = scores.get(bit)?;
                Some(((group * 64 + bit) as DocId, *score))
            })
        })
    }

    /// Forgets all scores.
    pub fn clear(&mut self) {
        let groups = self.scored.iter_mut().zip(self.scores.chunks_exact_mut(64));
        for (bits, scores) in groups.filter(|(bits, _)| **bits != 0) {
            scores.fill(0.0);
            *bits = 0;
        }
    }
}

/// The places of the bits that are set, the lowest first.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if bits == 0 {
            return None;
        }
        let lowest = bits.trailing_zeros();
        bits &= bits - 1;
        Some(lowest as usize)
    })
}

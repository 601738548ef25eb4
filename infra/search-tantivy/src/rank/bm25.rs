//! BM25: how well a passage answers a search is the sum over the words that it has of how telling the word is, times how much the passage
//! is about it.

use tantivy::fieldnorm::FieldNormReader;

/// How long a repeated word goes on to count. With B = 0.6, nDCG@10 on Cranfield and CACM is .394 and .525 with 1.6, .397 and .526
/// with 2, .397 and .528 with 2.5, .386 and .519 with 1.2, and so for either half of the queries of each; the value nearest
/// to what is customary (1.2) from which on it changes little.
const K1: f32 = 1.6;
/// How much a long passage's words count less: .392 and .512 with the customary 0.75 (K1 = 1.5), .394 and .524 with 0.5 (K1 = 2).
const B: f32 = 0.6;

/// What all segments together say about words and lengths.
#[derive(Clone, Debug)]
pub struct Bm25 {
    passages: u64,
    /// Words of a passage.
    average: f32,
    /// K1 * (1 - B + B * length / average length), by the byte that the index keeps of a passage's length.
    norms: [f32; 256],
}

impl Bm25 {
    /// Of so many passages with so many words.
    pub fn of(passages: u64, words: u64) -> Self {
        let average = words.max(1) as f32 / passages.max(1) as f32;
        let norm = |byte: u8| {
            let length = FieldNormReader::id_to_fieldnorm(byte) as f32;
            K1 * (1.0 - B + B * length / average)
        };
        let mut norms = [0.0; 256];
        for (byte, slot) in (0..=u8::MAX).zip(&mut norms) {
            *slot = norm(byte);
        }
        Self {
            passages,
            average,
            norms,
        }
    }

    /// The constants that [`Self::part`] depends on.
    pub fn formula() -> String {
        format!("{K1} {B}")
    }

    /// No [`Self::part`] is more than so many times what `other` says, which has seen other passages: longer ones make a length
    /// count less, in proportion at most.
    pub fn at_most(&self, other: &Self) -> f32 {
        (self.average / other.average).max(1.0)
    }

    /// What a word weighs that is in so many passages and was said so often: log(1 + (N - n + 0.5) / (n + 0.5)) * (K1 + 1) * times.
    /// No passage gets more for it.
    pub fn weight(&self, passages: u64, times: u32) -> f32 {
        let passages = passages.min(self.passages);
        let (all, with) = (self.passages as f32, passages as f32);
        ((all - with + 0.5) / (with + 0.5)).ln_1p() * (K1 + 1.0) * times as f32
    }

    /// The part of a word's weight for a passage that has it so often: from 0 to 1, never quite 1.
    #[inline]
    pub fn part(&self, often: u32, length: u8) -> f32 {
        let often = often as f32;
        often / (often + self.norms[usize::from(length)])
    }
}

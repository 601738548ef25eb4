//! How much of a word's weight a passage gets at most, said for 32 passages in a row at a time: a block-max index (S. Ding, T. Suel:
//! Faster top-k document retrieval using block-max indexes, 2011). With it a search knows where on a long list the best
//! passages can be before it reads any of the list.
//!
//! Frequent words have their rows in a file of the segment, a byte for a block. For a segment that was written before there was such a file
//! it is made when the segment is opened. A rare word's row is made when the word is looked for.

use crate::{postings::Words, rank::Bm25};
use std::borrow::Cow;
use tantivy::{
    directory::{FileSlice, OwnedBytes},
    postings::TermInfo,
};

/// The file's.
pub const ENDING: &str = "max";
/// Passages of a block. With half as many, half as many are scored, and twice as many bounds are kept and added up.
pub const BLOCK: u32 = 32;
/// The row of a shorter list is made about as quickly as it is read.
const SHORT: u32 = 256;
/// A row in the file has at most so many bytes for each passage on its word's list.
const ROW: u32 = 4;
/// Stands for the whole weight.
const WHOLE: f32 = 255.0;

/// A segment's rows.
pub struct BlockMax {
    /// Where the lists of the words begin that have one in the file, in order.
    starts: Vec<u64>,
    /// One after another.
    rows: OwnedBytes,
    /// Of a row in the file.
    unit: f32,
}

/// What passages get at most for a word.
pub struct Row<'a> {
    /// For each block.
    pub most: Cow<'a, [u8]>,
    /// Which part of the word's weight 1 stands for.
    pub unit: f32,
}

/// The file's bytes.
///
/// # Errors
/// When a list can't be read.
pub fn write(words: &Words) -> tantivy::Result<Vec<u8>> {
    let least = SHORT.max(words.passages.div_ceil(BLOCK) / ROW);
    let (mut starts, mut rows) = (Vec::new(), Vec::new());
    if words.passages >= least {
        let bm25 = words.bm25();
        let mut terms = words.terms().stream()?;
        while terms.advance() {
            let term = terms.value();
            if term.doc_freq >= least {
                starts.push(start(term));
                rows.append(&mut made(words, term, &bm25)?);
            }
        }
    }
    let mut file = made_for().into_bytes();
    file.extend((starts.len() as u64).to_le_bytes());
    file.extend(starts.iter().flat_map(|start| start.to_le_bytes()));
    file.append(&mut rows);
    Ok(file)
}

/// What the numbers depend on. A file that was made for something else is not used.
fn made_for() -> String {
    format!("{} {BLOCK}\n", Bm25::formula())
}

/// By what a word is known in the file: where its list begins.
fn start(term: &TermInfo) -> u64 {
    term.postings_range.start as u64
}

/// A row, from the list.
fn made(words: &Words, term: &TermInfo, bm25: &Bm25) -> tantivy::Result<Vec<u8>> {
    let mut row = vec![0; words.passages.div_ceil(BLOCK) as usize];
    let mut list = words.list(term)?;
    while !list.docs().is_empty() {
        for (doc, often) in list.docs().iter().zip(list.freqs()) {
            let part = bm25.part(*often, words.lengths.fieldnorm_id(*doc));
            if let Some(most) = row.get_mut((doc / BLOCK) as usize) {
                // Rounded up: a part is less than 1.
                *most = (*most).max(((part * WHOLE) as u8).saturating_add(1));
            }
        }
        list.advance();
    }
    Ok(row)
}

impl BlockMax {
    /// Of a segment, for searches with the statistics of `all` segments.
    ///
    /// # Errors
    /// When the file can't be read, or a list.
    pub fn open(file: Option<FileSlice>, words: &Words, all: &Bm25) -> tantivy::Result<Self> {
        let bytes = match file {
            Some(file) => file.read_bytes()?,
            None => OwnedBytes::new(write(words)?),
        };
        let blocks = words.passages.div_ceil(BLOCK) as usize;
        let read = || {
            let rest = bytes.strip_prefix(made_for().as_bytes())?;
            let (count, rest) = rest.split_first_chunk()?;
            let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
            let (starts, rows) = rest.split_at_checked(count.checked_mul(8)?)?;
            let starts = starts.as_chunks().0.iter();
            let starts = starts.map(|start| u64::from_le_bytes(*start)).collect();
            (rows.len() == count.checked_mul(blocks)?).then_some((starts, rows.len()))
        };
        let (starts, length) = read().unwrap_or_default();
        Ok(Self {
            starts,
            rows: bytes.slice(bytes.len() - length..bytes.len()),
            unit: all.at_most(&words.bm25()) / WHOLE,
        })
    }

    /// Of a word.
    ///
    /// # Errors
    /// When its list can't be read.
    pub fn row(&self, words: &Words, term: &TermInfo, all: &Bm25) -> tantivy::Result<Row<'_>> {
        let blocks = words.passages.div_ceil(BLOCK) as usize;
        let at = self.starts.binary_search(&start(term)).ok();
        match at.and_then(|at| self.rows.get(at * blocks..(at + 1) * blocks)) {
            Some(row) => Ok(Row {
                most: Cow::Borrowed(row),
                unit: self.unit,
            }),
            None => Ok(Row {
                most: Cow::Owned(made(words, term, all)?),
                unit: 1.0 / WHOLE,
            }),
        }
    }
}

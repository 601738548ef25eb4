//! The words of a segment: for each, the passages that it is in and how often; and how long a passage is.

use crate::{rank::Bm25, schema::Fields};
use std::sync::Arc;
use tantivy::{
    InvertedIndexReader, SegmentReader,
    fieldnorm::FieldNormReader,
    postings::{BlockSegmentPostings, TermInfo},
    schema::IndexRecordOption,
    termdict::TermDictionary,
};

/// Opened.
pub struct Words {
    /// Their documents have numbers below this.
    pub passages: u32,
    pub lengths: FieldNormReader,
    lists: Arc<InvertedIndexReader>,
}

impl Words {
    pub fn of(segment: &SegmentReader, fields: &Fields) -> tantivy::Result<Self> {
        Ok(Self {
            passages: segment.max_doc(),
            lengths: segment.get_fieldnorms_reader(fields.words)?,
            lists: segment.inverted_index(fields.words)?,
        })
    }

    /// What this segment's passages say of words and lengths.
    pub fn bm25(&self) -> Bm25 {
        Bm25::of(self.passages.into(), self.lists.total_num_tokens())
    }

    /// Where the lists are.
    pub fn terms(&self) -> &TermDictionary {
        self.lists.terms()
    }

    /// At its beginning.
    pub fn list(&self, term: &TermInfo) -> tantivy::Result<BlockSegmentPostings> {
        let with = IndexRecordOption::WithFreqs;
        Ok(self.lists.read_block_postings_from_terminfo(term, with)?)
    }
}

//! What is kept of a passage: its words with how often they occur, how many there are, and which passage it is.
//!
//! Title, headings and text are one field, in which words of headings count more often (as BM25F weighs fields before
//! it saturates), so that a search reads one list per word and can leave out most of it.

use domain::{id::DocumentId, knowledge::Revision};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};

/// How often a title's word counts: every passage of the document has it.
pub const TITLE: usize = 1;
/// How often a heading's word counts; twice is customary, and changed nothing on the open sets, which have no headings.
pub const HEADING: usize = 2;

/// The names of the columns.
pub const REVISION: &str = "revision";
pub const ORDINAL: &str = "ordinal";

#[derive(Clone, Debug)]
pub struct Fields {
    pub schema: Schema,
    pub words: Field,
    pub revision: Field,
    pub ordinal: Field,
}

pub fn fields() -> Fields {
    let mut schema = Schema::builder();
    // Terms are made by us and joined by spaces.
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_index_option(IndexRecordOption::WithFreqs);
    let words = TextOptions::default().set_indexing_options(indexing);
    Fields {
        words: schema.add_text_field("words", words),
        revision: schema.add_text_field(REVISION, FAST),
        ordinal: schema.add_u64_field(ORDINAL, FAST),
        schema: schema.build(),
    }
}

pub fn key(revision: &Revision) -> String {
    format!("{}:{}", revision.document.as_str(), revision.revision)
}

/// None for what [`key`] has not made.
pub fn revision(key: &str) -> Option<Revision> {
    let (document, revision) = key.rsplit_once(':')?;
    Some(Revision {
        document: DocumentId::new(document),
        revision: revision.parse().ok()?,
    })
}

//! Finding passages by words. An index is a list of immutable segments ([`Manifest`]); the store says which ones count, the index only
//! writes new ones and reads those that it is given. So the same adapter serves one directory, several processes, and functions.

use domain::{
    id::DocumentId,
    knowledge::{Manifest, Revision, Segment},
};
use std::ops::Range;

/// A passage as it is indexed. Its text is not kept in the index: who shows it reads it from the document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub revision: Revision,
    pub ordinal: u32,
    /// ISO 639-1; none: indexed by words as they stand.
    pub language: Option<String>,
    pub title: String,
    /// The heading path, joined by spaces.
    pub headings: String,
    pub text: String,
    pub code: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// Words as a person wrote them, in any language; there is no query syntax.
    pub text: String,
    /// At most so many hits.
    pub limit: usize,
}

/// The best first; equal scores in the order of document and ordinal, so that a search is repeatable.
#[derive(Clone, PartialEq, Debug)]
pub struct Hit {
    pub document: DocumentId,
    pub revision: u32,
    pub ordinal: u32,
    /// Comparable within one answer only.
    pub score: f32,
}

/// What a merge made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// None when nothing was left.
    pub segment: Option<Segment>,
    /// Which of the revisions that are gone were in these segments.
    pub dropped: Vec<Revision>,
}

#[derive(thiserror::Error, Debug)]
pub enum SearchError {
    /// A segment is not there or not what it was: the index can be made again from the documents.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// Again later.
    #[error("the index could not be read or written: {0}")]
    Io(String),
}

#[async_trait::async_trait]
pub trait SearchIndex: Send + Sync {
    /// Writes a new segment; nobody finds it before a manifest names it. At least one entry. The same entries with the same `seal` are the
    /// same segment, with another one they have bytes of their own: what was replaced is never written again, and can be deleted.
    async fn write(&self, seal: &str, entries: Vec<Entry>) -> Result<Segment, SearchError>;

    /// One segment in place of several, without what is gone. Of the same ones it is the same, and none that was there before.
    async fn merge(&self, segments: &[Segment], gone: &[Revision]) -> Result<Merged, SearchError>;

    /// Deletes segments that no manifest will name again, and this process's copies of them. What is not there is no error.
    async fn delete(&self, segments: &[Segment]) -> Result<(), SearchError>;

    /// Searches several collections as one.
    async fn search(&self, of: &[Manifest], search: &Search) -> Result<Vec<Hit>, SearchError>;

    /// Reads every segment whole and answers the number of passages that can be found.
    async fn verify(&self, manifest: &Manifest) -> Result<u64, SearchError>;

    /// The bytes of `text` that made it a hit, in order and apart from each other.
    fn highlight(&self, search: &str, text: &str, language: Option<&str>) -> Vec<Range<usize>>;
}

//! Knowledge: collections of documents, their passages, and what of them can be found.
//!
//! A document is kept as it came (`source`) and as the text that was understood, cut into passages. What can be found is a
//! [`Manifest`]: a list of immutable segments, replaced as a whole. So a reader sees a document wholly or not at all.

mod passages;
mod section;

pub use passages::{LARGEST, SMALLEST, TOKEN, passages};
pub use section::{Origin, Section, Unit};

use crate::{
    Digest, Micros,
    id::{CollectionId, DocumentId, MemberId},
};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Documents that are found together and that the same people may read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Collection {
    pub id: CollectionId,
    /// What people type, checked by [`crate::agent::check_name`]; unique among what one person can see.
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// Whose it is; none: the team's. Nobody else reads it, and no agent on behalf of somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<MemberId>,
    pub created_by: MemberId,
    pub created_at: Micros,
    pub updated_at: Micros,
}

impl Collection {
    /// Whether this person gets anything from it.
    #[must_use]
    pub fn is_readable_by(&self, member: &MemberId) -> bool {
        self.owner.as_ref().is_none_or(|owner| owner == member)
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Document {
    pub id: DocumentId,
    pub collection: CollectionId,
    /// The file's name, below the directory that was added; a new version has the same. It is never used as a path.
    pub name: String,
    /// The digest of the newest bytes that came under this name, so that the same ones are recognised.
    pub source: Digest,
    pub status: DocumentStatus,
    /// Why it failed, for people, with what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Counts the contents that this name has had, from 1.
    pub revision: u32,
    /// What can be found of it now; none before the first reading is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Reading>,
    /// What came before, newest first, at most [`HISTORY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Reading>,
    pub added_by: MemberId,
    pub created_at: Micros,
    pub updated_at: Micros,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum DocumentStatus {
    /// Its job is on its way. What `current` names is still found.
    Reading,
    Ready,
    /// The newest content could not be read; `problem` says why.
    Failed,
    /// Gone from lists and searches, and what it was with it.
    Removed,
}

/// One content of a document, as it was understood.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Reading {
    pub revision: u32,
    /// The blob with the bytes as they came, after a line that says whose they are when `own`.
    pub source: Digest,
    /// Their number.
    pub bytes: u64,
    /// Its blobs are nobody else's, so that they can be deleted with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    pub title: String,
    /// `text/markdown`, `application/pdf`, …
    pub media_type: String,
    /// ISO 639-1, when it is clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    pub passages: u32,
    /// A blob: JSON of [`Outline`].
    pub outline: Digest,
    /// What was left out and why, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    pub by: MemberId,
    pub at: Micros,
}

/// Where a document's passages are: in blobs of some dozens of KiB, so that showing one does not fetch the whole document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
pub struct Outline {
    /// The first passage's ordinal and the blob: JSON of `Vec<Passage>`.
    pub parts: Vec<(u32, Digest)>,
}

impl Outline {
    /// The blob that holds a passage.
    #[must_use]
    pub fn part(&self, ordinal: u32) -> Option<&Digest> {
        let after = self.parts.partition_point(|(first, _)| *first <= ordinal);
        after
            .checked_sub(1)
            .and_then(|at| self.parts.get(at))
            .map(|(_, blob)| blob)
    }
}

/// A piece of a document that makes sense alone: 500 to 1000 tokens, along headings, paragraphs, code and pages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Passage {
    /// Counts from 0 in its document.
    pub ordinal: u32,
    pub text: String,
    /// From the outermost in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headings: Vec<String>,
    /// From 1: where it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Where it ends, if that is another page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_page: Option<u32>,
    /// The first line, from 1, where the source has lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The bytes of the source that say this, where it can be said exactly: the citation can be checked against them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Range<u64>>,
    /// Where the source does not hold it in these letters (HTML, PDF, some encodings): the bytes of the text that is extracted from it, which
    /// can be extracted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Range<u64>>,
    /// Source code, where identifiers matter more than words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub code: bool,
    /// ISO 639-1; of the passage, since documents mix languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// One content of one document, as segments name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct Revision {
    pub document: DocumentId,
    pub revision: u32,
}

/// What of a collection can be found: one record, put over the version that was read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Manifest {
    pub collection: CollectionId,
    #[serde(default)]
    pub segments: Vec<Segment>,
    /// Still in a segment, and not to be found: removed or replaced. A merge drops them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Revision>,
}

impl Manifest {
    /// The segments that should become one now; asked again after each merge. Segments of a size (up to 9 passages, 99, 999, …)
    /// are merged when there are [`OF_A_SIZE`] of them, with all smaller ones, so that a passage is written anew about as many times
    /// as its collection's size has digits, and a search looks at few segments.
    #[must_use]
    pub fn to_merge(&self) -> Option<Vec<Segment>> {
        if self.gone.len() >= MANY_GONE {
            return Some(self.segments.clone());
        }
        let mut segments = self.segments.clone();
        segments.sort_by_key(|segment| segment.passages);
        let size = |segment: &Segment| segment.passages.checked_ilog10();
        let counts = segments.chunk_by(|a, b| size(a) == size(b)).map(<[_]>::len);
        let mut end = 0;
        let many = counts.into_iter().find_map(|count| {
            end += count;
            (count >= OF_A_SIZE).then_some(end)
        });
        let too_many = (segments.len() > MANY_SEGMENTS).then_some(segments.len() / 2 + 1);
        segments.truncate(many.or(too_many)?);
        Some(segments)
    }
}

/// A part of an index that never changes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Segment {
    /// Made by the index; unique.
    pub id: String,
    /// All of its files in one.
    pub blob: Digest,
    pub bytes: u64,
    pub passages: u32,
}

/// Segments beyond which a manifest is merged, so that a search looks at few files; measured
/// by `cargo xtask bench search`.
pub const MANY_SEGMENTS: usize = 12;
/// Segments of about one size that are merged. Two would double the writing, eight the segments.
pub const OF_A_SIZE: usize = 4;
/// Earlier contents of a document that stay in its record. Older ones stay in the audit.
pub const HISTORY: usize = 20;
/// Revisions that wait for a merge, so that the record stays within the store's limit of 32 KiB.
pub const MANY_GONE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(n: u32, passages: u32) -> Segment {
        Segment {
            id: n.to_string(),
            blob: Digest::of_bytes(n.to_string()),
            bytes: 0,
            passages,
        }
    }

    fn manifest(segments: Vec<Segment>) -> Manifest {
        Manifest {
            collection: CollectionId::new("c"),
            segments,
            gone: Vec::new(),
        }
    }

    #[test]
    fn additions_one_by_one_leave_few_segments_and_write_little_again() {
        let mut kept = manifest(Vec::new());
        let (mut most, mut written) = (0, 0);
        for n in 0..20_000 {
            kept.segments.push(segment(n, 1));
            while let Some(few) = kept.to_merge() {
                let passages = few.iter().map(|segment| segment.passages).sum();
                assert!(few.len() > 1);
                kept.segments.retain(|segment| !few.contains(segment));
                kept.segments.push(segment(1_000_000 + n, passages));
                written += passages;
            }
            most = most.max(kept.segments.len());
        }
        let passages: u32 = kept.segments.iter().map(|segment| segment.passages).sum();
        assert_eq!(passages, 20_000);
        assert!(most <= MANY_SEGMENTS, "{most} segments");
        assert!(written <= 20_000 * 12, "{written} passages written again");
    }

    #[test]
    fn large_ones_stay_when_small_ones_are_merged() {
        let sizes = [50_000, 1, 2, 300, 3, 4];
        let segments = (0..).zip(sizes).map(|(n, passages)| segment(n, passages));
        let kept = manifest(segments.collect());
        let few = kept.to_merge().unwrap_or_default();
        let few: Vec<_> = few.iter().map(|segment| segment.passages).collect();
        assert_eq!(few, [1, 2, 3, 4]);
        assert_eq!(manifest(vec![segment(0, 9); 3]).to_merge(), None);
        assert_eq!(manifest(Vec::new()).to_merge(), None);
    }

    #[test]
    fn many_that_are_gone_are_dropped() {
        let mut kept = manifest(vec![segment(0, 50_000), segment(1, 10)]);
        let revision = |revision| Revision {
            document: DocumentId::new("d"),
            revision,
        };
        kept.gone = (0..).map(revision).take(MANY_GONE).collect();
        assert_eq!(kept.to_merge(), Some(kept.segments.clone()));
    }

    #[test]
    fn a_passage_is_in_the_part_that_begins_at_it_or_before() {
        let blob = |n: &str| Digest::of_bytes(n);
        let outline = Outline {
            parts: vec![(0, blob("a")), (5, blob("b"))],
        };
        let found = [0, 4, 5, 9].map(|n| outline.part(n).cloned());
        assert_eq!(found, ["a", "a", "b", "b"].map(|n| Some(blob(n))));
        assert_eq!(Outline::default().part(0), None);
    }
}

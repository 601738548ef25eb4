//! A segment as one blob: a line of JSON that says what is in it, and the files one after another.

use crate::block_max;
use ports::search::SearchError;
use serde::{Deserialize, Serialize};
use std::{io, ops::Range, path::PathBuf};
use tantivy::{
    HasLen,
    directory::{Directory, FileSlice, RamDirectory},
};

/// Changes when older segments can't be read any more, or would be read wrongly: other terms, another schema.
const FORMAT: u32 = 1;
/// Of the line.
const LONGEST_HEAD: usize = 4096;
/// The files of a segment by their endings: tantivy's, of which the last ones are there but empty, and ours.
const ENDINGS: [&str; 7] = [
    "term",
    "idx",
    "fieldnorm",
    "fast",
    "store",
    "pos",
    block_max::ENDING,
];

#[derive(Serialize, Deserialize, Debug)]
struct Head {
    format: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    seal: String,
    passages: u32,
    /// ISO 639-1; empty: passages whose words are indexed as they stand.
    languages: Vec<String>,
    files: Vec<(String, usize)>,
}

/// What there is to know of a segment without opening it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// What makes the bytes other ones than those of any other segment that says the same.
    pub seal: String,
    pub passages: u32,
    pub languages: Vec<String>,
}

/// A packed segment.
#[derive(Debug)]
pub struct Packed {
    pub bytes: Vec<u8>,
    pub passages: u32,
}

/// Packs the files of the segment `name`.
///
/// # Errors
/// When one can't be read.
pub fn pack(directory: &RamDirectory, name: &str, about: About) -> io::Result<Packed> {
    let mut files = Vec::new();
    let mut content = Vec::new();
    for ending in ENDINGS {
        let path = PathBuf::from(format!("{name}.{ending}"));
        if directory.exists(&path).map_err(io::Error::other)? {
            let file = directory.open_read(&path).map_err(io::Error::other)?;
            let bytes = file.read_bytes()?;
            content.extend_from_slice(&bytes);
            files.push((ending.to_owned(), bytes.len()));
        }
    }
    let head = Head {
        format: FORMAT,
        seal: about.seal,
        passages: about.passages,
        languages: about.languages,
        files,
    };
    let mut bytes = serde_json::to_vec(&head)?;
    bytes.push(b'\n');
    bytes.append(&mut content);
    Ok(Packed {
        bytes,
        passages: head.passages,
    })
}

/// A packed segment that can be read.
#[derive(Clone, Debug)]
pub struct Pack {
    pub about: About,
    bytes: FileSlice,
    files: Vec<(String, Range<usize>)>,
}

impl Pack {
    /// # Errors
    /// [`SearchError::Damaged`] for what was made by another version of the program, or is none.
    pub fn open(bytes: FileSlice) -> Result<Self, SearchError> {
        let damaged = |why: &str| SearchError::Damaged(format!("a segment {why}"));
        let start = bytes.slice_to(bytes.len().min(LONGEST_HEAD));
        let start = start
            .read_bytes()
            .map_err(|error| SearchError::Io(error.to_string()))?;
        let end = start.iter().position(|byte| *byte == b'\n');
        let head = end.and_then(|end| serde_json::from_slice::<Head>(start.get(..end)?).ok());
        let (Some(head), Some(end)) = (head, end) else {
            return Err(damaged("does not begin as one"));
        };
        if head.format != FORMAT {
            return Err(damaged("is of another version of this program"));
        }
        let mut from = end + 1;
        let mut files = Vec::new();
        for (ending, length) in head.files {
            let to = from.checked_add(length).filter(|to| *to <= bytes.len());
            let to = to.ok_or_else(|| damaged("is too short"))?;
            files.push((ending, from..to));
            from = to;
        }
        let about = About {
            seal: head.seal,
            passages: head.passages,
            languages: head.languages,
        };
        Ok(Self {
            about,
            bytes,
            files,
        })
    }

    pub fn file(&self, ending: &str) -> Option<FileSlice> {
        let (_, range) = self.files.iter().find(|(known, _)| known == ending)?;
        Some(self.bytes.slice(range.clone()))
    }
}

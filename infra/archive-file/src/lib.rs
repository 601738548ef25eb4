//! The file that `countersign export` writes: lines of JSON in a gzip stream, so that `zcat` shows what is in it.
//!
//! The first line is the [`Header`]. Then come the items of the store, the blobs that they name, and the files of the sessions'
//! workspaces; bytes are pieces of Base64 after the line that they belong to. The last line says how many lines there were and
//! the digest of all of them: a file that was cut or altered anywhere is refused. [`Writer`] and [`Reader`] hold one line in memory,
//! never the file. [`place::Draft`] lets a file appear under its name only when all of it is there.

pub mod place;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use read::{ReadError, Reader};
pub use write::Writer;

use domain::{Digest, Micros};
use ports::archive::Item;
use serde::{Deserialize, Serialize};

/// What this program writes. It reads all formats up to this one.
pub const FORMAT: u32 = 1;
/// Bytes of one piece, before Base64.
pub const PIECE: usize = 256 * 1024;
/// Bytes of one line; the longest are pieces. Whoever wrote a longer one was not us.
const LINE: usize = 1024 * 1024;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Header {
    pub format: u32,
    /// The program's version, for people.
    pub program: String,
    /// The number of the schema that the store had.
    pub schema: i64,
    pub at: Micros,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Countersign(Header),
    Store(Item),
    Blob {
        digest: Digest,
    },
    Directory {
        path: String,
        mode: u32,
    },
    File {
        path: String,
        mode: u32,
        /// Nanoseconds since 1970.
        modified: i64,
    },
    Link {
        path: String,
        target: String,
    },
    /// Of the blob or file before it.
    Bytes(#[serde(with = "base64_text")] Vec<u8>),
    End(End),
}

/// The last line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct End {
    /// Before this one.
    pub lines: u64,
    /// Of the bytes of those lines: SHA-256, in hexadecimal.
    pub digest: String,
    pub counts: Counts,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Counts {
    pub records: u64,
    pub entries: u64,
    pub counters: u64,
    pub jobs: u64,
    pub blobs: u64,
    pub files: u64,
}

impl Counts {
    fn count(&mut self, line: &Line) {
        let counted = match line {
            Line::Store(Item::Record { .. }) => &mut self.records,
            Line::Store(Item::Entry { .. }) => &mut self.entries,
            Line::Store(Item::Counter { .. }) => &mut self.counters,
            Line::Store(Item::Job(_)) => &mut self.jobs,
            Line::Blob { .. } => &mut self.blobs,
            Line::File { .. } => &mut self.files,
            _ => return,
        };
        *counted += 1;
    }
}

mod base64_text {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

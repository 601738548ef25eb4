//! Text that may be too large for a record: kept inline when small, by digest in the blob store when not.

use crate::Digest;
use serde::{Deserialize, Serialize};

/// What a record or event may hold inline, in bytes. Four of them fit into the store's 32 KiB limit for one document.
pub const INLINE_LIMIT: usize = 8 * 1024;

/// A text, or where to find it. `ports::Blobs` turns one into the other.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(untagged)]
pub enum Content {
    Inline(String),
    Stored {
        blob: Digest,
        /// Size in bytes.
        bytes: u64,
        /// The first part, at most 512 bytes, for people and logs-free listings.
        head: String,
    },
}

impl Content {
    #[must_use]
    pub fn inline(text: impl Into<String>) -> Self {
        Self::Inline(text.into())
    }

    /// All of it when inline, else the first part.
    #[must_use]
    pub fn head(&self) -> &str {
        match self {
            Self::Inline(text) => text,
            Self::Stored { head, .. } => head,
        }
    }

    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Inline(text) => text.len() as u64,
            Self::Stored { bytes, .. } => *bytes,
        }
    }
}

/// The longest prefix of `text` that has at most `bytes` bytes and ends at a character's border.
#[must_use]
pub fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

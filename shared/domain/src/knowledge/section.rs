//! What an extractor makes of a file: stretches of text of one kind, in the order of the source, not yet cut into passages.

use serde::{Deserialize, Serialize};

/// A stretch of text under one heading, on one page.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
pub struct Section {
    /// From the outermost in; the last one stands at the beginning of `text`.
    #[serde(default)]
    pub headings: Vec<String>,
    /// From 1, where the source has pages.
    #[serde(default)]
    pub page: Option<u32>,
    /// Source code: cut along its lines, not along sentences.
    #[serde(default)]
    pub code: bool,
    pub text: String,
    /// ISO 639-1, when it is clear.
    #[serde(default)]
    pub language: Option<String>,
    /// Where `text` stands in the source, or in the text that was extracted from it.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// The first line in the source, from 1.
    #[serde(default)]
    pub line: Option<u32>,
}

/// The place of a text in its source, in an encoding in which places can be counted.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Origin {
    /// The byte of the source at which the text begins.
    pub at: u64,
    pub unit: Unit,
}

/// How many bytes of the source say a character.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Utf8,
    Utf16,
    /// One for each character: KOI8-R, windows-1252 and their like.
    OneByte,
    /// The source does not hold it in these letters (a PDF, HTML): places are bytes of the extracted text, all of its sections in a row.
    Extracted,
}

impl Unit {
    /// The bytes that the text takes in the source.
    #[must_use]
    pub fn bytes(self, text: &str) -> u64 {
        match self {
            Self::Utf8 | Self::Extracted => text.len() as u64,
            Self::Utf16 => text.encode_utf16().count() as u64 * 2,
            Self::OneByte => text.chars().count() as u64,
        }
    }
}

impl Origin {
    /// The beginning of the text that is extracted.
    pub const EXTRACTED: Self = Self {
        at: 0,
        unit: Unit::Extracted,
    };

    /// The place of what follows `text`.
    #[must_use]
    pub fn after(self, text: &str) -> Self {
        let at = self.at + self.unit.bytes(text);
        Self { at, ..self }
    }
}

//! Understanding a file: its kind, its language, its text along headings and pages.

use domain::knowledge::Section;

/// The largest file that is read, in bytes. A bot's download is at most 20 MB; the command line may bring more.
pub const MAX_BYTES: u64 = 100 << 20;

#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Without directories. A hint: the bytes decide what it is.
    pub name: &'a str,
    pub bytes: &'a [u8],
}

#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, Debug, Default)]
pub struct Extracted {
    pub title: String,
    pub media_type: String,
    /// ISO 639-1, when it is clear.
    pub language: Option<String>,
    pub pages: Option<u32>,
    /// In the order of the source.
    pub sections: Vec<Section>,
    /// What was left out and why, for people.
    pub skipped: Vec<String>,
}

#[derive(thiserror::Error, Debug)]
pub enum ExtractError {
    /// The file can't be read; for people, with what to do.
    #[error("{0}")]
    Unreadable(String),
    /// Only a process with a sandbox can read this kind.
    #[error("this kind of file is read in the sandbox, and there is none here")]
    NeedsSandbox,
    /// Again later.
    #[error("the file could not be read now: {0}")]
    Io(String),
}

#[async_trait::async_trait]
pub trait Extract: Send + Sync {
    async fn extract(&self, file: File<'_>) -> Result<Extracted, ExtractError>;
}

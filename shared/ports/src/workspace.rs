//! The files of a run: one directory, everything opened beneath it by the kernel, nothing outside reachable by any path.

use domain::Digest;
use std::path::PathBuf;

/// Sizes in bytes. They come from what a model can use, not from what a disk can hold.
pub const READ_LIMIT: u64 = 256 * 1024;
pub const WRITE_LIMIT: u64 = 1024 * 1024;
/// Entries of a listing, matches of a search.
pub const ENTRIES_LIMIT: usize = 1000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Relative to the workspace, with `/` at the end for a directory.
    pub path: String,
    pub bytes: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub path: String,
    /// Counted from 1.
    pub line: u32,
    /// The line's text, at most 400 bytes.
    pub text: String,
}

/// A file as it was read: the text, and the digest of all of its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileText {
    pub text: String,
    pub digest: Digest,
}

#[derive(thiserror::Error, Debug, PartialEq, Eq)]
pub enum WorkspaceError {
    #[error("“{0}” does not exist")]
    Missing(String),
    #[error("“{0}” is outside the workspace")]
    Outside(String),
    #[error("“{0}” is a directory")]
    IsDirectory(String),
    #[error("“{0}” is not a directory")]
    NotDirectory(String),
    #[error("“{path}” has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        path: String,
        bytes: u64,
        limit: u64,
    },
    #[error("“{0}” is a binary file")]
    Binary(String),
    #[error("“{0}” cannot be opened: permission denied")]
    Forbidden(String),
    /// A directory that no agent may be given, as a sentence without its period: why, and what to do.
    #[error("{0}")]
    Refused(String),
    #[error("“{0}” is a device, socket or pipe")]
    Special(String),
    /// Who changes such a file has to write the secret again, which nobody but a person knows.
    #[error("“{0}” holds a secret: only a person may change it")]
    HoldsSecret(String),
    /// Without the secret it would not be the text that was approved.
    #[error("the text for “{0}” holds a secret, so it was not written: only a person may write it")]
    SecretInText(String),
    #[error("“{0}” is not a usable pattern")]
    Pattern(String),
    #[error("the disk is full")]
    DiskFull,
    #[error("the file system failed: {0}")]
    Io(String),
}

/// One workspace's files. Paths are relative to its root; `./a` and `a` are the same, `..`, absolute paths and links that lead
/// outside are [`WorkspaceError::Outside`].
#[async_trait::async_trait]
pub trait Workspace: Send + Sync {
    /// Its directory, for the sandbox.
    fn root(&self) -> PathBuf;

    /// Below `path` (`.` for all), sorted by path; `.git` and what `.gitignore`-like noise there is stays in: the caller filters.
    /// At most [`ENTRIES_LIMIT`]; the flag says whether there was more.
    async fn list(&self, path: &str, recursive: bool)
    -> Result<(Vec<Entry>, bool), WorkspaceError>;

    /// A text file of at most [`READ_LIMIT`] bytes.
    async fn read(&self, path: &str) -> Result<FileText, WorkspaceError>;

    /// Replaces or creates the file (parent directories too) atomically: the old or the new text, never a part.
    async fn write(&self, path: &str, text: &str) -> Result<(), WorkspaceError>;

    /// Lines that contain `needle` (plain text, case as given) in files whose path matches `glob`; binary and large files are
    /// passed over.
    async fn search(&self, needle: &str, glob: &str) -> Result<(Vec<Found>, bool), WorkspaceError>;

    /// The digest of every path, kind, mode and content below the root. Files over 1 MiB count by size and modification time.
    async fn manifest(&self) -> Result<Digest, WorkspaceError>;
}

/// Gives each session its workspace. `open` creates it when it is not there; with `own`, a directory of the person's, it opens
/// that one, which must exist and is never created, given away or deleted.
#[async_trait::async_trait]
pub trait Workspaces: Send + Sync {
    async fn open(
        &self,
        session: &domain::id::SessionId,
        own: Option<&str>,
    ) -> Result<std::sync::Arc<dyn Workspace>, WorkspaceError>;
}

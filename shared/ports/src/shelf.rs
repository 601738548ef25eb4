//! Where skills come from that a team does not have yet: an index that somebody who has the machine keeps.

use domain::skill::{BadSkill, Package};

/// One entry of the index. The content may be another one when it is fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    pub name: String,
    /// Where it lies, for people.
    pub source: String,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Fetched {
    pub package: Package,
    /// For people and the record.
    pub source: String,
}

/// Sentences without their period.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum ShelfError {
    #[error("there is no “{0}”")]
    Missing(String),
    #[error("“{path}” {why}")]
    Unreadable { path: String, why: String },
    #[error("“{path}” is no skill: {error}")]
    NoSkill { path: String, error: BadSkill },
    #[error("“{name}” has another content than its digest in the index says")]
    Changed { name: String },
}

#[async_trait::async_trait]
pub trait Shelf: Send + Sync {
    /// All of the index, by name; none where there is no index.
    async fn offers(&self) -> Result<Vec<Offer>, ShelfError>;

    /// The content as it is now.
    async fn fetch(&self, name: &str) -> Result<Fetched, ShelfError>;

    /// Whether a file of this name is meant to be one: it is a zip with a SKILL.md, or a git bundle. Nothing is unpacked for that.
    fn is_skill(&self, name: &str, bytes: &[u8]) -> bool;

    /// A skill that came as one such file.
    async fn unpack(&self, name: &str, bytes: &[u8]) -> Result<Package, ShelfError>;
}

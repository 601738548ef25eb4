//! Files that people send: they stay on their surface until somebody fetches them.

#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum FetchError {
    /// It can't be had; for people, with what to do.
    #[error("{0}")]
    Refused(String),
    /// Again later.
    #[error("the file could not be fetched now: {0}")]
    Unavailable(String),
}

#[async_trait::async_trait]
pub trait Fetch: Send + Sync {
    /// The bytes of a file by the surface's own id.
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, FetchError>;
}

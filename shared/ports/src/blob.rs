//! Bytes too large for a record, by digest.

use domain::{
    Digest,
    content::{self, Content},
};

#[derive(thiserror::Error, Debug)]
pub enum BlobError {
    #[error("blob {0} is not there")]
    Missing(Digest),
    #[error("blob {0} is damaged: its bytes have another digest")]
    Damaged(Digest),
    #[error("the blob store failed: {0}")]
    Io(String),
}

#[async_trait::async_trait]
pub trait Blobs: Send + Sync {
    /// Keeps the bytes and answers their digest. Keeping the same bytes again changes nothing.
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError>;

    /// The bytes, checked against the digest.
    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError>;

    /// Takes the bytes away; what is not there is no error. Only for bytes that nobody else can have kept: who keeps the same ones at this
    /// moment may lose them.
    async fn delete(&self, digest: &Digest) -> Result<(), BlobError>;
}

/// Keeps a text inline when it is small, in the blob store when it is not.
///
/// # Errors
/// What [`Blobs::put`] answers.
pub async fn keep(blobs: &dyn Blobs, text: String) -> Result<Content, BlobError> {
    if text.len() <= content::INLINE_LIMIT {
        return Ok(Content::Inline(text));
    }
    let blob = blobs.put(text.as_bytes()).await?;
    Ok(Content::Stored {
        blob,
        bytes: text.len() as u64,
        head: content::prefix(&text, 512).to_owned(),
    })
}

/// The whole text again.
///
/// # Errors
/// What [`Blobs::get`] answers.
pub async fn text(blobs: &dyn Blobs, content: &Content) -> Result<String, BlobError> {
    match content {
        Content::Inline(text) => Ok(text.clone()),
        Content::Stored { blob, .. } => {
            Ok(String::from_utf8_lossy(&blobs.get(blob).await?).into_owned())
        }
    }
}

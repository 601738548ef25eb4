//! The blobs of one content of a document: the original, its passages, and where these are. Each begins with a line that says whose it is, so
//! that no other record ever names the same blob, whatever it holds, and all of them can be deleted with that content.

use crate::Home;
use domain::{
    Digest,
    knowledge::{Outline, Revision},
};
use ports::{blob::BlobError, job::Contents};

/// Keeps bytes for this content alone.
///
/// # Errors
/// What the blob store answers.
pub async fn put(home: &Home, of: &Revision, bytes: &[u8]) -> Result<Digest, BlobError> {
    home.blobs.put(&[line(of).as_bytes(), bytes].concat()).await
}

/// The bytes again, also those that were kept when there was no such line.
///
/// # Errors
/// What the blob store answers.
pub async fn get(home: &Home, of: &Revision, blob: &Digest) -> Result<Vec<u8>, BlobError> {
    let mut bytes = home.blobs.get(blob).await?;
    let line = line(of);
    if bytes.starts_with(line.as_bytes()) {
        bytes.drain(..line.len());
    }
    Ok(bytes)
}

/// Deletes a content whose blobs are its own. The outline goes last, because it says what else there is: whoever dies here goes on.
///
/// # Errors
/// When the blob store does not answer.
pub async fn delete(home: &Home, contents: &Contents) -> Result<(), BlobError> {
    home.blobs.delete(&contents.source).await?;
    let Some(outline) = &contents.outline else {
        return Ok(());
    };
    let known = match get(home, &contents.of, outline).await {
        Ok(bytes) => serde_json::from_slice::<Outline>(&bytes).unwrap_or_default(),
        Err(BlobError::Missing(_) | BlobError::Damaged(_)) => Outline::default(),
        Err(error) => return Err(error),
    };
    for (_, part) in &known.parts {
        home.blobs.delete(part).await?;
    }
    home.blobs.delete(outline).await
}

fn line(of: &Revision) -> String {
    format!("{} {}\n", of.document, of.revision)
}

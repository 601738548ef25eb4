//! Large texts. A blob is named by the digest of what is kept; one that was kept before its secret was known is cleaned when it is
//! read.

use super::Redacted;
use domain::{Digest, redact::Redactor};
use ports::{Blobs, blob::BlobError};
use std::borrow::Cow;

#[async_trait::async_trait]
impl Blobs for Redacted<dyn Blobs> {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        self.inner.put(&clean(&self.redaction.now(), bytes)).await
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let bytes = self.inner.get(digest).await?;
        Ok(clean(&self.redaction.now(), &bytes).into_owned())
    }

    async fn delete(&self, digest: &Digest) -> Result<(), BlobError> {
        self.inner.delete(digest).await
    }
}

fn clean<'a>(redactor: &Redactor, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    match std::str::from_utf8(bytes) {
        Ok(text) => match redactor.text(text) {
            Cow::Borrowed(_) => Cow::Borrowed(bytes),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
        Err(_) => redactor.bytes(bytes),
    }
}

//! Blobs in memory.

use async_trait::async_trait;
use domain::Digest;
use ports::{Blobs, blob::BlobError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Keeps bytes by digest; a test can damage or lose them.
#[derive(Default, Debug)]
pub struct MemoryBlobs {
    kept: Mutex<BTreeMap<Digest, Vec<u8>>>,
}

impl MemoryBlobs {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many different blobs are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// From now on the blob is not what its digest says.
    pub fn damage(&self, digest: &Digest) {
        if let Some(bytes) = self.lock().get_mut(digest) {
            bytes.push(b'!');
        }
    }

    pub fn lose(&self, digest: &Digest) {
        self.lock().remove(digest);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Vec<u8>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let digest = Digest::of_bytes(bytes);
        self.lock().insert(digest.clone(), bytes.to_vec());
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let bytes = self.lock().get(digest).cloned();
        let bytes = bytes.ok_or_else(|| BlobError::Missing(digest.clone()))?;
        match Digest::of_bytes(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(BlobError::Damaged(digest.clone())),
        }
    }

    async fn delete(&self, digest: &Digest) -> Result<(), BlobError> {
        self.lose(digest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryBlobs;
    use crate::contract::{
        Broken, Outcome,
        blobs::{Damaging, Kept},
    };
    use async_trait::async_trait;
    use domain::Digest;
    use std::sync::Arc;

    #[async_trait]
    impl Damaging for Arc<MemoryBlobs> {
        async fn damage(&self, digest: &Digest, bytes: &[u8]) -> Outcome {
            self.lock().insert(digest.clone(), bytes.to_vec());
            Ok(())
        }
    }

    async fn make() -> Result<(Kept, ()), Broken> {
        let blobs = Arc::new(MemoryBlobs::new());
        let vandal = Box::new(blobs.clone());
        Ok((Kept { blobs, vandal }, ()))
    }

    crate::blobs_contract!(make);
}

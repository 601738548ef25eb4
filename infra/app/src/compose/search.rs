//! The index of the knowledge: its segments are blobs, and copies of them lie where this process can map them.

use super::{BadStart, database};
use crate::config::Config;
use domain::Digest;
use ports::{Blobs, SearchIndex, blob::BlobError};
use search_tantivy::{Place, TantivyIndex};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of segments that are kept beside the blob store.
const LOCAL_LIMIT: u64 = 4 << 30;
/// A function has 512 MB below `/tmp` unless its template says more, and other things lie there too.
const CLOUD_LIMIT: u64 = 256 << 20;
/// The only place where a function may write. It outlives invocations, not instances.
const CLOUD_DIRECTORY: &str = "/tmp/countersign-search";

/// Beside the other directory.
const TOOLS: &str = "countersign-tools";
/// The index of a list of tools has some 50 KB.
const TOOLS_LIMIT: u64 = 16 << 20;
/// Lists of tools that are kept in memory.
const LATEST: usize = 32;

/// The index over the team's blobs. It indexes no secret. Segments are digests of compressed words, which nothing
/// may change on the way, so they go into the blob store itself.
///
/// # Errors
/// [`BadStart`] when it is not said where blobs are.
pub async fn index(config: &Config) -> Result<Arc<dyn SearchIndex>, BadStart> {
    let blobs = database::blobs(config).await?;
    let index: Arc<dyn SearchIndex> = Arc::new(TantivyIndex::new(blobs, place(config)));
    Ok(config.redaction.over(index))
}

fn place(config: &Config) -> Place {
    if config.database.is_cloud() {
        return Place {
            directory: PathBuf::from(CLOUD_DIRECTORY),
            limit: CLOUD_LIMIT,
        };
    }
    Place {
        directory: config.home.join("cache").join("search"),
        limit: LOCAL_LIMIT,
    }
}

/// The index of the tools that agents look for. It is made anew from their list by each process, so the team's blobs hold nothing of it.
#[must_use]
pub fn of_tools(config: &Config) -> Arc<dyn SearchIndex> {
    let place = Place {
        directory: place(config).directory.with_file_name(TOOLS),
        limit: TOOLS_LIMIT,
    };
    let index: Arc<dyn SearchIndex> =
        Arc::new(TantivyIndex::new(Arc::new(Latest::default()), place));
    config.redaction.over(index)
}

/// The latest blobs, in memory. What is older is missing.
#[derive(Default)]
struct Latest(Mutex<VecDeque<(Digest, Vec<u8>)>>);

#[async_trait::async_trait]
impl Blobs for Latest {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let digest = Digest::of_bytes(bytes);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.iter().any(|(known, _)| *known == digest) {
            kept.push_back((digest.clone(), bytes.to_vec()));
        }
        while kept.len() > LATEST {
            kept.pop_front();
        }
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().find(|(known, _)| known == digest);
        known
            .map(|(_, bytes)| bytes.clone())
            .ok_or_else(|| BlobError::Missing(digest.clone()))
    }

    async fn delete(&self, digest: &Digest) -> Result<(), BlobError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| known != digest);
        Ok(())
    }
}

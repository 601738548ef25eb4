//! The index of the knowledge: its segments are blobs, and copies of them lie where this process can map them.

use super::{BadStart, database};
use crate::config::Config;
use ports::SearchIndex;
use search_tantivy::{Place, TantivyIndex};
use std::{path::PathBuf, sync::Arc};

/// Bytes of segments that are kept beside the blob store.
const LOCAL_LIMIT: u64 = 4 << 30;
/// A function has 512 MB below `/tmp` unless its template says more, and other things lie there too.
const CLOUD_LIMIT: u64 = 256 << 20;
/// The only place where a function may write. It outlives invocations, not instances.
const CLOUD_DIRECTORY: &str = "/tmp/countersign-search";

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

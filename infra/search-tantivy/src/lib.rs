//! The search index on tantivy: immutable segments in the blob store, read through a local cache. Only this crate names tantivy.
//!
//! A segment is one tantivy segment, packed into one blob ([`pack`]). To search, the segments of the given manifests are opened as
//! one index ([`view`]), so that a word is as rare as it is in all of them together. The best passages by BM25 are
//! found without reading most of what there is ([`rank`]). Text becomes terms in [`terms`], for passages and searches alike.

mod block_max;
mod cache;
mod directory;
mod language;
mod merge;
mod names;
mod pack;
mod pieces;
mod postings;
mod rank;
mod schema;
mod terms;
#[cfg(test)]
mod tests;
mod view;
mod words;
mod write;

pub use cache::Place;

use cache::Cache;
use domain::knowledge::{Manifest, Revision, Segment};
use ports::{
    Blobs,
    blob::BlobError,
    search::{Entry, Hit, Merged, Search, SearchError, SearchIndex},
};
use std::{ops::Range, sync::Arc};
use view::Views;

/// Segments are written once and read by any number of processes.
pub struct TantivyIndex {
    cache: Arc<Cache>,
    views: Views,
}

impl TantivyIndex {
    /// Nothing is opened before it is searched.
    #[must_use]
    pub fn new(blobs: Arc<dyn Blobs>, place: Place) -> Self {
        Self {
            cache: Arc::new(Cache::new(blobs, place)),
            views: Views::default(),
        }
    }
}

#[async_trait::async_trait]
impl SearchIndex for TantivyIndex {
    async fn write(&self, seal: &str, entries: Vec<Entry>) -> Result<Segment, SearchError> {
        let seal = seal.to_owned();
        let packed = blocking(move || write::segment(seal, &entries)).await?;
        self.cache.keep(packed).await
    }

    async fn merge(&self, segments: &[Segment], gone: &[Revision]) -> Result<Merged, SearchError> {
        let view = self.views.open(&self.cache, segments, gone).await?;
        let seal = merge::seal(segments, gone);
        let (packed, dropped) = blocking(move || merge::merged(seal, &view)).await?;
        let segment = match packed {
            Some(packed) => Some(self.cache.keep(packed).await?),
            None => None,
        };
        Ok(Merged { segment, dropped })
    }

    async fn delete(&self, segments: &[Segment]) -> Result<(), SearchError> {
        for segment in segments {
            self.cache.delete(segment).await?;
        }
        Ok(())
    }

    async fn search(&self, of: &[Manifest], search: &Search) -> Result<Vec<Hit>, SearchError> {
        let segments: Vec<_> = of.iter().flat_map(|m| m.segments.clone()).collect();
        let gone: Vec<_> = of.iter().flat_map(|m| m.gone.clone()).collect();
        if segments.is_empty() || search.limit == 0 {
            return Ok(Vec::new());
        }
        let view = self.views.open(&self.cache, &segments, &gone).await?;
        let search = search.clone();
        blocking(move || rank::best(&view, &search)).await
    }

    async fn verify(&self, manifest: &Manifest) -> Result<u64, SearchError> {
        let mut found = 0;
        for segment in &manifest.segments {
            let pack = self.cache.fetch(segment).await?;
            let gone = manifest.gone.clone();
            let segment = segment.clone();
            found += blocking(move || view::count(&segment, pack, &gone)).await?;
        }
        Ok(found)
    }

    fn highlight(&self, search: &str, text: &str, language: Option<&str>) -> Vec<Range<usize>> {
        words::shown(search, text, language)
    }
}

/// Work that a thread of the runtime must not be kept from others with. A panic in it is an error.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SearchError> + Send + 'static,
) -> Result<T, SearchError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| SearchError::Io(error.to_string()))?
}

/// What tantivy answers about bytes whose digest was right.
fn failed(error: &tantivy::TantivyError) -> SearchError {
    SearchError::Io(error.to_string())
}

fn unkept(error: BlobError) -> SearchError {
    match error {
        BlobError::Missing(_) | BlobError::Damaged(_) => SearchError::Damaged(error.to_string()),
        BlobError::Io(reason) => SearchError::Io(reason),
    }
}

//! Points around what documents go through: the blob store, the sandbox in which one is read, the index.

use super::{
    Point,
    armed::{Perilous, reached},
};
use domain::{
    Digest,
    knowledge::{Manifest, Revision, Segment},
};
use ports::{
    Blobs, Sandbox, SearchIndex,
    blob::BlobError,
    sandbox::{Cancel, Exec, ExecResult, Limits, SandboxError, Serve, Serving, Tier},
    search::{Entry, Hit, Merged, Search, SearchError},
};
use std::{ops::Range, sync::Arc, time::Duration};

/// Into the reading of a document: its process starts, and is never done.
const AMID: Duration = Duration::from_millis(5);

#[must_use]
pub fn blobs(blobs: Arc<dyn Blobs>) -> Arc<dyn Blobs> {
    Arc::new(Perilous(blobs))
}

/// The sandbox of documents, as opposed to that of commands.
#[must_use]
pub fn reader(sandbox: Arc<dyn Sandbox>) -> Arc<dyn Sandbox> {
    Arc::new(Reader(sandbox))
}

#[must_use]
pub fn index(index: Arc<dyn SearchIndex>) -> Arc<dyn SearchIndex> {
    Arc::new(Perilous(index))
}

#[async_trait::async_trait]
impl Blobs for Perilous<dyn Blobs> {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        reached(Point::BlobBefore);
        let put = self.0.put(bytes).await;
        reached(Point::BlobAfter);
        put
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        self.0.get(digest).await
    }

    async fn delete(&self, digest: &Digest) -> Result<(), BlobError> {
        reached(Point::BlobBefore);
        let deleted = self.0.delete(digest).await;
        reached(Point::BlobAfter);
        deleted
    }
}

struct Reader(Arc<dyn Sandbox>);

#[async_trait::async_trait]
impl Sandbox for Reader {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        self.0.probe().await
    }

    async fn run(&self, exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError> {
        reached(Point::ExtractBefore);
        let mut run = self.0.run(exec, cancel);
        let result = match tokio::time::timeout(AMID, &mut run).await {
            Ok(result) => result,
            Err(_) => {
                reached(Point::ExtractAmid);
                run.await
            }
        };
        reached(Point::ExtractAfter);
        result
    }

    async fn serve(&self, serve: Serve, cancel: Cancel) -> Result<Serving, SandboxError> {
        self.0.serve(serve, cancel).await
    }

    fn digest(&self, limits: &Limits) -> Digest {
        self.0.digest(limits)
    }
}

#[async_trait::async_trait]
impl SearchIndex for Perilous<dyn SearchIndex> {
    async fn write(&self, seal: &str, entries: Vec<Entry>) -> Result<Segment, SearchError> {
        reached(Point::IngestBefore);
        let written = self.0.write(seal, entries).await;
        reached(Point::IngestAfter);
        written
    }

    async fn merge(&self, of: &[Segment], gone: &[Revision]) -> Result<Merged, SearchError> {
        reached(Point::MergeBefore);
        let merged = self.0.merge(of, gone).await;
        reached(Point::MergeAfter);
        merged
    }

    async fn delete(&self, segments: &[Segment]) -> Result<(), SearchError> {
        reached(Point::MergeBefore);
        let deleted = self.0.delete(segments).await;
        reached(Point::MergeAfter);
        deleted
    }

    async fn search(&self, of: &[Manifest], search: &Search) -> Result<Vec<Hit>, SearchError> {
        self.0.search(of, search).await
    }

    async fn verify(&self, manifest: &Manifest) -> Result<u64, SearchError> {
        self.0.verify(manifest).await
    }

    fn highlight(&self, search: &str, text: &str, language: Option<&str>) -> Vec<Range<usize>> {
        self.0.highlight(search, text, language)
    }
}

//! From a file to something that can be found. The command [`add`] stores the bytes, a record and a job; the job reads the bytes, cuts them into
//! passages, writes a segment of the index, and makes all of it true in one commit: the document's record, the manifest that
//! names the segment, the audit, the job's end. Before that commit nothing of it can be found, after it everything can; a process that dies
//! in between leaves blobs that nobody names, and the job for the next one.
//!
//! [`merge`] keeps segments few. [`remove`] takes a document out of the searches, [`clear`] deletes what nobody can come to any more, [`reindex`]
//! makes the index again from the passages, [`verify`] compares all of it.

mod add;
mod clear;
mod commit;
mod fail;
mod merge;
mod parts;
mod place;
mod read;
mod reindex;
mod remove;
mod stands;
mod verify;

pub use add::{Added, New, add, document_id};
pub use clear::{empty_later, forget_later};
pub use fail::give_up;
pub use place::{DEFAULT, place};
pub use reindex::{Reindexed, documents, reindex};
pub use remove::{find, remove};
pub use verify::{Verified, verify};

use crate::{HandlerError, Home, Lease, draft};
use domain::{
    id::CollectionId,
    knowledge::{Document, Manifest},
};
use ports::{
    Extract, SearchIndex,
    job::Ingest,
    repo::{self, Stored},
    store::{Op, StoreError},
};
use std::sync::Arc;

/// What reading documents needs of the world.
#[derive(Clone)]
pub struct IngestPorts {
    pub home: Home,
    pub extract: Arc<dyn Extract>,
    pub index: Arc<dyn SearchIndex>,
}

/// One document read, one index merged, or what is no more deleted.
///
/// # Errors
/// [`HandlerError::Retry`] when the world did not answer.
pub async fn ingest(ports: &IngestPorts, lease: &Lease, work: &Ingest) -> Result<(), HandlerError> {
    match work {
        Ingest::Read(work) => read::read(ports, lease, work).await,
        Ingest::Merge { collection } => merge::merge(ports, lease, collection).await,
        Ingest::Clear(work) => clear::clear(ports, lease, work).await,
        Ingest::Empty { collection } => clear::empty(ports, lease, collection).await,
        Ingest::Forget { pin, blob } => clear::forget(ports, lease, (pin, blob)).await,
    }
}

/// The stream of the audit that tells what happened to a document.
fn stream(document: &Document) -> String {
    format!("document:{}", document.id)
}

/// What of a collection can be found now, with the version to put over; none before its first document.
async fn manifest(
    home: &Home,
    collection: &CollectionId,
) -> Result<(Manifest, Option<u64>), StoreError> {
    let stored = repo::get::<Manifest>(&*home.store, &home.team, collection.as_str()).await?;
    Ok(match stored {
        Some(Stored { value, version }) => (value, Some(version)),
        None => {
            let empty = Manifest {
                collection: collection.clone(),
                segments: Vec::new(),
                gone: Vec::new(),
            };
            (empty, None)
        }
    })
}

/// The job is done, and with it all of this.
async fn done(home: &Home, lease: &Lease, mut ops: Vec<Op>) -> Result<(), HandlerError> {
    ops.push(finish(lease));
    draft::fenced(draft::commit(home, ops).await)
}

fn finish(lease: &Lease) -> Op {
    Op::Finish {
        job: lease.job.id.clone(),
        epoch: lease.job.epoch,
    }
}

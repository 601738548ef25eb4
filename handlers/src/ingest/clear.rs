//! What nobody can come to any more goes from the blob store: segments that were merged or replaced, what documents were. An hour later, so
//! that whoever read a manifest or a record before finds what it names.

use super::{IngestPorts, done, manifest};
use crate::{HandlerError, Home, Lease, draft, knowledge::own, offers};
use domain::{
    Digest,
    id::CollectionId,
    knowledge::{Document, DocumentStatus, Manifest, Reading, Revision},
};
use ports::{
    job::{self, Clear, Contents, Ingest},
    repo::{self, Stored},
    search::SearchError,
    store::{Op, StoreError},
};
use std::time::Duration;

/// A function's longest invocation four times over. The file of a backup that is being made may miss what goes meanwhile, as it would miss
/// what a person takes out.
const GRACE: Duration = Duration::from_secs(3600);
/// Documents whose records go in one commit.
const AT_ONCE: usize = 25;

/// The job that does it, if there is anything to do.
///
/// # Errors
/// None that can be brought about.
pub fn later(home: &Home, work: Clear) -> Result<Option<Op>, serde_json::Error> {
    let nothing = work.segments.is_empty() && work.contents.is_empty();
    if nothing {
        return Ok(None);
    }
    enqueue(home, &Ingest::Clear(work)).map(Some)
}

/// The job that takes away what is in a collection that is no more.
///
/// # Errors
/// None that can be brought about.
pub fn empty_later(home: &Home, collection: &CollectionId) -> Result<Op, serde_json::Error> {
    let collection = collection.clone();
    enqueue(home, &Ingest::Empty { collection })
}

/// The job that deletes a file which waited for a yes.
///
/// # Errors
/// None that can be brought about.
pub fn forget_later(home: &Home, pin: &str, blob: Digest) -> Result<Op, serde_json::Error> {
    let pin = pin.to_owned();
    enqueue(home, &Ingest::Forget { pin, blob })
}

fn enqueue(home: &Home, work: &Ingest) -> Result<Op, serde_json::Error> {
    let due = home.now().plus(GRACE);
    let job = job::new_job(&home.team, home.chance.id(), work, due)?;
    Ok(Op::Enqueue(job))
}

/// The blobs of what a document was, as far as they are nobody else's.
pub fn contents<'a>(
    document: &'a Document,
    readings: impl IntoIterator<Item = &'a Reading>,
) -> Vec<Contents> {
    let own = readings.into_iter().filter(|reading| reading.own);
    let contents = own.map(|reading| Contents {
        of: Revision {
            document: document.id.clone(),
            revision: reading.revision,
        },
        source: reading.source.clone(),
        outline: Some(reading.outline.clone()),
    });
    contents.collect()
}

/// The job. Doing it twice is doing it once.
pub async fn clear(ports: &IngestPorts, lease: &Lease, work: &Clear) -> Result<(), HandlerError> {
    let home = &ports.home;
    let mut gone = work.segments.clone();
    // Whatever a job says, what counts now stays: another worker may have been done with the same, a backup may have brought it back.
    if let Some(collection) = &work.collection {
        let (found, _) = manifest(home, collection).await?;
        gone.retain(|segment| found.segments.iter().all(|one| one.blob != segment.blob));
    }
    ports.index.delete(&gone).await.map_err(again)?;
    for contents in &work.contents {
        if !is_named(home, &contents.of).await? {
            own::delete(home, contents).await?;
        }
    }
    done(home, lease, Vec::new()).await
}

async fn is_named(home: &Home, of: &Revision) -> Result<bool, StoreError> {
    let id = of.document.as_str();
    let stored = repo::get::<Document>(&*home.store, &home.team, id).await?;
    Ok(stored.is_some_and(|Stored { value, .. }| {
        let waits = value.status == DocumentStatus::Reading && value.revision == of.revision;
        let mut readings = value.current.iter().chain(&value.history);
        waits || readings.any(|reading| reading.revision == of.revision)
    }))
}

/// The job of a file that waited for a yes: the same one may have been sent again meanwhile.
pub async fn forget(
    ports: &IngestPorts,
    lease: &Lease,
    (pin, blob): (&str, &Digest),
) -> Result<(), HandlerError> {
    let home = &ports.home;
    if !offers::names(home, pin, blob).await? {
        home.blobs.delete(blob).await?;
    }
    done(home, lease, Vec::new()).await
}

/// The job of a collection that is no more: its documents' blobs and records, then its index. When the time is up, another one goes on.
pub async fn empty(
    ports: &IngestPorts,
    lease: &Lease,
    collection: &CollectionId,
) -> Result<(), HandlerError> {
    let home = &ports.home;
    let query = repo::by::<Document>(&home.team, "by_name", collection.as_str());
    let listed = repo::collect::<Document>(&*home.store, query).await?;
    for some in listed.chunks(AT_ONCE) {
        if home.now() >= lease.deadline {
            let collection = collection.clone();
            let work = Ingest::Empty { collection };
            let job = job::new_job(&home.team, home.chance.id(), &work, home.now())?;
            return done(home, lease, vec![Op::Enqueue(job)]).await;
        }
        documents(home, lease, some).await?;
    }
    let mut ops = Vec::new();
    if let Some(found) = stored(home, collection).await? {
        let segments = &found.value.segments;
        ports.index.delete(segments).await.map_err(again)?;
        ops.push(repo::delete(&home.team, &found));
    }
    done(home, lease, ops).await
}

async fn stored(
    home: &Home,
    collection: &CollectionId,
) -> Result<Option<Stored<Manifest>>, StoreError> {
    repo::get(&*home.store, &home.team, collection.as_str()).await
}

/// Some documents: what they were goes before the record that names it.
async fn documents(
    home: &Home,
    lease: &Lease,
    listed: &[Stored<Document>],
) -> Result<(), HandlerError> {
    let mut ops = Vec::new();
    for one in listed {
        // An index may be stale.
        let id = one.value.id.as_str();
        let Some(now) = repo::get::<Document>(&*home.store, &home.team, id).await? else {
            continue;
        };
        let readings = now.value.current.iter().chain(&now.value.history);
        for contents in contents(&now.value, readings) {
            own::delete(home, &contents).await?;
        }
        ops.push(repo::delete(&home.team, &now));
    }
    if ops.is_empty() {
        return Ok(());
    }
    ops.push(Op::Hold {
        job: lease.job.id.clone(),
        epoch: lease.job.epoch,
    });
    draft::fenced(draft::commit(home, ops).await)
}

/// Nobody waits for it.
fn again(error: SearchError) -> HandlerError {
    HandlerError::Retry {
        after: Some(GRACE),
        error: error.to_string(),
    }
}

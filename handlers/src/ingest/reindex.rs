//! The index of a collection made again from its documents' passages, e.g. because a segment was lost, or for a newer index.

use super::{clear, document_id, manifest, parts};
use crate::{CommandError, Home, draft};
use domain::knowledge::{Collection, Document, DocumentStatus, Manifest, Revision, Segment};
use ports::{
    SearchIndex,
    job::Clear,
    repo,
    search::{Entry, SearchError},
    store::StoreError,
};

/// Bytes of text in one segment: large enough to be few, small enough for the memory of a function.
const SEGMENT: usize = 64 << 20;
/// Attempts while documents come and go.
const ATTEMPTS: u32 = 3;

#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, Debug)]
pub struct Reindexed {
    pub documents: usize,
    pub passages: usize,
    pub segments: usize,
}

/// Writes all of it anew and puts it in the place of what is there. Until then the old one is searched.
///
/// # Errors
/// What the stores answer; a conflict when documents kept coming meanwhile.
pub async fn reindex(
    home: &Home,
    index: &dyn SearchIndex,
    collection: &Collection,
) -> Result<Reindexed, CommandError> {
    let mut attempt = 1;
    loop {
        // Whatever comes after this read changes the version, and all is read again.
        let (before, at) = manifest(home, &collection.id).await?;
        let (segments, done) = write(home, index, collection).await?;
        let found = Manifest {
            collection: collection.id.clone(),
            segments,
            gone: Vec::new(),
        };
        let replaced = Clear {
            collection: Some(collection.id.clone()),
            segments: before.segments,
            contents: Vec::new(),
        };
        let mut ops = vec![repo::put(&home.team, &found, at)?];
        ops.extend(clear::later(home, replaced)?);
        match draft::commit(home, ops).await {
            Ok(()) => return Ok(done),
            Err(StoreError::Conflict(_)) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn write(
    home: &Home,
    index: &dyn SearchIndex,
    collection: &Collection,
) -> Result<(Vec<Segment>, Reindexed), CommandError> {
    let mut done = Reindexed {
        documents: 0,
        passages: 0,
        segments: 0,
    };
    let (mut segments, mut entries, mut bytes) = (Vec::new(), Vec::<Entry>::new(), 0);
    for document in documents(home, collection).await? {
        let Some(reading) = &document.current else {
            continue;
        };
        let revision = Revision {
            document: document.id.clone(),
            revision: reading.revision,
        };
        let passages = parts::read(home, &revision, &reading.outline).await?;
        done.documents += 1;
        done.passages += passages.len();
        bytes += passages.iter().map(|one| one.text.len()).sum::<usize>();
        entries.extend(parts::entries(&revision, &reading.title, passages));
        if bytes >= SEGMENT {
            segments.push(written(home, index, std::mem::take(&mut entries)).await?);
            bytes = 0;
        }
    }
    if !entries.is_empty() {
        segments.push(written(home, index, entries).await?);
    }
    done.segments = segments.len();
    Ok((segments, done))
}

async fn written(
    home: &Home,
    index: &dyn SearchIndex,
    entries: Vec<Entry>,
) -> Result<Segment, CommandError> {
    let unanswered = |error: SearchError| StoreError::Unavailable(error.to_string());
    // The ones in whose place they come may be the same, and are deleted.
    let seal = home.chance.id();
    Ok(index.write(&seal, entries).await.map_err(unanswered)?)
}

/// Every document of a collection that is not removed, by name. An index may be stale, so each is read by its key.
///
/// # Errors
/// What the store answers.
pub async fn documents(home: &Home, collection: &Collection) -> Result<Vec<Document>, StoreError> {
    let query = repo::by::<Document>(&home.team, "by_name", collection.id.as_str());
    let listed = repo::collect::<Document>(&*home.store, query).await?;
    let mut documents = Vec::new();
    for stored in listed {
        let id = document_id(&collection.id, &stored.value.name);
        let now = repo::get::<Document>(&*home.store, &home.team, id.as_str()).await?;
        documents.extend(now.map(|now| now.value));
    }
    documents.retain(|document| document.status != DocumentStatus::Removed);
    Ok(documents)
}

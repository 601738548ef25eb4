//! A document's bytes become passages.

use super::{IngestPorts, clear, commit, done, fail, parts};
use crate::{HandlerError, Home, Lease, knowledge::own};
use domain::{
    Digest, content,
    knowledge::{Document, DocumentStatus, Passage, Reading, Revision, Segment, passages},
};
use ports::{
    blob::BlobError,
    extract::{ExtractError, Extracted, File},
    job::{self, Clear, Contents, Ingest, ReadDocument},
    repo::{self, Stored},
    search::SearchError,
    store::{Op, StoreError},
};

/// Bytes of a title in a record.
const TITLE: usize = 200;
/// Remarks about what was left out that stay in a record, and bytes of each.
const REMARKS: usize = 5;
const REMARK: usize = 200;

pub async fn read(
    ports: &IngestPorts,
    lease: &Lease,
    work: &ReadDocument,
) -> Result<(), HandlerError> {
    let home = &ports.home;
    let Some(stored) = waiting(home, work).await? else {
        return nobody_waits(home, lease, work, None).await;
    };
    let revision = Revision {
        document: work.document.clone(),
        revision: work.revision,
    };
    let bytes = match own::get(home, &revision, &work.source).await {
        Err(BlobError::Missing(_) | BlobError::Damaged(_)) => {
            let why = "its bytes are not in the blob store any more: add it again.".to_owned();
            return fail::fail(home, lease, work, why).await;
        }
        bytes => bytes?,
    };
    let file = File {
        name: &stored.value.name,
        bytes: &bytes,
    };
    let extracted = match ports.extract.extract(file).await {
        Ok(extracted) => extracted,
        Err(ExtractError::Unreadable(why)) => return fail::fail(home, lease, work, why).await,
        Err(ExtractError::NeedsSandbox) => return elsewhere(home, lease, work).await,
        Err(ExtractError::Io(error)) => return Err(HandlerError::Retry { after: None, error }),
    };
    drop(bytes);
    let (extracted, cut) = cut(extracted).await?;
    if cut.is_empty() {
        let why = "there is no text in it.".to_owned();
        return fail::fail(home, lease, work, why).await;
    }
    let reading = Reading {
        outline: parts::write(home, &revision, &cut).await?,
        ..reading(home, work, extracted, cut.len())
    };
    let entries = parts::entries(&revision, &reading.title, cut);
    let seal = format!("{} {}", revision.document, revision.revision);
    let segment = ports.index.write(&seal, entries).await.map_err(written)?;
    commit::commit(ports, lease, work, (reading, segment)).await
}

/// The document, while it waits for this content to be read. A newer content has a job of its own; what was removed is not read.
pub async fn waiting(
    home: &Home,
    work: &ReadDocument,
) -> Result<Option<Stored<Document>>, StoreError> {
    let id = work.document.as_str();
    let stored = repo::get::<Document>(&*home.store, &home.team, id).await?;
    Ok(stored.filter(|stored| {
        stored.value.revision == work.revision && stored.value.status == DocumentStatus::Reading
    }))
}

/// A newer content came, or the document is gone: what came and what was made of it goes.
pub async fn nobody_waits(
    home: &Home,
    lease: &Lease,
    work: &ReadDocument,
    made: Option<(&Digest, &Segment)>,
) -> Result<(), HandlerError> {
    let (outline, segment) = made.unzip();
    let id = work.document.as_str();
    let document = repo::get::<Document>(&*home.store, &home.team, id).await?;
    let own = work.own.then(|| contents(work, outline));
    let nothing = Clear {
        segments: segment.into_iter().cloned().collect(),
        contents: own.into_iter().collect(),
        collection: document.map(|stored| stored.value.collection),
    };
    // Not at once: a worker whose lease is over sees that nobody waits because another one was done with the same.
    let ops = clear::later(home, nothing)?;
    done(home, lease, ops.into_iter().collect()).await
}

/// What there is of a content that comes to nothing.
pub fn contents(work: &ReadDocument, outline: Option<&Digest>) -> Contents {
    Contents {
        of: Revision {
            document: work.document.clone(),
            revision: work.revision,
        },
        source: work.source.clone(),
        outline: outline.cloned(),
    }
}

/// Left to a process that has a sandbox.
async fn elsewhere(home: &Home, lease: &Lease, work: &ReadDocument) -> Result<(), HandlerError> {
    if work.sandbox {
        let error = "the worker of the lane “sandbox” has no sandbox".to_owned();
        return Err(HandlerError::Retry { after: None, error });
    }
    let work = Ingest::Read(ReadDocument {
        sandbox: true,
        ..work.clone()
    });
    let job = job::new_job(&home.team, home.chance.id(), &work, home.now())?;
    done(home, lease, vec![Op::Enqueue(job)]).await
}

/// In a thread of its own: of a large file this takes seconds.
async fn cut(mut extracted: Extracted) -> Result<(Extracted, Vec<Passage>), HandlerError> {
    let work = move || {
        let cut = passages(&extracted.sections);
        extracted.sections.clear();
        (extracted, cut)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| HandlerError::Fail(error.to_string()))
}

fn reading(home: &Home, work: &ReadDocument, extracted: Extracted, passages: usize) -> Reading {
    let short = |text: String, bytes| content::prefix(&text, bytes).to_owned();
    let skipped = extracted.skipped.into_iter().take(REMARKS);
    Reading {
        revision: work.revision,
        source: work.source.clone(),
        bytes: work.bytes,
        own: work.own,
        title: short(extracted.title, TITLE),
        media_type: extracted.media_type,
        language: extracted.language,
        pages: extracted.pages,
        passages: u32::try_from(passages).unwrap_or(u32::MAX),
        outline: work.source.clone(),
        skipped: skipped.map(|remark| short(remark, REMARK)).collect(),
        by: work.by.clone(),
        at: home.now(),
    }
}

/// Writing needs nothing of what is damaged.
fn written(error: SearchError) -> HandlerError {
    let error = error.to_string();
    HandlerError::Retry { after: None, error }
}

//! What was read becomes what is found, in one commit.

use super::{
    IngestPorts, clear, finish, manifest, merge,
    read::{nobody_waits, waiting},
    stream,
};
use crate::{HandlerError, Lease, audit, draft, keep::tell};
use domain::{
    knowledge::{Document, DocumentStatus, HISTORY, Manifest, Reading, Revision, Segment},
    run::Actor,
};
use ports::{
    job::{Clear, ReadDocument},
    present::Notice,
    repo,
    store::{ConflictReason, StoreError},
};
use serde_json::json;
use std::time::Duration;

/// Attempts while others change the same manifest. Each costs some reads, no more reading of the document.
const ATTEMPTS: u32 = 64;

pub async fn commit(
    ports: &IngestPorts,
    lease: &Lease,
    work: &ReadDocument,
    (reading, segment): (Reading, Segment),
) -> Result<(), HandlerError> {
    let home = &ports.home;
    for _ in 0..ATTEMPTS {
        let Some(stored) = waiting(home, work).await? else {
            let made = Some((&reading.outline, &segment));
            return nobody_waits(home, lease, work, made).await;
        };
        let collection = stored.value.collection.clone();
        let (mut found, at) = manifest(home, &collection).await?;
        if merge::is_full(&found) && merge::once(ports, lease, &collection).await? {
            continue;
        }
        let mut document = stored.value;
        let dropped = replace(&mut document, &mut found, reading.clone());
        found.segments.push(segment.clone());
        document.updated_at = home.now();
        let mut ops = vec![
            repo::put(&home.team, &document, Some(stored.version))?,
            repo::put(&home.team, &found, at)?,
        ];
        ops.extend(merge::due(home, &found).await?);
        let dropped = Clear {
            contents: clear::contents(&document, &dropped),
            segments: Vec::new(),
            collection: Some(collection),
        };
        ops.extend(clear::later(home, dropped)?);
        let detail = json!({"revision": reading.revision, "passages": reading.passages, "outline": reading.outline});
        let deed = audit::deed("document.read", Actor::System, &document.id, detail);
        ops.extend(audit::append(home, &stream(&document), vec![deed]).await?);
        if let Some(to) = &work.tell {
            ops.extend(tell(home, to, &Notice::DocumentRead { document }, "").await?);
        }
        ops.push(finish(lease));
        match draft::commit(home, ops).await {
            // Another document of the collection was faster.
            Err(StoreError::Conflict(conflict)) if conflict.reason != ConflictReason::Fenced => {}
            other => return draft::fenced(other),
        }
    }
    Err(HandlerError::Retry {
        after: Some(Duration::from_secs(1)),
        error: "the collection keeps changing".to_owned(),
    })
}

/// What was found so far goes into history, and is found no more. Answers what history has no room for any more.
fn replace(document: &mut Document, found: &mut Manifest, reading: Reading) -> Vec<Reading> {
    if let Some(before) = document.current.replace(reading) {
        found.gone.push(Revision {
            document: document.id.clone(),
            revision: before.revision,
        });
        document.history.insert(0, before);
    }
    document.status = DocumentStatus::Ready;
    document.problem = None;
    let kept = document.history.len().min(HISTORY);
    document.history.split_off(kept)
}

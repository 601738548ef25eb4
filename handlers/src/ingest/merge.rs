//! Few segments in place of many. What is merged is immutable, so the work needs no lock: when it is done and its segments still count, one
//! put of the manifest exchanges them, and an hour later those that were merged are deleted.

use super::{IngestPorts, clear, done, manifest};
use crate::{HandlerError, Home, Lease, draft};
use domain::{
    id::{CollectionId, JobId},
    knowledge::{MANY_GONE, MANY_SEGMENTS, Manifest, Segment},
};
use ports::{
    job::{self, Clear, Ingest},
    repo,
    search::{Merged, SearchError},
    store::{ConflictReason, Op, StoreError},
};

/// Attempts to put the manifest while documents come and go.
const ATTEMPTS: u32 = 64;

/// The job: merges until the policy has nothing to say, or the time is up; then the next document's job is followed by another one.
pub async fn merge(
    ports: &IngestPorts,
    lease: &Lease,
    collection: &CollectionId,
) -> Result<(), HandlerError> {
    while ports.home.now() < lease.deadline && once(ports, lease, collection).await? {}
    done(&ports.home, lease, Vec::new()).await
}

/// The operation that enqueues a merge, where it is time for one and none is on its way.
pub async fn due(home: &Home, found: &Manifest) -> Result<Option<Op>, HandlerError> {
    if found.to_merge().is_none() {
        return Ok(None);
    }
    let id = format!("merge:{}", found.collection);
    if home.store.job(&JobId::new(&*id)).await?.is_some() {
        return Ok(None);
    }
    let work = Ingest::Merge {
        collection: found.collection.clone(),
    };
    let job = job::new_job(&home.team, id, &work, home.now())?;
    Ok(Some(Op::Enqueue(job)))
}

/// Whether documents come faster than merges: then they wait for one, since the manifest is a record and has a limit.
pub fn is_full(found: &Manifest) -> bool {
    found.segments.len() >= MANY_SEGMENTS * 4 || found.gone.len() >= MANY_GONE + MANY_GONE / 4
}

/// One merge. False when there is nothing to merge.
pub async fn once(
    ports: &IngestPorts,
    lease: &Lease,
    collection: &CollectionId,
) -> Result<bool, HandlerError> {
    let (found, _) = manifest(&ports.home, collection).await?;
    let Some(chosen) = found.to_merge() else {
        return Ok(false);
    };
    let merged = match ports.index.merge(&chosen, &found.gone).await {
        Ok(merged) => merged,
        Err(SearchError::Io(error)) => return Err(HandlerError::Retry { after: None, error }),
        Err(error @ SearchError::Damaged(_)) => {
            return Err(HandlerError::Fail(format!(
                "{error}; `countersign knowledge reindex` does that"
            )));
        }
    };
    exchange(&ports.home, lease, collection, (&chosen, &merged)).await?;
    Ok(true)
}

/// Puts what was merged in the place of what it was merged from. When a part of that does not count any more, nothing changes.
async fn exchange(
    home: &Home,
    lease: &Lease,
    collection: &CollectionId,
    (chosen, merged): (&[Segment], &Merged),
) -> Result<(), HandlerError> {
    for _ in 0..ATTEMPTS {
        let (mut found, at) = manifest(home, collection).await?;
        if !chosen.iter().all(|one| found.segments.contains(one)) {
            return Ok(());
        }
        found.segments.retain(|one| !chosen.contains(one));
        found.segments.extend(merged.segment.clone());
        found.gone.retain(|one| !merged.dropped.contains(one));
        let hold = Op::Hold {
            job: lease.job.id.clone(),
            epoch: lease.job.epoch,
        };
        let replaced = Clear {
            collection: Some(collection.clone()),
            segments: chosen.to_vec(),
            contents: Vec::new(),
        };
        let mut ops = vec![repo::put(&home.team, &found, at)?, hold];
        ops.extend(clear::later(home, replaced)?);
        match draft::commit(home, ops).await {
            Err(StoreError::Conflict(conflict)) if conflict.reason != ConflictReason::Fenced => {}
            other => return draft::fenced(other),
        }
    }
    let error = "the collection keeps changing".to_owned();
    Err(HandlerError::Retry { after: None, error })
}

//! A document that can't be read says why. What was found of it before is still found.

use super::{
    clear, done,
    read::{contents, waiting},
    stream,
};
use crate::{HandlerError, Home, Lease, audit, keep::tell};
use domain::{content, knowledge::DocumentStatus, run::Actor};
use ports::{
    job::{Clear, ReadDocument},
    present::Notice,
    repo::{self, Stored},
    store::Op,
};
use serde_json::json;

/// Bytes of a problem in a record.
const PROBLEM: usize = 500;

pub async fn fail(
    home: &Home,
    lease: &Lease,
    work: &ReadDocument,
    why: String,
) -> Result<(), HandlerError> {
    let ops = give_up(home, work, &why).await?;
    done(home, lease, ops).await
}

/// The operations that end the reading of a document. None when nobody waits for it.
///
/// # Errors
/// What the store answers.
pub async fn give_up(home: &Home, work: &ReadDocument, why: &str) -> Result<Vec<Op>, HandlerError> {
    let Some(Stored { mut value, version }) = waiting(home, work).await? else {
        return Ok(Vec::new());
    };
    value.status = DocumentStatus::Failed;
    value.problem = Some(content::prefix(why, PROBLEM).to_owned());
    value.updated_at = home.now();
    let mut ops = vec![repo::put(&home.team, &value, Some(version))?];
    if work.own {
        let unread = Clear {
            collection: Some(value.collection.clone()),
            segments: Vec::new(),
            contents: vec![contents(work, None)],
        };
        ops.extend(clear::later(home, unread)?);
    }
    let detail = json!({"revision": work.revision, "why": value.problem});
    let deed = audit::deed("document.failed", Actor::System, &value.id, detail);
    ops.extend(audit::append(home, &stream(&value), vec![deed]).await?);
    if let Some(to) = &work.tell {
        let document = value;
        ops.extend(tell(home, to, &Notice::DocumentRead { document }, "").await?);
    }
    Ok(ops)
}

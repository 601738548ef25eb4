//! The one way in which memories change: record, version and audit in one commit. The audit has sizes, never texts.

use super::read;
use crate::{CommandError, Draft, Home, Problem, audit, keep::keep, versions};
use domain::{
    content::prefix,
    memory::{Layer, MEMORY_LIMIT, Memory},
    run::Actor,
};
use ports::repo;
use serde::Serialize;
use serde_json::json;

/// What became of a memory.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Written {
    /// One of [`Layer::NAMES`].
    pub layer: String,
    pub bytes: usize,
    /// The lines that changed, each with `+` or `-`; empty where the text is as it was.
    pub diff: String,
    /// The version that was taken back.
    pub undoes: Option<u64>,
}

pub(super) struct Change<'a> {
    pub deed: &'static str,
    pub after: &'a str,
    pub undoes: Option<u64>,
}

/// The stream of a memory's versions.
pub(super) fn stream(layer: &Layer) -> String {
    format!("memory:{}", layer.key())
}

pub(super) async fn write(
    home: &Home,
    actor: &Actor,
    layer: &Layer,
    change: Change<'_>,
) -> Result<Draft<Written>, CommandError> {
    let bytes = change.after.len();
    if bytes > MEMORY_LIMIT {
        return Err(Problem::TooLarge {
            what: "memory",
            bytes: bytes as u64,
            limit: MEMORY_LIMIT as u64,
        }
        .into());
    }
    let (before, stored) = read(home, layer).await?;
    let written = Written {
        layer: layer.name().to_owned(),
        bytes,
        diff: diff(&before, change.after),
        undoes: change.undoes,
    };
    if before == change.after && change.undoes.is_none() {
        return Ok(Draft::fact(written));
    }
    let after = Memory {
        id: layer.key(),
        text: keep(&*home.blobs, change.after.to_owned()).await?,
        updated_by: actor.clone(),
        updated_at: home.now(),
    };
    let detail = json!({"layer": layer.name(), "bytes": bytes});
    let deed = audit::deed(
        &format!("memory.{}", change.deed),
        actor,
        layer.key(),
        detail,
    );
    let mut ops = audit::append(home, &audited(layer), vec![deed]).await?;
    let document = |memory: &Memory| serde_json::to_value(memory);
    let changed = versions::Changed {
        record: layer.key(),
        deed: change.deed,
        before: stored
            .as_ref()
            .map(|stored| document(&stored.value))
            .transpose()?,
        after: Some(document(&after)?),
        undoes: change.undoes,
    };
    ops.push(versions::note(home, &stream(layer), actor, vec![changed]).await?);
    ops.push(repo::put(
        &home.team,
        &after,
        stored.map(|stored| stored.version),
    )?);
    Ok(Draft::new(ops, written))
}

/// Its agent's or its member's; a conversation has none of its own.
fn audited(layer: &Layer) -> String {
    match layer {
        Layer::Session(_) => "team".to_owned(),
        layer => layer.key(),
    }
}

/// Bytes of a diff that is told.
const DIFF: usize = 2000;

/// Only what changes: around it may stand what does not belong where the difference is shown.
pub(crate) fn diff(before: &str, after: &str) -> String {
    prefix(&versions::diff(before, after), DIFF).to_owned()
}

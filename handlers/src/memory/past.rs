//! What a memory was, and going back.

use super::{
    own,
    write::{Change, Written, diff, stream, write},
    writes,
};
use crate::{
    CommandError, Draft, Home, Problem,
    versions::{self, Differ, Past},
};
use domain::{
    member::Member,
    memory::{Layer, Memory},
    run::Actor,
    version,
};
use ports::blob;
use serde_json::Value;

/// Its versions, oldest first.
///
/// # Errors
/// What the store answers.
pub async fn history(
    home: &Home,
    member: &Member,
    layer: &Layer,
) -> Result<Vec<Past>, CommandError> {
    own(member, layer)?;
    let versions = versions::of(home, &stream(layer)).await?;
    versions::past(home, &versions, &Texts).await
}

/// By what is remembered.
struct Texts;

#[async_trait::async_trait]
impl Differ for Texts {
    async fn differ(
        &self,
        home: &Home,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Result<String, CommandError> {
        Ok(diff(&text(home, before).await?, &text(home, after).await?))
    }
}

/// Takes the latest change back that was not taken back yet; once more, the one before it.
///
/// # Errors
/// [`Problem`]s: not allowed; invalid, where nothing is left to take back.
pub async fn undo(
    home: &Home,
    member: &Member,
    layer: &Layer,
) -> Result<Draft<Written>, CommandError> {
    writes(member, layer)?;
    let versions = versions::of(home, &stream(layer)).await?;
    let Some(undo) = version::undo(&versions) else {
        let why = "Nothing was changed there that could be taken back.";
        return Err(Problem::Invalid(why.to_owned()).into());
    };
    let after = text(home, undo.before).await?;
    let change = Change {
        deed: "undone",
        after: &after,
        undoes: Some(undo.number),
    };
    write(home, &Actor::Member(member.id.clone()), layer, change).await
}

async fn text(home: &Home, doc: Option<&Value>) -> Result<String, CommandError> {
    let Some(doc) = doc else {
        return Ok(String::new());
    };
    let memory: Memory = serde_json::from_value(doc.clone())?;
    Ok(blob::text(&*home.blobs, &memory.text).await?)
}

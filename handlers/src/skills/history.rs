//! What a skill was: its contents with who agreed to them and when, and going back to the one before.

use super::{
    proposal::between,
    record,
    write::{Deed, configures, not_built_in, stream, write},
};
use crate::{
    CommandError, Draft, Home,
    versions::{self, Differ, Past},
};
use domain::{
    member::Member,
    skill::{Edition, Skill, SkillStatus},
};
use serde_json::Value;

/// The versions of a skill of the team, oldest first; also of one that was removed.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn history(home: &Home, name: &str) -> Result<Vec<Past>, CommandError> {
    let versions = versions::of(home, &stream(name)).await?;
    if versions.is_empty() {
        return Err(super::not_found(name).into());
    }
    versions::past(home, &versions, &Contents).await
}

/// By each of its files.
struct Contents;

#[async_trait::async_trait]
impl Differ for Contents {
    async fn differ(
        &self,
        home: &Home,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Result<String, CommandError> {
        let (before, after) = (active(before)?, active(after)?);
        let files =
            |edition: &Option<Edition>| edition.as_ref().map_or(Vec::new(), |of| of.files.clone());
        let changed = between(home, &files(&before), &files(&after)).await?;
        let source = versions::diff(&source(before.as_ref()), &source(after.as_ref()));
        Ok(format!("{source}\n{changed}").trim().to_owned())
    }
}

/// The content that agents could have; none where there was none, or it was removed.
fn active(doc: Option<&Value>) -> Result<Option<Edition>, CommandError> {
    let Some(doc) = doc else { return Ok(None) };
    let skill: Skill = serde_json::from_value(doc.clone())?;
    Ok((skill.status == SkillStatus::Active).then_some(skill.current))
}

fn source(edition: Option<&Edition>) -> String {
    edition.map_or_else(String::new, |edition| format!("from: {}\n", edition.source))
}

/// Takes the latest change back that was not taken back yet; that is a new version. An owner has agreed to the content that comes
/// back, byte for byte. Answers whether there is such a skill now, and the number of what was taken back.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, built in; invalid, where nothing is left to take back.
pub async fn undo(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<(bool, u64)>, CommandError> {
    configures(member)?;
    not_built_in(name)?;
    let back = versions::undoable(home, &stream(name), ("skill", name)).await?;
    let Some(stored) = record(home, name).await? else {
        return Err(super::not_found(name).into());
    };
    let mut skill = stored.value.clone();
    match back.before {
        Some(before) => {
            let before: Skill = serde_json::from_value(before)?;
            (skill.status, skill.current) = (before.status, before.current);
        }
        None => skill.status = SkillStatus::Removed,
    }
    let is_there = skill.status == SkillStatus::Active;
    let deed = Deed::Undone(back.number);
    let (_, ops) = write(home, member, (Some(stored), skill), deed).await?;
    Ok(Draft::new(ops, (is_there, back.number)))
}

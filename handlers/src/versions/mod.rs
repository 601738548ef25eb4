//! Versions of what people change: written in the commit that makes the change, read for histories and for taking changes back.

mod past;

use crate::{CommandError, Home};
use domain::{
    canonical_json,
    run::Actor,
    version::{FOUND, Version},
};
pub use past::Past;
pub(crate) use past::{Differ, at_its_beginning, diff, past, undoable, who};
use ports::{
    repo,
    store::{Op, StoreError},
};
use serde_json::Value;

/// Versions that are read at once.
const PAGE: u32 = 200;

/// A change of one record.
pub struct Changed {
    pub record: String,
    /// `created`, `changed`, `deleted`, `undone`.
    pub deed: &'static str,
    /// None: it was not there.
    pub before: Option<Value>,
    /// None: it is gone.
    pub after: Option<Value>,
    /// The number of the version that is taken back by this.
    pub undoes: Option<u64>,
}

/// The operation that notes these changes as versions of a stream. Whatever is changed before its first version is noted as it
/// was found.
///
/// # Errors
/// What the store answers.
pub async fn note(
    home: &Home,
    stream: &str,
    actor: &Actor,
    changes: Vec<Changed>,
) -> Result<Op, CommandError> {
    let known = of(home, stream).await?;
    let mut versions = Vec::new();
    for change in changes {
        let version = |deed: &str, doc, undoes| Version {
            at: home.now(),
            actor: actor.clone(),
            deed: deed.to_owned(),
            record: change.record.clone(),
            doc,
            undoes,
        };
        let is_new = known.iter().all(|known| known.record != change.record);
        if is_new && change.before.is_some() {
            let found = version(FOUND, change.before, None);
            versions.push(Version {
                actor: Actor::System,
                ..found
            });
        }
        versions.push(version(change.deed, change.after, change.undoes));
    }
    let entries = versions.iter().map(canonical_json);
    Ok(Op::Append {
        journal: repo::versions::journal(&home.team, stream),
        at: known.len() as u64,
        entries: entries.collect::<Result<_, _>>()?,
    })
}

/// All versions of a stream, oldest first.
///
/// # Errors
/// What the store answers, `Corrupt` for an entry that is none.
pub async fn of(home: &Home, stream: &str) -> Result<Vec<Version>, StoreError> {
    let journal = repo::versions::journal(&home.team, stream);
    let mut versions = Vec::new();
    loop {
        let from = versions.len() as u64;
        let page = home.store.read(&journal, from, PAGE).await?;
        for entry in &page {
            let corrupt = |error| StoreError::Corrupt(format!("versions of {stream}: {error}"));
            versions.push(repo::versions::read(entry).map_err(corrupt)?);
        }
        if page.is_empty() {
            return Ok(versions);
        }
    }
}

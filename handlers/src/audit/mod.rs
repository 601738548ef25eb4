//! Writing the audit: every deed goes into its stream's chain, in the commit that makes it true.

mod seal;
mod verify;

pub use seal::seal;
pub use verify::{Finding, Verified, verify};

use crate::Home;
use domain::{
    audit::{Deed, Entry, Head, Stream, StreamState},
    canonical_json,
};
use ports::{
    repo,
    store::{Expect, Op, StoreError},
};
use serde_json::Value;

/// A deed.
#[must_use]
pub fn deed(action: &str, actor: impl ToString, subject: impl ToString, detail: Value) -> Deed {
    Deed {
        action: action.to_owned(),
        actor: actor.to_string(),
        subject: subject.to_string(),
        detail,
    }
}

/// The operations that append these deeds to a stream: the entry, and the mark for the sealer where it isn't set yet.
///
/// # Errors
/// What the store answers.
pub async fn append(home: &Home, stream: &str, deeds: Vec<Deed>) -> Result<Vec<Op>, StoreError> {
    let head = head(home, stream).await?;
    let mut ops = vec![entry(home, stream, &head, deeds)?.0];
    ops.push(open(home, stream).await?);
    Ok(ops)
}

/// Where a stream stands.
///
/// # Errors
/// What the store answers, and `Corrupt` when the last entry is not one.
pub async fn head(home: &Home, stream: &str) -> Result<Head, StoreError> {
    let journal = repo::audit::journal(&home.team, stream);
    let len = home.store.head(&journal).await?;
    if len == 0 {
        return Ok(Head::default());
    }
    let entries = home.store.read(&journal, len - 1, 1).await?;
    let Some(last) = entries.first() else {
        return Ok(Head::default());
    };
    let last: Entry = serde_json::from_str(last)
        .map_err(|e| StoreError::Corrupt(format!("audit {stream}/{}: {e}", len - 1)))?;
    Ok(Head {
        len,
        hash: last.hash.as_str().to_owned(),
    })
}

/// The append of one entry, and the head after it.
pub(crate) fn entry(
    home: &Home,
    stream: &str,
    head: &Head,
    deeds: Vec<Deed>,
) -> Result<(Op, Head), StoreError> {
    let corrupt = |e: serde_json::Error| StoreError::Corrupt(e.to_string());
    let entry = Entry::next(stream, head, home.now(), deeds).map_err(corrupt)?;
    let text = canonical_json(&entry).map_err(corrupt)?;
    let op = Op::Append {
        journal: repo::audit::journal(&home.team, stream),
        at: head.len,
        entries: vec![text],
    };
    Ok((op, entry.head()))
}

/// Marks the stream for the next seal. Where it is marked, it has to stay so until this is committed: a sealer that finds it
/// quiet at the same time would not look at it again.
pub(crate) async fn open(home: &Home, stream: &str) -> Result<Op, StoreError> {
    let stored = repo::get::<Stream>(&*home.store, &home.team, stream).await?;
    let (version, sealed) = match stored {
        Some(stored) if stored.value.state == StreamState::Open => {
            return Ok(Op::Check {
                key: repo::key::<Stream>(&home.team, stream),
                expect: Expect::Version(stored.version),
            });
        }
        Some(stored) => (Some(stored.version), stored.value.sealed),
        None => (None, Head::default()),
    };
    let value = Stream {
        name: stream.to_owned(),
        state: StreamState::Open,
        since: home.now(),
        sealed,
    };
    repo::put(&home.team, &value, version)
}

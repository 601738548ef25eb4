//! The sealer: chains the heads of all streams that grew into a seal, keyed from outside the database.

use super::head;
use crate::{Draft, Home};
use domain::{
    audit::{Head, Seal, Stream, StreamState},
    canonical_json,
};
use ports::{
    repo,
    store::{IndexValue, Op, StoreError},
};
use std::time::Duration;

/// A stream that did not grow for so long is looked at no more, until a writer marks it again. It must be longer than one step of a
/// run, which marks its stream only at the step's beginning.
const QUIET_AFTER: Duration = Duration::from_secs(3600);
/// Streams per seal: what fits into one batch.
const PER_SEAL: u32 = 90;

/// The next seal, if any stream grew. `more` in the seal says that another one is due at once.
///
/// # Errors
/// What the store answers.
pub async fn seal(home: &Home, key: &[u8]) -> Result<Draft<Option<Seal>>, StoreError> {
    let state = IndexValue::from("open");
    let mut query = repo::by::<Stream>(&home.team, "by_state", state);
    query.limit = PER_SEAL;
    let (open, next) = repo::page::<Stream>(&*home.store, query).await?;
    let (mut ops, mut heads) = (Vec::new(), Vec::new());
    for mut stored in open {
        let head = head(home, &stored.value.name).await?;
        let quiet = home.now().since(stored.value.since) >= QUIET_AFTER;
        if head == stored.value.sealed {
            if quiet {
                stored.value.state = StreamState::Quiet;
                ops.push(repo::update(&home.team, &stored)?);
            }
            continue;
        }
        heads.push((stored.value.name.clone(), head.clone()));
        stored.value.sealed = head;
        stored.value.since = home.now();
        ops.push(repo::update(&home.team, &stored)?);
    }
    if heads.is_empty() {
        return Ok(Draft::new(ops, None));
    }
    heads.sort_by(|a, b| a.0.cmp(&b.0));
    let seal = next_seal(home, key, heads, next.is_some()).await?;
    let text = canonical_json(&seal).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    ops.push(Op::Append {
        journal: repo::audit::seals(&home.team),
        at: seal.number,
        entries: vec![text],
    });
    Ok(Draft::new(ops, Some(seal)))
}

async fn next_seal(
    home: &Home,
    key: &[u8],
    heads: Vec<(String, Head)>,
    more: bool,
) -> Result<Seal, StoreError> {
    let corrupt = |e: serde_json::Error| StoreError::Corrupt(e.to_string());
    let journal = repo::audit::seals(&home.team);
    let number = home.store.head(&journal).await?;
    let prev = match number.checked_sub(1) {
        None => String::new(),
        Some(last) => match home.store.read(&journal, last, 1).await?.first() {
            Some(text) => serde_json::from_str::<Seal>(text).map_err(corrupt)?.mac,
            None => return Err(StoreError::Corrupt(format!("seal {last} is gone"))),
        },
    };
    let mut seal = Seal {
        number,
        at: home.now(),
        heads,
        more,
        prev,
        mac: String::new(),
    };
    seal.mac = seal.expected(key).map_err(corrupt)?;
    Ok(seal)
}

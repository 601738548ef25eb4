//! The sealer: chains the heads of all streams that grew into a seal, keyed from outside the database.

use super::head;
use crate::{Draft, Home};
use domain::{
    audit::{Head, Seal, Stream, StreamState},
    canonical_json,
};
use ports::{
    repo,
    store::{Op, StoreError},
};
use std::time::Duration;

/// A stream that did not grow for so long is looked at no more, until a writer marks it again. It must be longer than one step of a
/// run, which marks its stream only at the step's beginning.
const QUIET_AFTER: Duration = Duration::from_secs(3600);
/// Streams per seal: what fits into one batch.
const PER_SEAL: usize = 90;

/// The next seal, if any stream grew. `more` in the seal says that another one is due at once.
///
/// # Errors
/// What the store answers.
pub async fn seal(home: &Home, key: &[u8]) -> Result<Draft<Option<Seal>>, StoreError> {
    let mut query = repo::by::<Stream>(&home.team, "by_state", "open");
    let (mut ops, mut heads, mut more) = (Vec::new(), Vec::new(), false);
    'pages: loop {
        let (open, next) = repo::page::<Stream>(&*home.store, query.clone()).await?;
        for mut stored in open {
            if ops.len() == PER_SEAL {
                more = true;
                break 'pages;
            }
            let Some(head) = grown(home, &mut stored.value).await? else {
                continue;
            };
            heads.extend(head.map(|head| (stored.value.name.clone(), head)));
            ops.push(repo::update(&home.team, &stored)?);
        }
        match next {
            Some(cursor) => query.after = Some(cursor),
            None => break,
        }
    }
    if heads.is_empty() {
        return Ok(Draft::new(ops, None));
    }
    heads.sort_by(|a, b| a.0.cmp(&b.0));
    let seal = next_seal(home, key, heads, more).await?;
    let text = canonical_json(&seal).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    ops.push(Op::Append {
        journal: repo::audit::seals(&home.team),
        at: seal.number,
        entries: vec![text],
    });
    Ok(Draft::new(ops, Some(seal)))
}

/// What becomes of an open stream: `None` when it stays as it is, its new head when it grew, no head when it becomes quiet.
async fn grown(home: &Home, stream: &mut Stream) -> Result<Option<Option<Head>>, StoreError> {
    let head = head(home, &stream.name).await?;
    if head != stream.sealed {
        stream.sealed = head.clone();
        stream.since = home.now();
        return Ok(Some(Some(head)));
    }
    if home.now().since(stream.since) < QUIET_AFTER {
        return Ok(None);
    }
    stream.state = StreamState::Quiet;
    Ok(Some(None))
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

//! Content that somebody sent, which counts only after a yes: kept until then, under the words of its digest that the card's buttons repeat.
//!
//! Its bytes begin with a line that says which offer they are, as a document's do: no other record names such a blob, so it can be deleted when
//! the card was answered, or when nobody did within a day.

use crate::{CommandError, HandlerError, Home, draft, ingest::forget_later};
use domain::{Digest, Micros};
use ports::{
    blob::BlobError,
    repo::{self, Stored, settings::Setting},
    store::{Op, StoreError},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// As long as a card of a call waits where nobody says otherwise.
const WAITS: Duration = Duration::from_secs(24 * 3600);
/// Settings looked at together: each that goes weighs four at most (`Batch::weight`).
const PAGE: u32 = 24;
const PREFIX: &str = "offer:";

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The file's name, as it was sent.
    pub name: String,
    pub bytes: Vec<u8>,
    /// To be committed with the answer: an offer is taken, or declined, once.
    pub settled: Vec<Op>,
}

/// In the setting `offer:<pin>`.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    blob: Digest,
    #[serde(default)]
    at: Micros,
    /// The blob is this offer's alone; before there was such a line it may be somebody else's too.
    #[serde(default)]
    own: bool,
}

fn id(pin: &str) -> String {
    format!("{PREFIX}{pin}")
}

fn line(pin: &str) -> String {
    format!("{}\n", id(pin))
}

/// With its record.
async fn stored(home: &Home, pin: &str) -> Result<Option<(Stored<Setting>, Kept)>, CommandError> {
    let found = repo::get::<Setting>(&*home.store, &home.team, &id(pin)).await?;
    let Some(stored) = found else {
        return Ok(None);
    };
    let kept = serde_json::from_value(stored.value.value.clone())?;
    Ok(Some((stored, kept)))
}

/// Keeps a file until its card is answered, for a day at most.
///
/// # Errors
/// What the stores answer.
pub async fn keep(
    home: &Home,
    pin: &str,
    (name, bytes): (&str, &[u8]),
) -> Result<Vec<Op>, CommandError> {
    let own = [line(pin).as_bytes(), bytes].concat();
    let kept = Kept {
        name: name.to_owned(),
        blob: home.blobs.put(&own).await?,
        at: home.now(),
        own: true,
    };
    let (mut ops, mut version) = (Vec::new(), None);
    if let Some((stored, before)) = stored(home, pin).await? {
        version = Some(stored.version);
        if before.blob != kept.blob {
            ops.extend(forgotten(home, pin, before)?);
        }
    }
    let setting = Setting {
        name: id(pin),
        value: serde_json::to_value(kept)?,
    };
    ops.push(repo::put(&home.team, &setting, version)?);
    Ok(ops)
}

/// What waits for a yes under that digest; none where it was answered, or is over.
///
/// # Errors
/// What the stores answer.
pub async fn find(home: &Home, pin: &str) -> Result<Option<Offer>, CommandError> {
    let Some((stored, kept)) = stored(home, pin).await? else {
        return Ok(None);
    };
    let mut bytes = match home.blobs.get(&kept.blob).await {
        Err(BlobError::Missing(_)) => return Ok(None),
        bytes => bytes?,
    };
    if kept.own {
        bytes.drain(..line(pin).len().min(bytes.len()));
    }
    Ok(Some(Offer {
        bytes,
        name: kept.name.clone(),
        settled: over(home, pin, (&stored, kept))?,
    }))
}

/// What is to be committed with a no.
///
/// # Errors
/// What the store answers.
pub async fn decline(home: &Home, pin: &str) -> Result<Vec<Op>, CommandError> {
    match stored(home, pin).await? {
        None => Ok(Vec::new()),
        Some((stored, kept)) => Ok(over(home, pin, (&stored, kept))?),
    }
}

fn over(
    home: &Home,
    pin: &str,
    (stored, kept): (&Stored<Setting>, Kept),
) -> Result<Vec<Op>, serde_json::Error> {
    let mut ops = vec![repo::delete(&home.team, stored)];
    ops.extend(forgotten(home, pin, kept)?);
    Ok(ops)
}

/// The job that deletes the bytes, where they are nobody else's.
fn forgotten(home: &Home, pin: &str, kept: Kept) -> Result<Option<Op>, serde_json::Error> {
    match kept.own {
        true => forget_later(home, pin, kept.blob).map(Some),
        false => Ok(None),
    }
}

/// Whether that offer still waits with these bytes.
pub(crate) async fn names(home: &Home, pin: &str, blob: &Digest) -> Result<bool, CommandError> {
    let stored = stored(home, pin).await?;
    Ok(stored.is_some_and(|(_, kept)| kept.blob == *blob))
}

/// Forgets those that nobody answered in time.
///
/// # Errors
/// What the store answers.
pub(crate) async fn expire(home: &Home) -> Result<(), HandlerError> {
    let before = home.now().minus(WAITS);
    let mut query = repo::all::<Setting>(&home.team);
    query.limit = PAGE;
    loop {
        let (page, next) = repo::page::<Setting>(&*home.store, query.clone()).await?;
        let mut ops = Vec::new();
        for stored in &page {
            let Some(pin) = stored.value.name.strip_prefix(PREFIX) else {
                continue;
            };
            let mut kept: Kept = serde_json::from_value(stored.value.value.clone())?;
            if kept.at == Micros(0) {
                // Of before there was a time: it may be minutes old.
                kept.at = home.now();
                let mut stored = stored.clone();
                stored.value.value = serde_json::to_value(kept)?;
                ops.push(repo::update(&home.team, &stored)?);
            } else if kept.at <= before {
                ops.extend(over(home, pin, (stored, kept))?);
            }
        }
        match draft::commit(home, ops).await {
            // Somebody answered at this moment; the next tick looks again.
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        match next {
            Some(cursor) => query.after = Some(cursor),
            None => return Ok(()),
        }
    }
}

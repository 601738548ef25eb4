//! Checking the audit: which row was changed, removed or reordered, and up to when all of it holds.

use crate::Home;
use domain::{
    Micros,
    audit::{Entry, Head, Seal, Stream},
};
use ports::{repo, store::StoreError};
use std::collections::BTreeMap;

/// One thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// `audit_logs` stream or `audit_seals`.
    pub place: String,
    /// Position there, from 0.
    pub position: u64,
    /// For people.
    pub what: String,
}

/// What a verification found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    pub findings: Vec<Finding>,
    pub entries: u64,
    pub streams: u64,
    pub seals: u64,
    /// Time of the last good seal: up to then nothing can have been changed unseen. Later entries are chained but not sealed.
    pub holds_until: Option<Micros>,
    pub unsealed: u64,
}

/// Walks all seals, then every sealed stream up to its end.
///
/// # Errors
/// What the store answers; damage is a finding, not an error.
pub async fn verify(home: &Home, key: &[u8]) -> Result<Verified, StoreError> {
    let mut result = Verified::default();
    let mut sealed: BTreeMap<String, Vec<Head>> = BTreeMap::new();
    // Before the seals, since a stream's record and the seal that names it are written together.
    let streams = repo::collect::<Stream>(&*home.store, repo::all::<Stream>(&home.team)).await?;
    walk_seals(home, key, &mut result, &mut sealed).await?;
    for Stream {
        name, sealed: head, ..
    } in streams.into_iter().map(|stored| stored.value)
    {
        // Streams that were never sealed are chained all the same.
        let heads = sealed.entry(name.clone()).or_default();
        if head.len > 0 && !heads.contains(&head) {
            result.findings.push(Finding {
                place: "audit_seals".to_owned(),
                position: result.seals,
                what: format!(
                    "the seal of {name} up to its entry {} is gone",
                    head.len - 1
                ),
            });
        }
    }
    for (stream, heads) in sealed {
        walk_stream(home, &stream, &heads, &mut result).await?;
    }
    Ok(result)
}

async fn walk_seals(
    home: &Home,
    key: &[u8],
    result: &mut Verified,
    sealed: &mut BTreeMap<String, Vec<Head>>,
) -> Result<(), StoreError> {
    let journal = repo::audit::seals(&home.team);
    let (mut prev, mut good) = (String::new(), true);
    loop {
        let page = home.store.read(&journal, result.seals, 200).await?;
        if page.is_empty() {
            return Ok(());
        }
        for text in page {
            let position = result.seals;
            result.seals += 1;
            let mut found = |what: &str| {
                result.findings.push(Finding {
                    place: "audit_seals".to_owned(),
                    position,
                    what: what.to_owned(),
                });
            };
            let Ok(seal) = serde_json::from_str::<Seal>(&text) else {
                found("this seal cannot be read");
                good = false;
                continue;
            };
            if seal.number != position || seal.prev != prev {
                found("this seal does not follow the one before it");
                good = false;
            }
            if !seal.expected(key).is_ok_and(|mac| mac == seal.mac) {
                found("this seal was changed, or made with another key");
                good = false;
            }
            prev.clone_from(&seal.mac);
            if good {
                result.holds_until = Some(seal.at);
            }
            for (stream, head) in seal.heads {
                sealed.entry(stream).or_default().push(head);
            }
        }
    }
}

async fn walk_stream(
    home: &Home,
    stream: &str,
    heads: &[Head],
    result: &mut Verified,
) -> Result<(), StoreError> {
    let journal = repo::audit::journal(&home.team, stream);
    let (mut at, mut prev) = (0_u64, String::new());
    let before = result.findings.len();
    result.streams += 1;
    loop {
        let page = home.store.read(&journal, at, 500).await?;
        if page.is_empty() {
            break;
        }
        for text in page {
            let mut found = |what: &str| {
                result.findings.push(Finding {
                    place: stream.to_owned(),
                    position: at,
                    what: what.to_owned(),
                })
            };
            match serde_json::from_str::<Entry>(&text) {
                Err(_) => found("this entry cannot be read"),
                Ok(entry) => {
                    if entry.seq != at || entry.stream != stream || entry.prev != prev {
                        found("an entry was removed, inserted or reordered before this one");
                    }
                    if !entry.expected().is_ok_and(|hash| hash == entry.hash) {
                        found("this entry was changed");
                    }
                    if heads
                        .iter()
                        .any(|head| head.len == at + 1 && head.hash != entry.hash.as_str())
                    {
                        found("this entry is not the one that was sealed");
                    }
                    prev = entry.hash.as_str().to_owned();
                }
            }
            at += 1;
        }
    }
    result.entries += at;
    let last = heads.iter().map(|head| head.len).max().unwrap_or(0);
    result.unsealed += at.saturating_sub(last);
    if at < last {
        let what = format!("{} sealed entries are gone from here on", last - at);
        result.findings.push(Finding {
            place: stream.to_owned(),
            position: at,
            what,
        });
    }
    if result.findings.len() > before {
        tracing::warn!(stream, "the audit does not verify");
    }
    Ok(())
}

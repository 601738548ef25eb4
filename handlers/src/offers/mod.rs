//! Content that somebody sent, which counts only after a yes: kept until then, under the words of its digest that the card's buttons repeat.

use crate::{CommandError, Home};
use domain::Digest;
use ports::{
    repo::{self, Stored, settings::Setting},
    store::{Op, StoreError},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The file's name, as it was sent.
    pub name: String,
    pub bytes: Vec<u8>,
    /// To be committed with the answer: an offer is taken, or declined, once.
    pub settled: Op,
}

/// In the setting `offer:<pin>`.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    blob: Digest,
}

fn id(pin: &str) -> String {
    format!("offer:{pin}")
}

async fn stored(home: &Home, pin: &str) -> Result<Option<Stored<Setting>>, StoreError> {
    repo::get::<Setting>(&*home.store, &home.team, &id(pin)).await
}

/// Keeps a file until its card is answered.
///
/// # Errors
/// What the stores answer.
pub async fn keep(
    home: &Home,
    pin: &str,
    (name, bytes): (&str, &[u8]),
) -> Result<Op, CommandError> {
    let kept = Kept {
        name: name.to_owned(),
        blob: home.blobs.put(bytes).await?,
    };
    let setting = Setting {
        name: id(pin),
        value: serde_json::to_value(kept)?,
    };
    let before = stored(home, pin).await?;
    let version = before.map(|before| before.version);
    Ok(repo::put(&home.team, &setting, version)?)
}

/// What waits for a yes under that digest; none where it was answered.
///
/// # Errors
/// What the stores answer.
pub async fn find(home: &Home, pin: &str) -> Result<Option<Offer>, CommandError> {
    let Some(stored) = stored(home, pin).await? else {
        return Ok(None);
    };
    let kept: Kept = serde_json::from_value(stored.value.value.clone())?;
    Ok(Some(Offer {
        bytes: home.blobs.get(&kept.blob).await?,
        name: kept.name,
        settled: repo::delete(&home.team, &stored),
    }))
}

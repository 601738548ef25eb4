//! A document's passages in the blob store, in parts of some dozens of KiB.

use crate::{Home, knowledge::own};
use domain::{
    Digest,
    knowledge::{Outline, Passage, Revision},
};
use ports::{blob::BlobError, search::Entry};
use serde::de::DeserializeOwned;

/// Bytes of passages that are read at once when one of them is shown.
const PART: usize = 64 * 1024;

/// Keeps the passages of a content and answers the blob that says where they are. Doing it again makes the same blobs.
pub async fn write(home: &Home, of: &Revision, passages: &[Passage]) -> Result<Digest, BlobError> {
    let mut outline = Outline::default();
    let mut rest = passages;
    while let Some(first) = rest.first() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|passage| {
            bytes += passage.text.len();
            bytes <= PART
        });
        let (part, after) = rest.split_at(fits.count().max(1));
        let blob = own::put(home, of, &json(&part)?).await?;
        outline.parts.push((first.ordinal, blob));
        rest = after;
    }
    own::put(home, of, &json(&outline)?).await
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, BlobError> {
    serde_json::to_vec(value).map_err(|error| BlobError::Io(error.to_string()))
}

/// All passages of an outline, in order.
///
/// # Errors
/// What the blob store answers; a blob that is none of these is `Damaged`.
pub async fn read(home: &Home, of: &Revision, outline: &Digest) -> Result<Vec<Passage>, BlobError> {
    let mut passages = Vec::new();
    for (_, part) in parsed::<Outline>(home, of, outline).await?.parts {
        passages.extend(parsed::<Vec<Passage>>(home, of, &part).await?);
    }
    Ok(passages)
}

async fn parsed<T: DeserializeOwned>(
    home: &Home,
    of: &Revision,
    blob: &Digest,
) -> Result<T, BlobError> {
    let bytes = own::get(home, of, blob).await?;
    serde_json::from_slice(&bytes).map_err(|_| BlobError::Damaged(blob.clone()))
}

/// Passages as they are indexed.
pub fn entries(revision: &Revision, title: &str, passages: Vec<Passage>) -> Vec<Entry> {
    let entry = |passage: Passage| Entry {
        revision: revision.clone(),
        ordinal: passage.ordinal,
        language: passage.language,
        title: title.to_owned(),
        headings: passage.headings.join(" "),
        text: passage.text,
        code: passage.code,
    };
    passages.into_iter().map(entry).collect()
}

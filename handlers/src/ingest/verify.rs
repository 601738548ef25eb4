//! Whether what is stored of a collection fits together: records, originals, passages, index.

use super::{manifest, parts, reindex::documents};
use crate::{CommandError, Home};
use domain::{
    content,
    knowledge::{Collection, Document, Passage, Reading},
};
use ports::{SearchIndex, blob::BlobError, search::SearchError, store::StoreError};

/// What was compared, and what does not fit.
#[derive(Clone, PartialEq, Eq, serde::Serialize, Debug, Default)]
pub struct Verified {
    pub documents: usize,
    pub passages: u64,
    pub segments: usize,
    /// For people: what is wrong and what to do.
    pub findings: Vec<String>,
}

/// Reads everything. A document that comes or goes meanwhile may show as a finding.
///
/// # Errors
/// When a store does not answer.
pub async fn verify(
    home: &Home,
    index: &dyn SearchIndex,
    collection: &Collection,
) -> Result<Verified, CommandError> {
    let (found, _) = manifest(home, &collection.id).await?;
    let mut verified = Verified {
        segments: found.segments.len(),
        ..Verified::default()
    };
    for document in documents(home, collection).await? {
        verified.documents += 1;
        let Some(reading) = &document.current else {
            continue;
        };
        verified.passages += u64::from(reading.passages);
        let finding = check(home, &document, reading).await?;
        verified.findings.extend(finding);
    }
    match index.verify(&found).await {
        Ok(passages) if passages == verified.passages => {}
        Ok(passages) => verified.findings.push(format!(
            "the index of “{}” has {passages} passages, its documents have {}: reindex it.",
            collection.name, verified.passages
        )),
        Err(SearchError::Damaged(why)) => verified.findings.push(format!(
            "the index of “{}” is damaged ({why}): reindex it.",
            collection.name
        )),
        Err(error) => return Err(StoreError::Unavailable(error.to_string()).into()),
    }
    Ok(verified)
}

/// What is wrong with one document.
async fn check(
    home: &Home,
    document: &Document,
    reading: &Reading,
) -> Result<Option<String>, CommandError> {
    let name = &document.name;
    let lost = |what: &str| Some(format!("the {what} of “{name}” are lost: add it again."));
    let source = match home.blobs.get(&reading.source).await {
        Ok(source) => source,
        Err(error @ BlobError::Io(_)) => return Err(error.into()),
        Err(_) => return Ok(lost("original bytes")),
    };
    let passages = match parts::read(home, &reading.outline).await {
        Ok(passages) => passages,
        Err(error @ BlobError::Io(_)) => return Err(error.into()),
        Err(_) => return Ok(lost("passages")),
    };
    if passages.len() as u64 != u64::from(reading.passages) {
        return Ok(lost("passages"));
    }
    let wrong = passages.iter().find(|passage| !is_cited(passage, &source));
    Ok(wrong.map(|passage| {
        format!(
            "“{}…” of “{name}” does not stand in the original: add it again.",
            content::prefix(&passage.text, 40)
        )
    }))
}

/// Whether the original says what the passage says, where that can be compared: text in UTF-8. Of other encodings the place has to be there.
fn is_cited(passage: &Passage, source: &[u8]) -> bool {
    let Some(at) = &passage.at else { return true };
    let bytes = usize::try_from(at.start)
        .ok()
        .zip(usize::try_from(at.end).ok());
    let Some(said) = bytes.and_then(|(from, to)| source.get(from..to)) else {
        return false;
    };
    said == passage.text.as_bytes() || said.len() != passage.text.len() || !passage.text.is_ascii()
}

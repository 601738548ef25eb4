//! Whether what is stored of a collection fits together: records, originals, passages, index. Each passage is held against its original, which is
//! read a second time for that.

use super::{IngestPorts, manifest, parts, reindex::documents, stands::Original};
use crate::{CommandError, knowledge::own};
use domain::{
    content,
    knowledge::{Collection, Document, Passage, Reading, Revision},
};
use ports::{
    blob::BlobError,
    extract::{ExtractError, File},
    search::SearchError,
    store::StoreError,
};

/// What was compared, and what does not fit.
#[derive(Clone, PartialEq, Eq, serde::Serialize, Debug, Default)]
pub struct Verified {
    pub documents: usize,
    /// That can be found.
    pub passages: u64,
    pub segments: usize,
    /// For people: what is wrong and what to do.
    pub findings: Vec<String>,
    /// Names of documents that can be read again only where there is a sandbox.
    pub not_compared: Vec<String>,
}

/// Reads everything, also what documents were before. A document that comes or goes meanwhile may show as a finding.
///
/// # Errors
/// When a store does not answer.
pub async fn verify(
    ports: &IngestPorts,
    collection: &Collection,
) -> Result<Verified, CommandError> {
    let (home, index) = (&ports.home, &ports.index);
    let (found, _) = manifest(home, &collection.id).await?;
    let mut verified = Verified {
        segments: found.segments.len(),
        ..Verified::default()
    };
    for document in documents(home, collection).await? {
        verified.documents += 1;
        let current = document.current.iter();
        verified.passages += current.map(|one| u64::from(one.passages)).sum::<u64>();
        for reading in document.current.iter().chain(&document.history) {
            match check(ports, &document, reading).await? {
                Checked::Fits => {}
                Checked::Finding(finding) => verified.findings.push(finding),
                Checked::NotHere => verified.not_compared.push(document.name.clone()),
            }
        }
    }
    verified.not_compared.dedup();
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

enum Checked {
    Fits,
    Finding(String),
    /// It needs a sandbox.
    NotHere,
}

/// What is wrong with one content of a document.
async fn check(
    ports: &IngestPorts,
    document: &Document,
    reading: &Reading,
) -> Result<Checked, CommandError> {
    let home = &ports.home;
    let name = match document.current.as_ref() == Some(reading) {
        true => format!("“{}”", document.name),
        false => format!("“{}” as it was before", document.name),
    };
    let finding = |what: String| {
        let text = format!("{what}: forget it and add it again.");
        Ok(Checked::Finding(text))
    };
    let of = Revision {
        document: document.id.clone(),
        revision: reading.revision,
    };
    let Some(source) = there(own::get(home, &of, &reading.source).await)? else {
        return finding(format!("the original bytes of {name} are lost"));
    };
    let passages = there(parts::read(home, &of, &reading.outline).await)?;
    let whole = |passages: &Vec<Passage>| passages.len() as u64 == u64::from(reading.passages);
    let Some(passages) = passages.filter(whole) else {
        return finding(format!("the passages of {name} are lost"));
    };
    let file = File {
        name: &document.name,
        bytes: &source,
    };
    let original = match ports.extract.extract(file).await {
        Ok(extracted) => Original::of(&extracted.sections),
        Err(ExtractError::NeedsSandbox) => return Ok(Checked::NotHere),
        Err(ExtractError::Unreadable(why)) => {
            return finding(format!("{name} can’t be read any more ({why})"));
        }
        Err(ExtractError::Io(why)) => return Err(StoreError::Unavailable(why).into()),
    };
    match original.lacks(&passages) {
        None => Ok(Checked::Fits),
        Some(passage) => finding(format!(
            "“{}…” does not stand where it should in the original of {name}",
            content::prefix(&passage.text, 40)
        )),
    }
}

/// None for what is lost or damaged.
fn there<T>(read: Result<T, BlobError>) -> Result<Option<T>, BlobError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error @ BlobError::Io(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

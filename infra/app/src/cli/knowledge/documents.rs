//! Documents listed and taken out; their index made again and checked.

use super::super::{
    Failure,
    output::{self, Output, table},
};
use crate::compose::{Local, extract::Extractors, sandbox, search};
use bot::text::en;
use domain::knowledge::{Collection, Document};
use handlers::{
    commit_with,
    ingest::{self, IngestPorts},
    knowledge::{self, Reader},
};
use ports::SearchIndex;
use serde::Serialize;
use std::sync::Arc;

/// Those that are meant: the one of this name, or all.
async fn meant(local: &Local, name: Option<&str>) -> Result<Vec<Collection>, Failure> {
    let mut all = knowledge::list(&local.home, reader(local)).await?;
    let Some(name) = name else { return Ok(all) };
    all.retain(|one| one.name == name || one.id.as_str() == name);
    match all.is_empty() {
        true => Err(Failure::new(format!(
            "There is no collection “{name}”: `countersign knowledge list` shows which there are."
        ))),
        false => Ok(all),
    }
}

/// Whoever sits at this machine's terminal, where nobody reads along.
pub fn reader(local: &Local) -> Reader<'_> {
    Reader {
        member: &local.owner,
        alone: true,
    }
}

pub async fn index(local: &Local) -> Result<Arc<dyn SearchIndex>, Failure> {
    Ok(search::index(&local.config).await?)
}

/// What reads originals again.
async fn ports(local: &Local) -> Result<IngestPorts, Failure> {
    let picked = sandbox::pick(&local.config).await;
    let sandbox = local.config.redaction.over(picked.sandbox);
    Ok(IngestPorts {
        home: local.home.clone(),
        extract: Arc::new(Extractors::new(&local.config, Some(sandbox))),
        index: index(local).await?,
    })
}

#[derive(Serialize)]
struct Listed {
    /// The document says the id.
    collection_name: String,
    #[serde(flatten)]
    document: Document,
}

pub async fn list(local: &Local, output: Output, name: Option<&str>) -> Result<u8, Failure> {
    let mut listed = Vec::new();
    for collection in meant(local, name).await? {
        for document in ingest::documents(&local.home, &collection).await? {
            let collection_name = collection.name.clone();
            listed.push(Listed {
                collection_name,
                document,
            });
        }
    }
    output.show(&listed, || {
        let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
        table(
            &[
                "collection",
                "name",
                "status",
                "passages",
                "language",
                "size",
            ],
            &rows,
            "No documents yet: countersign knowledge add FILE",
        )
    })?;
    Ok(0)
}

fn row(listed: &Listed) -> Vec<String> {
    let document = &listed.document;
    let reading = document.current.as_ref();
    let of = |value: Option<String>| value.unwrap_or_default();
    let status = match &document.problem {
        Some(why) => format!("{}: {why}", output::word(&document.status)),
        None => output::word(&document.status),
    };
    vec![
        listed.collection_name.clone(),
        document.name.clone(),
        status,
        of(reading.map(|reading| reading.passages.to_string())),
        of(reading.and_then(|reading| reading.language.as_deref().map(en::language))),
        of(reading.map(|reading| en::bytes(reading.bytes))),
    ]
}

pub async fn remove(
    local: &Local,
    output: Output,
    documents: &[String],
    collection: Option<&str>,
) -> Result<u8, Failure> {
    let collections = meant(local, collection).await?;
    let (home, owner) = (&local.home, &local.owner);
    let mut removed = Vec::new();
    for name in documents {
        let document = commit_with(home, async || {
            let found = ingest::find(home, owner, name, &collections).await?;
            ingest::remove(home, owner, found).await
        })
        .await?;
        removed.push(document);
    }
    output.show(&removed, || {
        let lines = removed.iter().map(|one| format!("Removed {}.", one.name));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    Ok(0)
}

pub async fn reindex(local: &Local, output: Output, name: Option<&str>) -> Result<u8, Failure> {
    let (index, mut done) = (index(local).await?, Vec::new());
    for collection in meant(local, name).await? {
        let one = ingest::reindex(&local.home, &*index, &collection).await?;
        done.push((collection.name, one));
    }
    output.show(&done, || {
        let line = |(name, one): &(String, ingest::Reindexed)| {
            format!(
                "{name}: {}, {} in {}.",
                en::documents(one.documents),
                en::passages(one.passages as u64),
                en::segments(one.segments)
            )
        };
        done.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(0)
}

pub async fn verify(local: &Local, output: Output, name: Option<&str>) -> Result<u8, Failure> {
    let (ports, mut done) = (ports(local).await?, Vec::new());
    for collection in meant(local, name).await? {
        let one = ingest::verify(&ports, &collection).await?;
        done.push((collection.name, one));
    }
    let whole = done.iter().all(|(_, one)| one.findings.is_empty());
    output.show(&done, || {
        let line = |(name, one): &(String, ingest::Verified)| {
            let mut lines = vec![format!(
                "{name}: {}, {}, {}: {}",
                en::documents(one.documents),
                en::passages(one.passages),
                en::segments(one.segments),
                if one.findings.is_empty() {
                    "whole"
                } else {
                    "NOT WHOLE"
                }
            )];
            lines.extend(one.findings.iter().map(|finding| format!("  {finding}")));
            let not_compared = one.not_compared.iter();
            lines.extend(not_compared.map(|name| {
                format!("  {name} is not compared with its original: that needs a sandbox.")
            }));
            lines.join("\n")
        };
        done.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(u8::from(!whole))
}

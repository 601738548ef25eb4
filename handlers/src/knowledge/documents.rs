//! What is in a collection.

use super::{Reader, find};
use crate::{CommandError, Home};
use domain::knowledge::{Collection, Document, DocumentStatus};
use ports::repo;
use serde::Serialize;

/// Documents of one page: as many as buttons fit below a message.
pub const PAGE: usize = 8;

#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Documents {
    pub collection: Collection,
    /// By name.
    pub documents: Vec<Document>,
    /// From 0.
    pub page: usize,
    /// Whether another page follows.
    pub more: bool,
}

/// One page of a collection's documents, for who may read it.
///
/// # Errors
/// [`crate::Problem::NotFound`].
pub async fn documents(
    home: &Home,
    reader: Reader<'_>,
    collection: &str,
    page: usize,
) -> Result<Documents, CommandError> {
    let collection = find(home, reader, collection).await?.value;
    let mut query = repo::by::<Document>(&home.team, "by_name", collection.id.as_str());
    let mut skip = page.saturating_mul(PAGE);
    let mut documents = Vec::new();
    loop {
        let (stored, next) = repo::page::<Document>(&*home.store, query.clone()).await?;
        let there = stored.into_iter().map(|stored| stored.value);
        for document in there.filter(|one| one.status != DocumentStatus::Removed) {
            match skip {
                0 => documents.push(document),
                _ => skip -= 1,
            }
        }
        match next {
            Some(cursor) if documents.len() <= PAGE => query.after = Some(cursor),
            _ => break,
        }
    }
    let more = documents.len() > PAGE;
    documents.truncate(PAGE);
    Ok(Documents {
        collection,
        documents,
        page,
        more,
    })
}

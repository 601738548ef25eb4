//! A document is taken out of lists and searches, and what it was is deleted. Of its record stays which contents its name has had, so that
//! another one is no content from before; the audit says who took it out.

use super::{clear, manifest, merge, stream};
use crate::{CommandError, Draft, HandlerError, Home, Problem, audit};
use domain::{
    knowledge::{Collection, Document, DocumentStatus, Revision},
    member::{Deed, Member, Role, may},
};
use ports::{
    job::Clear,
    repo::{self, Stored},
};
use serde_json::json;

/// The document of this id, or of this name in a collection that the person may read.
///
/// # Errors
/// [`Problem::NotFound`], [`Problem::Ambiguous`].
pub async fn find(
    home: &Home,
    member: &Member,
    name: &str,
    collections: &[Collection],
) -> Result<Stored<Document>, CommandError> {
    let what = "document";
    let readable = |document: &Document| {
        let of = |collection: &Collection| {
            collection.id == document.collection && collection.is_readable_by(&member.id)
        };
        document.status != DocumentStatus::Removed && collections.iter().any(of)
    };
    let by_id = repo::get::<Document>(&*home.store, &home.team, name).await?;
    let mut found: Vec<Stored<Document>> = by_id.into_iter().collect();
    for collection in collections {
        let id = super::document_id(&collection.id, name);
        found.extend(repo::get::<Document>(&*home.store, &home.team, id.as_str()).await?);
    }
    found.retain(|stored| readable(&stored.value));
    let name = name.to_owned();
    match found.len() {
        0 => Err(Problem::NotFound { what, name }.into()),
        1 => Ok(found.remove(0)),
        _ => Err(Problem::Ambiguous { what, name }.into()),
    }
}

/// Takes it out: from the next search on it is not found.
///
/// # Errors
/// [`Problem::NotAllowed`]: operators remove what they added, owners everything.
pub async fn remove(
    home: &Home,
    member: &Member,
    stored: Stored<Document>,
) -> Result<Draft<Document>, CommandError> {
    let Stored {
        value: mut document,
        version,
    } = stored;
    let own = document.added_by == member.id && may(member.role, Deed::Run);
    if !own && !may(member.role, Deed::Configure) {
        let needed = Role::Owner;
        return Err(Problem::NotAllowed { needed }.into());
    }
    let readings = document.current.iter().chain(&document.history);
    let was = Clear {
        contents: clear::contents(&document, readings),
        segments: Vec::new(),
        collection: Some(document.collection.clone()),
    };
    document.status = DocumentStatus::Removed;
    document.problem = None;
    document.updated_at = home.now();
    let mut ops = Vec::new();
    if let Some(current) = document.current.take() {
        let (mut found, at) = manifest(home, &document.collection).await?;
        found.gone.push(Revision {
            document: document.id.clone(),
            revision: current.revision,
        });
        ops.push(repo::put(&home.team, &found, at)?);
        ops.extend(merge::due(home, &found).await.map_err(unanswered)?);
    }
    document.history.clear();
    ops.extend(clear::later(home, was)?);
    ops.push(repo::put(&home.team, &document, Some(version))?);
    let by = format!("member:{}", member.id);
    let detail = json!({"name": document.name, "collection": document.collection});
    let deed = audit::deed("document.removed", by, &document.id, detail);
    ops.extend(audit::append(home, &stream(&document), vec![deed]).await?);
    Ok(Draft::new(ops, document))
}

fn unanswered(error: HandlerError) -> CommandError {
    ports::store::StoreError::Unavailable(error.to_string()).into()
}

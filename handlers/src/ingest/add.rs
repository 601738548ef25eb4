//! A file is added: its bytes, its record and the job that reads it, in one commit.

use super::stream;
use crate::{CommandError, Draft, Home, Problem, audit, knowledge::own};
use domain::{
    Digest, content,
    id::{CollectionId, DocumentId, SessionId},
    knowledge::{Collection, Document, DocumentStatus, Revision},
    member::{Deed, Member, Role, may},
};
use ports::{
    extract::MAX_BYTES,
    job::{self, Ingest, ReadDocument},
    repo::{self, Stored},
    store::Op,
};
use serde_json::json;

/// Bytes of a document's name; its record and its index entry have limits.
const NAME: usize = 300;

/// A file on its way in.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub collection: &'a Collection,
    /// As whoever sent it says, with directories where they tell files apart.
    pub name: &'a str,
    pub bytes: &'a [u8],
    /// Where somebody waits to hear what became of it.
    pub tell: Option<&'a SessionId>,
}

/// What a file is to the collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Added {
    /// The first of its name.
    New(Document),
    /// Another content of a document that is there. Until it is read, the one before is found.
    Version(Document),
    /// Nothing to do: that content is there, under this name or, as the document says, under another one.
    Same(Document),
}

impl Added {
    #[must_use]
    pub fn document(&self) -> &Document {
        match self {
            Self::New(document) | Self::Version(document) | Self::Same(document) => document,
        }
    }
}

/// Stores the file and its job. Nothing of it can be found before the job is done.
///
/// # Errors
/// [`Problem`]s: not allowed, empty, too large.
pub async fn add(home: &Home, member: &Member, new: New<'_>) -> Result<Draft<Added>, CommandError> {
    check(member, &new)?;
    let name = plain(new.name);
    let source = Digest::of_bytes(new.bytes);
    let id = document_id(&new.collection.id, &name);
    let before = repo::get::<Document>(&*home.store, &home.team, id.as_str()).await?;
    if let Some(same) = same(home, before.as_ref(), &new.collection.id, &source).await? {
        return Ok(Draft::fact(Added::Same(same)));
    }
    let known = before
        .as_ref()
        .is_some_and(|b| b.value.status != DocumentStatus::Removed);
    let version = before.as_ref().map(|before| before.version);
    let mut document = match before {
        Some(before) => before.value,
        None => blank(home, member, id, (new.collection.id.clone(), name)),
    };
    document.source = source;
    document.status = DocumentStatus::Reading;
    document.problem = None;
    document.revision += 1;
    document.updated_at = home.now();
    let of = Revision {
        document: document.id.clone(),
        revision: document.revision,
    };
    let work = Ingest::Read(ReadDocument {
        source: own::put(home, &of, new.bytes).await?,
        document: of.document,
        revision: of.revision,
        own: true,
        bytes: new.bytes.len() as u64,
        by: member.id.clone(),
        tell: new.tell.cloned(),
        sandbox: false,
    });
    let job = job::new_job(&home.team, home.chance.id(), &work, home.now())?;
    let mut ops = vec![repo::put(&home.team, &document, version)?, Op::Enqueue(job)];
    let (by, detail) = (
        format!("member:{}", member.id),
        json!({"name": document.name, "collection": document.collection, "revision": document.revision, "source": document.source}),
    );
    let deed = audit::deed("document.added", by, &document.id, detail);
    ops.extend(audit::append(home, &stream(&document), vec![deed]).await?);
    let fact = match known {
        true => Added::Version(document),
        false => Added::New(document),
    };
    Ok(Draft::new(ops, fact))
}

fn check(member: &Member, new: &New<'_>) -> Result<(), Problem> {
    let mine = new.collection.owner.as_ref() == Some(&member.id);
    if !may(member.role, Deed::Run) || !(mine || new.collection.owner.is_none()) {
        let needed = Role::Operator;
        return Err(Problem::NotAllowed { needed });
    }
    let (bytes, limit) = (new.bytes.len() as u64, MAX_BYTES);
    match bytes {
        0 => Err(Problem::Invalid(format!(
            "“{}” is empty: there is nothing to read.",
            new.name
        ))),
        _ if bytes > limit => {
            let what = "file";
            Err(Problem::TooLarge { what, bytes, limit })
        }
        _ => Ok(()),
    }
}

/// One document for each name of a collection, also where two files come at once: the second meets the first one's record.
#[must_use]
pub fn document_id(collection: &CollectionId, name: &str) -> DocumentId {
    let digest = Digest::of_bytes(format!("{collection}\n{name}"));
    DocumentId::new(content::prefix(digest.as_str(), 32))
}

/// The name as it is listed. It is never used as a path, and does not look like one that leads anywhere.
fn plain(name: &str) -> String {
    let visible = |part: &str| -> String { part.chars().filter(|c| !c.is_control()).collect() };
    let parts: Vec<String> = name
        .split(['/', '\\'])
        .map(|part| visible(part).trim().to_owned())
        .filter(|part| !matches!(part.as_str(), "" | "." | ".."))
        .collect();
    let name = match parts.is_empty() {
        true => "unnamed".to_owned(),
        false => parts.join("/"),
    };
    // The end tells more than the beginning.
    let mut from = name.len().saturating_sub(NAME);
    while !name.is_char_boundary(from) {
        from += 1;
    }
    name[from..].to_owned()
}

/// The document that has this content already: the one of this name, else another of the collection. One that could not be read is read again.
async fn same(
    home: &Home,
    before: Option<&Stored<Document>>,
    collection: &CollectionId,
    source: &Digest,
) -> Result<Option<Document>, CommandError> {
    let has = |document: &Document| {
        let there = matches!(
            document.status,
            DocumentStatus::Reading | DocumentStatus::Ready
        );
        there && document.source == *source && document.collection == *collection
    };
    if let Some(before) = before.filter(|before| before.value.status != DocumentStatus::Removed) {
        // Of a document that changes its content nobody thinks as of another's copy.
        return Ok(Some(before.value.clone()).filter(has));
    }
    let query = repo::by::<Document>(&home.team, "by_source", source.as_str());
    let found = repo::collect::<Document>(&*home.store, query).await?;
    Ok(found.into_iter().map(|stored| stored.value).find(has))
}

fn blank(
    home: &Home,
    member: &Member,
    id: DocumentId,
    (collection, name): (CollectionId, String),
) -> Document {
    Document {
        id,
        collection,
        name,
        source: Digest::of_bytes(""),
        status: DocumentStatus::Reading,
        problem: None,
        revision: 0,
        current: None,
        history: Vec::new(),
        added_by: member.id.clone(),
        created_at: home.now(),
        updated_at: home.now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere() {
        let names = [
            "../../etc/passwd",
            "C:\\files\\a.txt",
            "/",
            "guide/./intro.md",
            " a\u{0}b\n.txt ",
        ]
        .map(plain);
        assert_eq!(
            names,
            [
                "etc/passwd",
                "C:/files/a.txt",
                "unnamed",
                "guide/intro.md",
                "ab.txt"
            ]
        );
        let long = plain(&format!("{}.txt", "ж".repeat(400)));
        assert!(long.len() <= NAME && long.ends_with(".txt"));
    }
}

//! From a document's id to a passage's text, for who may read it. Nothing here fails because something is gone: it is not there.

use super::{Reader, own};
use crate::{CommandError, Home};
use domain::{
    Digest,
    id::{CollectionId, DocumentId},
    knowledge::{Collection, Document, DocumentStatus, Outline, Passage, Reading, Revision},
};
use ports::{blob::BlobError, repo};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// A passage with all that says where it stands.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Place {
    pub collection: CollectionId,
    pub collection_name: String,
    pub document: DocumentId,
    /// The file's.
    pub name: String,
    pub revision: u32,
    /// A newer content of the document is what is found now.
    pub outdated: bool,
    pub title: String,
    /// How many the document has.
    pub passages: u32,
    #[serde(flatten)]
    pub passage: Passage,
}

impl Place {
    /// From the outermost in, without one that only says the title again.
    #[must_use]
    pub fn headings(&self) -> &[String] {
        match self.passage.headings.as_slice() {
            [first, rest @ ..] if *first == self.title => rest,
            all => all,
        }
    }

    /// Title, headings, and page or line, for one line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![self.title.clone()];
        if !self.headings().is_empty() {
            parts.push(self.headings().join(" › "));
        }
        let Passage {
            page,
            last_page,
            line,
            ..
        } = &self.passage;
        parts.extend(match (page, last_page, line) {
            (Some(page), Some(last), _) => Some(format!("pages {page}–{last}")),
            (Some(page), None, _) => Some(format!("page {page}")),
            (None, _, Some(line)) => Some(format!("line {line}")),
            (None, _, None) => None,
        });
        parts.join(" · ")
    }
}

/// Opens passages for one person, each record and blob once.
pub struct Shelf<'a> {
    home: &'a Home,
    reader: Reader<'a>,
    collections: BTreeMap<CollectionId, Option<Collection>>,
    documents: BTreeMap<DocumentId, Option<Document>>,
    outlines: BTreeMap<Digest, Option<Outline>>,
    parts: BTreeMap<Digest, Option<Vec<Passage>>>,
}

impl<'a> Shelf<'a> {
    #[must_use]
    pub fn new(home: &'a Home, reader: Reader<'a>) -> Self {
        Self {
            home,
            reader,
            collections: BTreeMap::new(),
            documents: BTreeMap::new(),
            outlines: BTreeMap::new(),
            parts: BTreeMap::new(),
        }
    }

    /// `None` where it is gone, or not for this person.
    ///
    /// # Errors
    /// When the store or the blob store does not answer.
    pub async fn open(
        &mut self,
        document: &DocumentId,
        revision: u32,
        ordinal: u32,
    ) -> Result<Option<Place>, CommandError> {
        let Some(document) = self.document(document).await? else {
            return Ok(None);
        };
        let Some(collection) = self.collection(&document.collection).await? else {
            return Ok(None);
        };
        let Some(reading) = reading(&document, revision).cloned() else {
            return Ok(None);
        };
        let of = Revision {
            document: document.id.clone(),
            revision,
        };
        let Some(passage) = self.passage(&of, &reading.outline, ordinal).await? else {
            return Ok(None);
        };
        let current = document.current.as_ref();
        Ok(Some(Place {
            collection: collection.id,
            collection_name: collection.name,
            document: document.id,
            outdated: current.is_none_or(|current| current.revision != revision),
            name: document.name,
            revision,
            title: reading.title,
            passages: reading.passages,
            passage,
        }))
    }

    /// The collection, if this person may read it now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn collection(
        &mut self,
        id: &CollectionId,
    ) -> Result<Option<Collection>, CommandError> {
        if let Some(known) = self.collections.get(id) {
            return Ok(known.clone());
        }
        let stored =
            repo::get::<Collection>(&*self.home.store, &self.home.team, id.as_str()).await?;
        let found = stored.map(|stored| stored.value);
        let found = found.filter(|collection| self.reader.may_read(collection));
        self.collections.insert(id.clone(), found.clone());
        Ok(found)
    }

    async fn document(&mut self, id: &DocumentId) -> Result<Option<Document>, CommandError> {
        if let Some(known) = self.documents.get(id) {
            return Ok(known.clone());
        }
        let stored = repo::get::<Document>(&*self.home.store, &self.home.team, id.as_str()).await?;
        let found = stored.map(|stored| stored.value);
        let found = found.filter(|document| document.status != DocumentStatus::Removed);
        self.documents.insert(id.clone(), found.clone());
        Ok(found)
    }

    async fn passage(
        &mut self,
        of: &Revision,
        outline: &Digest,
        ordinal: u32,
    ) -> Result<Option<Passage>, CommandError> {
        if !self.outlines.contains_key(outline) {
            let read = self.read::<Outline>(of, outline).await?;
            self.outlines.insert(outline.clone(), read);
        }
        let known = self.outlines.get(outline).and_then(Option::as_ref);
        let Some(part) = known.and_then(|outline| outline.part(ordinal)).cloned() else {
            return Ok(None);
        };
        if !self.parts.contains_key(&part) {
            let read = self.read::<Vec<Passage>>(of, &part).await?;
            self.parts.insert(part.clone(), read);
        }
        let passages = self.parts.get(&part).and_then(Option::as_ref);
        let found =
            passages.and_then(|passages| passages.iter().find(|one| one.ordinal == ordinal));
        Ok(found.cloned())
    }

    async fn read<T: DeserializeOwned>(
        &self,
        of: &Revision,
        blob: &Digest,
    ) -> Result<Option<T>, CommandError> {
        match own::get(self.home, of, blob).await {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error @ BlobError::Io(_)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(%blob, %error, "a part of a document cannot be read");
                Ok(None)
            }
        }
    }
}

/// A content that the document has or had.
fn reading(document: &Document, revision: u32) -> Option<&Reading> {
    let all = document.current.iter().chain(&document.history);
    all.into_iter().find(|one| one.revision == revision)
}

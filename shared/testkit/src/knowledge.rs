//! Documents that are there already, for tests of what people and agents do with them.

use crate::{clock::MONDAY, home::TestHome};
use domain::{
    id::{CollectionId, CommitId, DocumentId},
    knowledge::{Document, DocumentStatus, Manifest, Outline, Passage, Reading, Revision},
};
use ports::{
    Blobs as _, Chance as _, Store as _,
    repo::{self, Entity},
    search::{Entry, SearchIndex as _},
    store::{Batch, Op},
};

/// What a fake refused: the test that made it do so unwraps it.
type Made<T> = Result<T, Box<dyn std::error::Error>>;

/// Passages in one part: few, so that tests read on from one to the next.
const PART: usize = 2;

impl TestHome {
    /// A document as its ingestion leaves it: in the records, the blob store and the index. A name that is there already becomes a
    /// new content of that document. Each text is a passage below the heading `Part n`.
    ///
    /// # Errors
    /// When a fake refuses.
    pub async fn document(
        &self,
        collection: &CollectionId,
        name: &str,
        texts: &[&str],
    ) -> Made<Document> {
        let before = self.named(collection, name).await?;
        let revision = before.as_ref().map_or(1, |before| before.revision + 1);
        let id = before
            .as_ref()
            .map_or_else(|| DocumentId::new(self.chance.id()), |one| one.id.clone());
        let passages: Vec<Passage> = (0..)
            .zip(texts)
            .map(|(at, text)| passage(at, text))
            .collect();
        let title = name.split('.').next().unwrap_or(name);
        let reading = self.reading(revision, title, &passages).await?;
        let history = before.into_iter().flat_map(|one| one.current);
        let document = Document {
            id: id.clone(),
            collection: collection.clone(),
            name: name.to_owned(),
            source: reading.source.clone(),
            status: DocumentStatus::Ready,
            problem: None,
            revision,
            current: Some(reading),
            history: history.collect(),
            added_by: "chat:ann".into(),
            created_at: MONDAY,
            updated_at: MONDAY,
        };
        self.put(&document).await?;
        let at = Revision {
            document: id,
            revision,
        };
        self.index(collection, at, (title, &passages)).await?;
        Ok(document)
    }

    async fn reading(&self, revision: u32, title: &str, passages: &[Passage]) -> Made<Reading> {
        let mut outline = Outline::default();
        for part in passages.chunks(PART) {
            let blob = serde_json::to_vec(part)?;
            let blob = self.blobs.put(&blob).await?;
            outline.parts.push((part[0].ordinal, blob));
        }
        let outline = serde_json::to_vec(&outline)?;
        let texts: Vec<&str> = passages.iter().map(|one| one.text.as_str()).collect();
        Ok(Reading {
            revision,
            source: self.blobs.put(texts.join("\n").as_bytes()).await?,
            bytes: 1,
            own: false,
            title: title.to_owned(),
            media_type: "text/markdown".to_owned(),
            language: Some("en".to_owned()),
            pages: None,
            passages: u32::try_from(passages.len())?,
            outline: self.blobs.put(&outline).await?,
            skipped: Vec::new(),
            by: "chat:ann".into(),
            at: MONDAY,
        })
    }

    /// Takes a document away: the record says so, and the manifest.
    ///
    /// # Errors
    /// When a fake refuses.
    pub async fn remove_document(&self, document: &Document) -> Made<()> {
        let mut removed = document.clone();
        removed.status = DocumentStatus::Removed;
        self.put(&removed).await?;
        let (collection, revision) = (&document.collection, document.revision);
        let document = document.id.clone();
        let mut manifest = self.manifest(collection).await?;
        manifest.gone.push(Revision { document, revision });
        self.put(&manifest).await
    }

    async fn named(&self, collection: &CollectionId, name: &str) -> Made<Option<Document>> {
        let query = repo::by::<Document>(&self.team, "by_name", collection.as_str());
        let all = repo::collect::<Document>(&*self.store, query).await?;
        let mut all = all.into_iter().map(|stored| stored.value);
        Ok(all.find(|document| document.name == name))
    }

    async fn index(
        &self,
        of: &CollectionId,
        at: Revision,
        (title, passages): (&str, &[Passage]),
    ) -> Made<()> {
        let entry = |passage: &Passage| Entry {
            revision: at.clone(),
            ordinal: passage.ordinal,
            language: passage.language.clone(),
            title: title.to_owned(),
            headings: passage.headings.join(" "),
            text: passage.text.clone(),
            code: passage.code,
        };
        let segment = self
            .index
            .write("", passages.iter().map(entry).collect())
            .await?;
        let mut manifest = self.manifest(of).await?;
        manifest.segments.push(segment);
        for revision in 1..at.revision {
            let document = at.document.clone();
            manifest.gone.push(Revision { document, revision });
        }
        self.put(&manifest).await
    }

    async fn manifest(&self, collection: &CollectionId) -> Made<Manifest> {
        let stored = repo::get::<Manifest>(&*self.store, &self.team, collection.as_str()).await;
        Ok(stored?.map_or_else(
            || Manifest {
                collection: collection.clone(),
                segments: Vec::new(),
                gone: Vec::new(),
            },
            |stored| stored.value,
        ))
    }

    async fn put<T: Entity>(&self, value: &T) -> Made<()> {
        let before = repo::get::<T>(&*self.store, &self.team, &value.id()).await?;
        let version = before.map(|before| before.version);
        let ops: Vec<Op> = vec![repo::put(&self.team, value, version)?];
        let id = CommitId::new(self.chance.id());
        self.store
            .commit(Batch {
                id,
                at: MONDAY,
                ops,
            })
            .await?;
        Ok(())
    }
}

fn passage(ordinal: u32, text: &str) -> Passage {
    Passage {
        ordinal,
        text: text.to_owned(),
        headings: vec![format!("Part {}", ordinal + 1)],
        page: None,
        last_page: None,
        line: Some(ordinal * 10 + 1),
        at: None,
        within: None,
        code: false,
        language: Some("en".to_owned()),
    }
}

//! Several segments, opened as one index.

use crate::{
    cache::Cache,
    directory::Packs,
    failed,
    language::Language,
    pack::Pack,
    schema::{self, ORDINAL, REVISION},
};
use domain::knowledge::{Revision, Segment};
use ports::search::SearchError;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{
    BitSet, Index, IndexMeta, ReloadPolicy, Searcher, SegmentReader,
    columnar::{Column, StrColumn},
    schema::Field,
};

/// Views that stay open: what is searched now, and what was before the last additions.
const OPEN: usize = 8;

/// Segments that never change, so neither does this.
pub struct View {
    pub searcher: Searcher,
    pub words: Field,
    /// In which languages the passages are.
    pub languages: BTreeSet<Option<Language>>,
    /// Which documents of a segment are not to be found; none: all are.
    pub gone: Vec<Option<BitSet>>,
    /// Which of the gone revisions are in the segments.
    pub dropped: Vec<Revision>,
    pub names: Vec<Names>,
}

/// Which passages a segment's documents are.
pub struct Names {
    revisions: StrColumn,
    ordinals: Column<u64>,
}

impl Names {
    fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let revisions = reader.fast_fields().str(REVISION)?;
        let missing = || tantivy::TantivyError::FieldNotFound(REVISION.to_owned());
        Ok(Self {
            revisions: revisions.ok_or_else(missing)?,
            ordinals: reader.fast_fields().u64(ORDINAL)?,
        })
    }

    /// Revision and ordinal of a document.
    pub fn of(&self, doc: u32) -> tantivy::Result<Option<(Revision, u32)>> {
        let mut key = String::new();
        if let Some(ord) = self.revisions.term_ords(doc).next() {
            self.revisions.ord_to_str(ord, &mut key)?;
        }
        let ordinal = self.ordinals.first(doc).and_then(|n| u32::try_from(n).ok());
        Ok(schema::revision(&key).zip(ordinal))
    }
}

impl View {
    fn open(packs: BTreeMap<String, Arc<Pack>>, gone: &[Revision]) -> tantivy::Result<Self> {
        let languages = packs.values().flat_map(|pack| &pack.about.languages);
        let languages = languages.map(|code| Language::of(code)).collect();
        let fields = schema::fields();
        let meta = meta(&packs, &fields)?;
        let index = Index::open(Packs::new(meta, packs))?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let searcher = reader.try_into()?.searcher();
        let mut view = Self {
            words: fields.words,
            languages,
            gone: Vec::new(),
            dropped: Vec::new(),
            names: Vec::new(),
            searcher,
        };
        let mut dropped = BTreeSet::new();
        for reader in view.searcher.segment_readers() {
            let names = Names::open(reader)?;
            view.gone
                .push(gone_of(&names, reader.max_doc(), gone, &mut dropped)?);
            view.names.push(names);
        }
        view.dropped = dropped.into_iter().collect();
        Ok(view)
    }

    /// How many passages can be found.
    pub fn alive(&self) -> u32 {
        let all = self
            .searcher
            .segment_readers()
            .iter()
            .map(SegmentReader::max_doc);
        let gone = self.gone.iter().flatten().map(BitSet::len);
        let gone: usize = gone.sum();
        all.sum::<u32>()
            .saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

/// JSON as an index has it that wrote these segments itself.
fn meta(packs: &BTreeMap<String, Arc<Pack>>, fields: &schema::Fields) -> tantivy::Result<Vec<u8>> {
    let mut meta = serde_json::to_value(IndexMeta::with_schema(fields.schema.clone()))?;
    let segment = |(id, pack): (&String, &Arc<Pack>)| serde_json::json!({"segment_id": id, "max_doc": pack.about.passages, "deletes": null});
    if let Some(object) = meta.as_object_mut() {
        let segments = packs.iter().map(segment).collect();
        object.insert("segments".to_owned(), segments);
    }
    Ok(serde_json::to_vec(&meta)?)
}

fn gone_of(
    names: &Names,
    passages: u32,
    gone: &[Revision],
    dropped: &mut BTreeSet<Revision>,
) -> tantivy::Result<Option<BitSet>> {
    let mut ords = BTreeSet::new();
    for revision in gone {
        let key = schema::key(revision);
        if let Some(ord) = names.revisions.dictionary().term_ord(key.as_bytes())? {
            ords.insert(ord);
            dropped.insert(revision.clone());
        }
    }
    if ords.is_empty() {
        return Ok(None);
    }
    let mut set = BitSet::with_max_value(passages);
    for doc in 0..passages {
        if names
            .revisions
            .term_ords(doc)
            .any(|ord| ords.contains(&ord))
        {
            set.insert(doc);
        }
    }
    Ok(Some(set))
}

/// The number of passages that can be found in one segment, read as a whole.
///
/// # Errors
/// [`SearchError::Damaged`] when it has not as many passages as it should.
pub fn count(segment: &Segment, pack: Pack, gone: &[Revision]) -> Result<u64, SearchError> {
    let packs = BTreeMap::from([(segment.id.clone(), Arc::new(pack))]);
    let view = View::open(packs, gone).map_err(|error| failed(&error))?;
    if view.searcher.num_docs() != u64::from(segment.passages) {
        let what = format!(
            "segment {} has {} passages, not {}",
            segment.id,
            view.searcher.num_docs(),
            segment.passages
        );
        return Err(SearchError::Damaged(what));
    }
    Ok(view.alive().into())
}

/// The segments' ids and what is gone, each in order.
type Key = (Vec<String>, Vec<Revision>);

/// Opened views, the last used first.
#[derive(Default)]
pub struct Views(Mutex<Vec<(Key, Arc<View>)>>);

impl Views {
    /// # Errors
    /// [`SearchError::Damaged`] when a segment is not there or not what it was.
    pub async fn open(
        &self,
        cache: &Cache,
        segments: &[Segment],
        gone: &[Revision],
    ) -> Result<Arc<View>, SearchError> {
        let key = key(segments, gone);
        if let Some(view) = self.take(&key) {
            return Ok(view);
        }
        let mut packs = BTreeMap::new();
        for segment in segments {
            if !packs.contains_key(&segment.id) {
                packs.insert(segment.id.clone(), cache.open(segment).await?);
            }
        }
        let gone = key.1.clone();
        let view =
            crate::blocking(move || View::open(packs, &gone).map_err(|error| failed(&error)));
        let view = Arc::new(view.await?);
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        views.insert(0, (key, view.clone()));
        views.truncate(OPEN);
        Ok(view)
    }

    fn take(&self, key: &Key) -> Option<Arc<View>> {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = views.iter().position(|(known, _)| known == key)?;
        views.get_mut(..=at)?.rotate_right(1);
        views.first().map(|(_, view)| view.clone())
    }
}

fn key(segments: &[Segment], gone: &[Revision]) -> Key {
    let mut ids: Vec<_> = segments.iter().map(|segment| segment.id.clone()).collect();
    let mut gone = gone.to_vec();
    ids.sort_unstable();
    ids.dedup();
    gone.sort_unstable();
    gone.dedup();
    (ids, gone)
}

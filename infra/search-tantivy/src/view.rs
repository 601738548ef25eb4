//! Several segments, opened as one index.

use crate::{
    block_max::{self, BlockMax},
    cache::Cache,
    directory::Packs,
    failed,
    language::Language,
    names::Names,
    pack::Pack,
    postings::Words,
    rank::Bm25,
    schema,
};
use domain::knowledge::{Revision, Segment};
use ports::search::SearchError;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};
use tantivy::{BitSet, Index, IndexMeta, ReloadPolicy};

/// Views that stay open: what is searched now, and what was before the last additions.
const OPEN: usize = 8;

/// Segments that never change, so neither does this.
pub struct View {
    pub index: Index,
    pub segments: Vec<Opened>,
    /// In which languages the passages are.
    pub languages: BTreeSet<Option<Language>>,
    /// Which of the gone revisions are in the segments.
    pub dropped: Vec<Revision>,
    /// Of the passages of all segments, also those that are gone but still in the files.
    pub bm25: Bm25,
}

/// What a search needs of a segment.
pub struct Opened {
    /// Of the blob, as in the manifest.
    id: String,
    pub words: Words,
    pub block_max: BlockMax,
    pub names: Arc<Names>,
    /// Documents that are not to be found; none: all are.
    pub gone: Option<BitSet>,
}

/// Names of segments that are open already, by the segments' ids.
type Known = BTreeMap<String, Arc<Names>>;

impl View {
    fn open(
        packs: BTreeMap<String, Arc<Pack>>,
        gone: &[Revision],
        known: &Known,
    ) -> tantivy::Result<Self> {
        let languages = packs.values().flat_map(|pack| &pack.about.languages);
        let languages = languages.map(|code| Language::of(code)).collect();
        let fields = schema::fields();
        let meta = meta(&packs, &fields)?;
        let index = Index::open(Packs::new(meta, packs.clone()))?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let searcher = reader.try_into()?.searcher();
        let (mut passages, mut words) = (0, 0);
        for reader in searcher.segment_readers() {
            passages += u64::from(reader.max_doc());
            words += reader.inverted_index(fields.words)?.total_num_tokens();
        }
        let bm25 = Bm25::of(passages, words);
        let mut dropped = BTreeSet::new();
        let mut segments = Vec::new();
        for reader in searcher.segment_readers() {
            let id = reader.segment_id().uuid_string();
            let names = match known.get(&id) {
                Some(names) => names.clone(),
                None => Arc::new(Names::open(reader)?),
            };
            let words = Words::of(reader, &fields)?;
            let file = packs.get(&id).and_then(|pack| pack.file(block_max::ENDING));
            let block_max = BlockMax::open(file, &words, &bm25)?;
            segments.push(Opened {
                id,
                block_max,
                gone: names.all_of(gone, reader.max_doc(), &mut dropped)?,
                names,
                words,
            });
        }
        Ok(Self {
            index,
            segments,
            languages,
            dropped: dropped.into_iter().collect(),
            bm25,
        })
    }

    /// How many passages there are.
    fn passages(&self) -> u32 {
        self.segments
            .iter()
            .map(|segment| segment.words.passages)
            .sum()
    }

    /// How many passages can be found.
    pub fn alive(&self) -> u32 {
        let gone = self.segments.iter().flat_map(|segment| &segment.gone);
        let gone: usize = gone.map(BitSet::len).sum();
        self.passages()
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

/// The number of passages that can be found in one segment, read as a whole.
///
/// # Errors
/// [`SearchError::Damaged`] when it has not as many passages as it should.
pub fn count(segment: &Segment, pack: Pack, gone: &[Revision]) -> Result<u64, SearchError> {
    let packs = BTreeMap::from([(segment.id.clone(), Arc::new(pack))]);
    let view = View::open(packs, gone, &Known::new()).map_err(|error| failed(&error))?;
    if view.passages() != segment.passages {
        let (id, there) = (&segment.id, view.passages());
        let what = format!(
            "segment {id} has {there} passages, not {}",
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
        let (gone, known) = (key.1.clone(), self.known());
        let view = crate::blocking(move || {
            View::open(packs, &gone, &known).map_err(|error| failed(&error))
        });
        let view = Arc::new(view.await?);
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        views.insert(0, (key, view.clone()));
        views.truncate(OPEN);
        Ok(view)
    }

    fn known(&self) -> Known {
        let views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let segments = views.iter().flat_map(|(_, view)| &view.segments);
        let names = segments.map(|segment| (segment.id.clone(), segment.names.clone()));
        names.collect()
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

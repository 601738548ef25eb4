//! A search index in memory that counts words. It knows no language; whole words and the parts of identifiers are all it finds.

use async_trait::async_trait;
use domain::{
    Digest,
    knowledge::{Manifest, Revision, Segment},
};
use ports::search::{Entry, Hit, Merged, Search, SearchError, SearchIndex};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Keeps what was written by its segment's id; a test can lose a segment.
#[derive(Default, Debug)]
pub struct MemoryIndex {
    written: Mutex<BTreeMap<String, Vec<Entry>>>,
}

impl MemoryIndex {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many segments are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// From now on the segment is not there.
    pub fn lose(&self, segment: &Segment) {
        self.lock().remove(&segment.id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Entry>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, segment: &Segment) -> Result<Vec<Entry>, SearchError> {
        self.lock()
            .get(&segment.id)
            .cloned()
            .ok_or_else(|| SearchError::Damaged(format!("segment {} is not there", segment.id)))
    }

    fn keep(&self, seal: &str, entries: Vec<Entry>) -> Segment {
        let mut written = self.lock();
        let id = Digest::of_bytes(format!("{seal} {entries:?}"));
        let id = format!("segment-{}", id.as_str());
        let segment = Segment {
            blob: Digest::of_bytes(&id),
            bytes: entries.iter().map(|entry| entry.text.len() as u64).sum(),
            passages: u32::try_from(entries.len()).unwrap_or(u32::MAX),
            id: id.clone(),
        };
        written.insert(id, entries);
        segment
    }

    fn alive(&self, of: &Manifest) -> Result<Vec<Entry>, SearchError> {
        let mut alive = Vec::new();
        for segment in &of.segments {
            alive.extend(self.read(segment)?);
        }
        alive.retain(|entry| !of.gone.contains(&entry.revision));
        Ok(alive)
    }
}

#[async_trait]
impl SearchIndex for MemoryIndex {
    async fn write(&self, seal: &str, entries: Vec<Entry>) -> Result<Segment, SearchError> {
        Ok(self.keep(seal, entries))
    }

    async fn delete(&self, segments: &[Segment]) -> Result<(), SearchError> {
        for segment in segments {
            self.lose(segment);
        }
        Ok(())
    }

    async fn merge(&self, segments: &[Segment], gone: &[Revision]) -> Result<Merged, SearchError> {
        let mut left = Vec::new();
        for segment in segments {
            left.extend(self.read(segment)?);
        }
        let seal = format!("{segments:?} {gone:?}");
        let dropped: BTreeSet<_> = left
            .extract_if(.., |entry| gone.contains(&entry.revision))
            .map(|entry| entry.revision)
            .collect();
        Ok(Merged {
            segment: (!left.is_empty()).then(|| self.keep(&seal, left)),
            dropped: dropped.into_iter().collect(),
        })
    }

    async fn search(&self, of: &[Manifest], search: &Search) -> Result<Vec<Hit>, SearchError> {
        let asked = words(&search.text);
        let mut hits = Vec::new();
        for manifest in of {
            for entry in self.alive(manifest)? {
                let said = format!("{} {} {}", entry.title, entry.headings, entry.text);
                let said = words(&said);
                let count = |word: &Word| said.iter().filter(|said| said.text == word.text).count();
                let score: usize = asked.iter().map(count).sum();
                if score > 0 {
                    hits.push(Hit {
                        document: entry.revision.document,
                        revision: entry.revision.revision,
                        ordinal: entry.ordinal,
                        score: score as f32,
                    });
                }
            }
        }
        hits.sort_by(|a, b| {
            let place = (&a.document, a.ordinal).cmp(&(&b.document, b.ordinal));
            b.score.total_cmp(&a.score).then(place)
        });
        hits.truncate(search.limit);
        Ok(hits)
    }

    async fn verify(&self, manifest: &Manifest) -> Result<u64, SearchError> {
        Ok(self.alive(manifest)?.len() as u64)
    }

    fn highlight(&self, search: &str, text: &str, _language: Option<&str>) -> Vec<Range<usize>> {
        let asked: BTreeSet<_> = words(search).into_iter().map(|word| word.text).collect();
        let found = words(text)
            .into_iter()
            .filter(|word| asked.contains(&word.text));
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for at in found.map(|word| word.at) {
            match ranges.last_mut() {
                // A part of an identifier that is found already.
                Some(last) if at.start < last.end => last.end = last.end.max(at.end),
                _ => ranges.push(at),
            }
        }
        ranges
    }
}

struct Word {
    text: String,
    at: Range<usize>,
}

/// Words in lower case in the order of their beginnings; `parseRequest` also as `parse` and `request`.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = 0..0;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_alphanumeric() || c == '_' {
            word.end = at + c.len_utf8();
            continue;
        }
        if !word.is_empty() {
            add(text, word.clone(), &mut words);
        }
        word = at + c.len_utf8()..at;
    }
    words
}

fn add(text: &str, at: Range<usize>, words: &mut Vec<Word>) {
    let whole = text.get(at.clone()).unwrap_or_default();
    let mut cuts = vec![0];
    for ((_, before), (here, c)) in whole.char_indices().zip(whole.char_indices().skip(1)) {
        if (before.is_lowercase() && c.is_uppercase()) || before == '_' {
            cuts.push(here);
        }
    }
    cuts.push(whole.len());
    let mut push = |range: Range<usize>| {
        let part = whole.get(range.clone()).unwrap_or_default();
        let start = at.start + range.start + (part.len() - part.trim_start_matches('_').len());
        let text = part.trim_matches('_');
        if !text.is_empty() {
            words.push(Word {
                text: text.to_lowercase(),
                at: start..start + text.len(),
            });
        }
    };
    push(0..whole.len());
    if cuts.len() > 2 {
        cuts.windows(2).for_each(|cut| push(cut[0]..cut[1]));
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryIndex;
    use crate::contract::{
        Broken, Outcome,
        search::{Indexed, Spoiling},
    };
    use async_trait::async_trait;
    use domain::knowledge::Segment;
    use std::sync::Arc;

    #[async_trait]
    impl Spoiling for Arc<MemoryIndex> {
        async fn spoil(&self, segment: &Segment) -> Outcome {
            self.lose(segment);
            Ok(())
        }
    }

    async fn make() -> Result<(Indexed, ()), Broken> {
        let index = Arc::new(MemoryIndex::new());
        let vandal = Box::new(index.clone());
        Ok((Indexed { index, vandal }, ()))
    }

    crate::search_contract!(make);
}

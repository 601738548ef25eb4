//! Leaving out most of the lists changes nothing: what is found is what a plain sum over every passage finds.

use super::{make, place};
use crate::{
    TantivyIndex,
    language::Language,
    pack::Packed,
    pieces,
    schema::{HEADING, TITLE},
    terms::Terms,
    words, write,
};
use domain::knowledge::Revision;
use ports::search::{Entry, Search, SearchIndex};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tantivy::fieldnorm::FieldNormReader;
use testkit::{
    blobs::MemoryBlobs,
    contract::{
        Broken, Outcome,
        search::{entry, manifest, revision},
    },
};

const K1: f32 = 1.6;
const B: f32 = 0.6;

/// The frequent ones first. Some are the same in several languages, some are no words, some are stop words of one.
const WORDS: [&str; 24] = [
    "the",
    "parseHttpRequest",
    "house",
    "houses",
    "Haus",
    "Häuser",
    "maison",
    "программа",
    "программы",
    "die",
    "request",
    "cat",
    "cats",
    "Katze",
    "größer",
    "été",
    "canción",
    "http",
    "東京都",
    "x86",
    "3.14",
    "zebra",
    "Zebras",
    "quokka",
];

/// Numbers that are the same in every run (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    /// Words in a row, frequent ones more often.
    fn text(&mut self, words: usize) -> String {
        let word = |_| {
            let most = 1 + self.below(WORDS.len());
            WORDS[self.below(most)]
        };
        (0..words).map(word).collect::<Vec<_>>().join(" ")
    }

    fn entries(&mut self, documents: usize, first: usize) -> Vec<Entry> {
        let mut entries = Vec::new();
        for document in first..first + documents {
            let language = ["en", "de", "ru", "fr", "uk"].get(self.below(6));
            for ordinal in 0..1 + self.below(6) {
                let words = [1, 5, 40, 200][self.below(4)];
                entries.push(Entry {
                    language: language.map(|code| (*code).to_owned()),
                    headings: WORDS[self.below(WORDS.len())].to_owned(),
                    code: self.below(5) == 0,
                    ..entry(
                        &format!("document {document}"),
                        ordinal as u32,
                        &self.text(words),
                    )
                });
            }
        }
        entries
    }
}

/// A passage as it should have been indexed.
struct Passage {
    revision: Revision,
    ordinal: u32,
    language: Option<Language>,
    terms: BTreeMap<String, u32>,
    /// As exactly as the index keeps it.
    length: f32,
    words: u32,
}

fn language(entry: &Entry) -> Option<Language> {
    let said = entry.language.as_deref().and_then(Language::of);
    said.or(entry.code.then_some(Language::ENGLISH))
}

fn passage(entry: &Entry) -> Passage {
    let mut terms = BTreeMap::new();
    for (times, text) in [
        (TITLE, &entry.title),
        (HEADING, &entry.headings),
        (1, &entry.text),
    ] {
        pieces::each(text, &mut |at| {
            for term in Terms::of(&text[at], language(entry)).iter() {
                *terms.entry(term.to_owned()).or_default() += times as u32;
            }
        });
    }
    let words = terms.values().sum();
    let kept = FieldNormReader::fieldnorm_to_id(words);
    Passage {
        revision: entry.revision.clone(),
        ordinal: entry.ordinal,
        language: language(entry),
        length: FieldNormReader::id_to_fieldnorm(kept) as f32,
        terms,
        words,
    }
}

/// Term, weight.
fn weights(
    passages: &[Passage],
    search: &str,
    languages: &BTreeSet<Option<Language>>,
) -> Vec<(String, f32)> {
    let with = |term: &str| {
        passages
            .iter()
            .filter(|passage| passage.terms.contains_key(term))
            .count()
    };
    let mut found: Vec<(String, u32, usize)> = Vec::new();
    for word in words::asked(search, languages) {
        let everywhere: usize = word.terms.iter().map(|term| with(term)).sum();
        for term in word.terms.into_iter().filter(|term| with(term) > 0) {
            match found.iter_mut().find(|(known, ..)| *known == term) {
                Some((_, times, passages)) => {
                    *times += word.times;
                    *passages = everywhere.max(*passages);
                }
                None => found.push((term, word.times, everywhere)),
            }
        }
    }
    let all = passages.len() as f32;
    let weight = |(term, times, with): (String, u32, usize)| {
        let with = (with as f32).min(all);
        (
            term,
            ((all - with + 0.5) / (with + 0.5)).ln_1p() * (K1 + 1.0) * times as f32,
        )
    };
    let mut weights: Vec<_> = found.into_iter().map(weight).collect();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1));
    weights
}

/// Documents, ordinals and scores by the formula.
fn plain(
    passages: &[Passage],
    gone: &[Revision],
    weights: &[(String, f32)],
    limit: usize,
) -> Vec<(String, u32, f32)> {
    let average = passages
        .iter()
        .map(|passage| passage.words as f32)
        .sum::<f32>()
        / passages.len() as f32;
    let mut scored = Vec::new();
    for passage in passages
        .iter()
        .filter(|passage| !gone.contains(&passage.revision))
    {
        let norm = K1 * (1.0 - B + B * passage.length / average);
        let mut score = 0.0;
        for (term, weight) in weights {
            let often = passage.terms.get(term).copied().unwrap_or(0) as f32;
            score += weight * (often / (often + norm));
        }
        if score > 0.0 {
            scored.push((
                passage.revision.document.as_str().to_owned(),
                passage.ordinal,
                score,
            ));
        }
    }
    scored.sort_by(|a, b| b.2.total_cmp(&a.2).then((&a.0, a.1).cmp(&(&b.0, b.1))));
    scored.truncate(limit);
    scored
}

#[tokio::test]
async fn it_finds_what_a_plain_sum_over_all_passages_finds() -> Outcome {
    for seed in 0..12 {
        let mut chance = Chance(seed);
        let (indexed, _directory) = make().await?;
        let mut segments = Vec::new();
        let mut passages = Vec::new();
        let mut first = 0;
        for documents in [1, 150, 400, 7, 60].into_iter().take(1 + seed as usize % 5) {
            let entries = chance.entries(documents, first);
            first += documents;
            passages.extend(entries.iter().map(passage));
            segments.push(indexed.index.write("", entries).await?);
        }
        let gone: Vec<_> = (0..first)
            .filter(|_| chance.below(4) == 0)
            .map(|document| revision(&format!("document {document}")))
            .collect();
        let of = [manifest(&segments.iter().collect::<Vec<_>>(), &gone)];
        let languages = passages.iter().map(|passage| passage.language).collect();
        for _ in 0..40 {
            let size = 1 + chance.below(14);
            let text = chance.text(size);
            let limit = [1, 3, 10, 2000][chance.below(4)];
            let weights = weights(&passages, &text, &languages);
            let expected = plain(&passages, &gone, &weights, limit);
            let search = Search {
                text: text.clone(),
                limit,
            };
            let hits = indexed.index.search(&of, &search).await?;
            let found: Vec<_> = hits
                .into_iter()
                .map(|hit| (hit.document.as_str().to_owned(), hit.ordinal, hit.score))
                .collect();
            assert_eq!(found, expected, "seed {seed}: {text}");
        }
    }
    Ok(())
}

/// As it was packed before there was a file of block maxima, which is the last one.
fn as_before(packed: &Packed) -> Result<Packed, Broken> {
    let end = packed.bytes.iter().position(|byte| *byte == b'\n');
    let (head, files) = packed.bytes.split_at(end.ok_or("no head")?);
    let mut head: serde_json::Value = serde_json::from_slice(head)?;
    let last = head["files"].as_array_mut().and_then(Vec::pop);
    let last = last.ok_or("no files")?;
    assert_eq!(last[0], "max");
    let length = last[1].as_u64().ok_or("no length")? as usize;
    assert!(length > 1000, "only {length} bytes");
    let mut bytes = serde_json::to_vec(&head)?;
    bytes.extend(&files[..files.len() - length]);
    Ok(Packed {
        bytes,
        passages: packed.passages,
    })
}

#[tokio::test]
async fn a_segment_without_block_maxima_is_searched_as_well() -> Outcome {
    let directory = tempfile::tempdir()?;
    let index = TantivyIndex::new(Arc::new(MemoryBlobs::new()), place(&directory));
    let mut chance = Chance(99);
    let packed = write::segment(String::new(), &chance.entries(500, 0))?;
    let before = index.cache.keep(as_before(&packed)?).await?;
    let now = index.cache.keep(packed).await?;
    assert!(before.bytes < now.bytes);
    for _ in 0..100 {
        let size = 1 + chance.below(8);
        let search = Search {
            text: chance.text(size),
            limit: 5,
        };
        let found = index.search(&[manifest(&[&now], &[])], &search).await?;
        let as_before = index.search(&[manifest(&[&before], &[])], &search).await?;
        assert_eq!(found, as_before, "{}", search.text);
    }
    Ok(())
}

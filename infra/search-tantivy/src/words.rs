//! What a person asked for, as terms of the index; and where a text says it.

use crate::{
    language::Language,
    pieces,
    terms::{Terms, lower},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

/// What is looked at of a search: a question with a page of context. The rest of a longer one would change little.
const LOOKED_AT: usize = 8 * 1024;

/// One word of a search, as each language of the passages has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    pub terms: Vec<String>,
    /// How often it was said.
    pub times: u32,
}

/// The words of a search in passages of these languages, in the order in which they came first. Stop words of any of the languages
/// count only where there are no others.
pub fn asked(search: &str, languages: &BTreeSet<Option<Language>>) -> Vec<Asked> {
    let telling = collect(search, languages, |word| {
        !languages
            .iter()
            .flatten()
            .any(|language| language.of_word(word).is_stop(word))
    });
    if telling.is_empty() {
        return collect(search, languages, |_| true);
    }
    telling
}

fn collect(
    search: &str,
    languages: &BTreeSet<Option<Language>>,
    counts: impl Fn(&str) -> bool,
) -> Vec<Asked> {
    let mut words: Vec<Asked> = Vec::new();
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    let search = search
        .get(..search.floor_char_boundary(LOOKED_AT))
        .unwrap_or(search);
    pieces::each(search, &mut |at| {
        let piece = search.get(at).unwrap_or_default();
        if !counts(&lower(piece)) {
            return;
        }
        let mut terms = Vec::new();
        for language in languages {
            let of = Terms::of(piece, *language);
            terms.extend(of.iter().map(str::to_owned));
        }
        terms.sort_unstable();
        terms.dedup();
        match places.get(&terms).and_then(|place| words.get_mut(*place)) {
            Some(word) => word.times += 1,
            None => {
                places.insert(terms.clone(), words.len());
                words.push(Asked { terms, times: 1 });
            }
        }
    });
    words
}

/// The bytes of `text` that say something of the search, in order and apart from each other.
pub fn shown(search: &str, text: &str, language: Option<&str>) -> Vec<Range<usize>> {
    let languages = match language.and_then(Language::of) {
        Some(language) => BTreeSet::from([Some(language)]),
        // As it stands, or source code.
        None => BTreeSet::from([None, Some(Language::ENGLISH)]),
    };
    let asked = asked(search, &languages);
    let asked: BTreeSet<&str> = asked
        .iter()
        .flat_map(|word| &word.terms)
        .map(String::as_str)
        .collect();
    let says = |piece: &str| {
        let mut terms = languages.iter().map(|language| Terms::of(piece, *language));
        terms.any(|terms| terms.iter().any(|term| asked.contains(term)))
    };
    let mut ranges: BTreeMap<usize, usize> = BTreeMap::new();
    if !asked.is_empty() {
        pieces::each(text, &mut |at| {
            if text.get(at.clone()).is_some_and(says) {
                let end = ranges.entry(at.start).or_insert(at.end);
                *end = at.end.max(*end);
            }
        });
    }
    apart(ranges)
}

fn apart(found: BTreeMap<usize, usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, end) in found {
        match ranges.last_mut() {
            Some(last) if start < last.end => last.end = last.end.max(end),
            _ => ranges.push(start..end),
        }
    }
    ranges
}

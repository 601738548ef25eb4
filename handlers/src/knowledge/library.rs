//! Knowledge as a run uses it: for the prompt, and when the agent asks for more. What is found becomes a quotation with numbers, within
//! a budget, without what it says twice, in the order of the documents.

use super::{Place, Reader, search::places};
use crate::{CommandError, Home, keep::fit, members};
use domain::{
    citation::{Quoted, Source, quote},
    id::{CollectionId, DocumentId, MemberId, SessionId},
};
use ports::SearchIndex;
use std::collections::BTreeSet;

/// Passages that are looked at; the best of them are shown.
const CANDIDATES: usize = 24;
/// Passages that are shown at once.
const SHOWN: usize = 12;
/// Bytes of a document's name among what a run has read.
const NAME: usize = 120;
/// Words that stand in a row, of which a text is the set.
const SHINGLE: usize = 3;

/// What a run may look things up in, for its requester.
pub struct Library<'a> {
    pub home: &'a Home,
    pub index: &'a dyn SearchIndex,
    pub member: &'a MemberId,
    /// Where the answer will be seen.
    pub session: &'a SessionId,
    pub collections: &'a [CollectionId],
    /// What the run has numbers for.
    pub known: &'a [Source],
    /// Bytes of passages in one answer.
    pub budget: usize,
}

/// Passages for the model; none, if there is no text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recalled {
    pub text: String,
    /// Those that had no number yet.
    pub sources: Vec<Source>,
    /// The documents' names.
    pub taint: Vec<String>,
}

impl Library<'_> {
    /// What bears on these words.
    ///
    /// # Errors
    /// As a search.
    pub async fn recall(&self, words: &str) -> Result<Recalled, CommandError> {
        let member = members::find(self.home, self.member).await?;
        let Some(member) = member.filter(|_| !words.trim().is_empty()) else {
            return Ok(Recalled::default());
        };
        let reader = Reader::at(&member, self.session);
        let wanted = (self.collections, words, CANDIDATES);
        let found = places(self.home, self.index, reader, wanted).await?;
        let picked = by_document(pick(found, self.budget));
        if picked.is_empty() {
            return Ok(Recalled::default());
        }
        let mut recalled = Recalled::default();
        let mut quotation = Vec::new();
        for place in picked {
            let number = self.number(&place, &mut recalled.sources);
            let name = fit(&place.name, NAME).to_owned();
            if !recalled.taint.contains(&name) {
                recalled.taint.push(name);
            }
            quotation.push(Quoted {
                number,
                place: place.line(),
                text: place.passage.text,
            });
        }
        recalled.text = quote(&quotation);
        Ok(recalled)
    }

    /// The number of a passage in this run: for good, and a new one goes on counting.
    fn number(&self, place: &Place, new: &mut Vec<Source>) -> u32 {
        let same = |source: &&Source| {
            (&source.document, source.revision, source.ordinal)
                == (&place.document, place.revision, place.passage.ordinal)
        };
        if let Some(known) = self.known.iter().find(same) {
            return known.number;
        }
        let last = new.last().or(self.known.last());
        let number = last.map_or(0, |source| source.number) + 1;
        new.push(Source {
            number,
            document: place.document.clone(),
            revision: place.revision,
            ordinal: place.passage.ordinal,
            title: fit(&place.title, NAME).to_owned(),
        });
        number
    }
}

/// The best that fit into the budget and don't repeat a better one.
fn pick(places: Vec<Place>, budget: usize) -> Vec<Place> {
    let mut left = budget;
    let mut picked: Vec<(Place, BTreeSet<String>)> = Vec::new();
    for place in places {
        let text = &place.passage.text;
        let shingles = shingles(text);
        let repeats = |(_, known): &(Place, BTreeSet<String>)| is_near(known, &shingles);
        if text.len() > left || picked.iter().any(repeats) {
            continue;
        }
        left -= text.len();
        picked.push((place, shingles));
        if picked.len() == SHOWN {
            break;
        }
    }
    picked.into_iter().map(|(place, _)| place).collect()
}

/// Whether four fifths of the shorter one stand in the other.
fn is_near(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.intersection(long).count() * 5 >= short.len() * 4
}

fn shingles(text: &str) -> BTreeSet<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    match words.len() < SHINGLE {
        true => [words.join(" ")].into(),
        false => words.windows(SHINGLE).map(|row| row.join(" ")).collect(),
    }
}

/// Documents in the order of their best passage, passages in the order of the document.
fn by_document(places: Vec<Place>) -> Vec<Place> {
    let mut order: Vec<DocumentId> = Vec::new();
    for place in &places {
        if !order.contains(&place.document) {
            order.push(place.document.clone());
        }
    }
    let mut places = places;
    places.sort_by_key(|place| {
        let document = order.iter().position(|one| *one == place.document);
        (document, place.passage.ordinal)
    });
    places
}

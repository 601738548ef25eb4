//! What documents say to a question: the sentences that have most of its words, word for word, each with the number of its passage.

use domain::{citation::Quoted, content::prefix};
use std::collections::BTreeSet;

/// Passages that are quoted.
const PASSAGES: usize = 3;
/// Bytes of a quotation.
const SENTENCE: usize = 300;
/// Letters of a word that says what a question is about; shorter ones are in every sentence.
const LETTERS: usize = 4;

/// `None` without passages.
#[must_use]
pub fn answer(question: &str, passages: &[Quoted]) -> Option<String> {
    let asked = words(question);
    let mut best: Vec<(usize, &Quoted, &str)> = passages
        .iter()
        .filter_map(|passage| {
            let (score, sentence) = best_sentence(&asked, &passage.text)?;
            // What else the passage says about it decides between equal sentences.
            let whole = words(&passage.text).intersection(&asked).count();
            Some((score * 4 + whole, passage, sentence))
        })
        .collect();
    best.sort_by_key(|(score, passage, _)| (std::cmp::Reverse(*score), passage.number));
    if best.first().is_some_and(|(score, ..)| *score > 0) {
        best.retain(|(score, ..)| *score > 0);
    }
    best.truncate(PASSAGES);
    let said = |(_, passage, sentence): &(usize, &Quoted, &str)| {
        format!("“{}” [{}]", shortened(sentence), passage.number)
    };
    let said: Vec<String> = best.iter().map(said).collect();
    (!said.is_empty()).then(|| {
        format!(
            "This is what the documents say about it, word for word (I am a rehearsal, not a language model):\n\n{}",
            said.join("\n\n")
        )
    })
}

/// The first of those with the most words of the question. A heading is no sentence, and says what those below it are about.
fn best_sentence<'a>(asked: &BTreeSet<String>, text: &'a str) -> Option<(usize, &'a str)> {
    let (mut below, mut sentences, mut headings) = (BTreeSet::new(), Vec::new(), Vec::new());
    for line in text.lines() {
        if is_heading(line) {
            below = common(asked, line);
            headings.push((below.len(), 0, line.trim()));
            continue;
        }
        for sentence in line.split_inclusive(['.', '!', '?']).map(str::trim) {
            let own = common(asked, sentence);
            sentences.push((own.union(&below).count(), own.len(), sentence));
        }
    }
    sentences.retain(|(.., sentence)| sentence.chars().any(char::is_alphanumeric));
    let all = if sentences.is_empty() {
        headings
    } else {
        sentences
    };
    let best = all
        .into_iter()
        .rev()
        .max_by_key(|(all, own, _)| (*all, *own));
    best.map(|(count, _, sentence)| (count, sentence))
}

/// In Markdown.
fn is_heading(line: &str) -> bool {
    let rest = line.trim_start_matches('#');
    rest.len() < line.len() && (rest.is_empty() || rest.starts_with(' '))
}

fn common(asked: &BTreeSet<String>, text: &str) -> BTreeSet<String> {
    words(text).intersection(asked).cloned().collect()
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= LETTERS)
        .map(|word| word.to_lowercase().trim_end_matches('s').to_owned())
        .collect()
}

fn shortened(sentence: &str) -> String {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let line = words.join(" ");
    match prefix(&line, SENTENCE) {
        short if short.len() < line.len() => format!("{short}…"),
        _ => line,
    }
}

//! From a piece of text to what the index knows it by: composed, in lower case, without accents, by its stem.

use crate::language::{Language, is_cyrillic};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The term of a word, and a second one where accents make a difference to its stem: who leaves them out finds it too.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Terms {
    pub first: String,
    pub second: Option<String>,
}

impl Terms {
    /// Of a piece in a text of this language; none: its words as they stand.
    pub fn of(piece: &str, language: Option<Language>) -> Self {
        let word = lower(piece);
        let language = language.map(|language| language.of_word(&word));
        let stem =
            |word: &str| language.map_or_else(|| word.to_owned(), |language| language.stem(word));
        if word.is_ascii() || is_cyrillic(&word) {
            return Self {
                first: stem(&word),
                second: None,
            };
        }
        let first = without_accents(&stem(&word));
        let second = stem(&without_accents(&word));
        Self {
            second: (second != first).then_some(second),
            first,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.first.as_str()).chain(self.second.as_deref())
    }
}

/// In lower case and composed, compatibility forms (ligatures, wide letters) as what they stand for.
pub fn lower(piece: &str) -> String {
    if piece.is_ascii() {
        return piece.to_ascii_lowercase();
    }
    let composed: String = piece.nfkc().filter(|c| *c != '\u{ad}').collect();
    composed.to_lowercase().replace('ё', "е")
}

fn without_accents(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' => plain.push('d'),
            'ı' => plain.push('i'),
            c => plain.push(c),
        }
    }
    plain.nfc().collect()
}

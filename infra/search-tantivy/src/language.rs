//! The languages whose words have a common stem here, and what their stop words are.

use frostem::{Algorithm, Stemmer};
use std::sync::OnceLock;
use tantivy::tokenizer::{
    Language as StopLanguage, RawTokenizer, StopWordFilter, TextAnalyzer, TokenStream,
};

/// ISO 639-1, its stemmer, its stop words.
const KNOWN: [(&str, Algorithm, StopLanguage); 13] = [
    ("en", Algorithm::English, StopLanguage::English),
    ("ru", Algorithm::Russian, StopLanguage::Russian),
    ("de", Algorithm::German, StopLanguage::German),
    ("fr", Algorithm::French, StopLanguage::French),
    ("es", Algorithm::Spanish, StopLanguage::Spanish),
    ("it", Algorithm::Italian, StopLanguage::Italian),
    ("pt", Algorithm::Portuguese, StopLanguage::Portuguese),
    ("nl", Algorithm::Dutch, StopLanguage::Dutch),
    ("sv", Algorithm::Swedish, StopLanguage::Swedish),
    ("da", Algorithm::Danish, StopLanguage::Danish),
    ("no", Algorithm::Norwegian, StopLanguage::Norwegian),
    ("fi", Algorithm::Finnish, StopLanguage::Finnish),
    ("hu", Algorithm::Hungarian, StopLanguage::Hungarian),
];

/// Words of questions, which the list for English that we have (33 words) leaves out. They say nothing about what is asked for.
const ASKING: [&str; 45] = [
    "about", "all", "also", "am", "any", "been", "can", "could", "did", "do", "does", "each",
    "from", "had", "has", "have", "how", "i", "its", "me", "may", "must", "my", "only", "other",
    "should", "so", "some", "than", "them", "those", "us", "we", "were", "what", "when", "where",
    "which", "who", "whom", "why", "would", "you", "your", "our",
];

/// One of [`KNOWN`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Language(usize);

impl Language {
    pub const ENGLISH: Self = Self(0);
    pub const RUSSIAN: Self = Self(1);

    /// None: its words are taken as they stand.
    pub fn of(code: &str) -> Option<Self> {
        let found = KNOWN.iter().position(|(known, ..)| *known == code);
        found.map(Self)
    }

    pub fn code(self) -> &'static str {
        KNOWN.get(self.0).map_or("", |(code, ..)| code)
    }

    /// Which stemmer a word gets in a text of this language: foreign words in another script have a language of their own.
    pub fn of_word(self, word: &str) -> Self {
        match (self, is_cyrillic(word)) {
            (Self::RUSSIAN, false) => Self::ENGLISH,
            (_, true) => Self::RUSSIAN,
            _ => self,
        }
    }

    /// The word is in lower case.
    pub fn stem(self, word: &str) -> String {
        let known = KNOWN.get(self.0).or(KNOWN.first());
        known.map_or_else(String::new, |(_, algorithm, _)| {
            Stemmer::new(*algorithm).stem(word).into_owned()
        })
    }

    /// Whether the word, in lower case, is so frequent that it says nothing.
    pub fn is_stop(self, word: &str) -> bool {
        static FILTERS: OnceLock<Vec<TextAnalyzer>> = OnceLock::new();
        let filters = FILTERS.get_or_init(|| {
            let filter = |(_, _, language)| match StopWordFilter::new(language) {
                Some(filter) => TextAnalyzer::builder(RawTokenizer::default())
                    .filter(filter)
                    .build(),
                None => TextAnalyzer::builder(RawTokenizer::default()).build(),
            };
            KNOWN.into_iter().map(filter).collect()
        });
        let listed = filters.get(self.0).is_some_and(|filter| {
            let mut filter = filter.clone();
            !filter.token_stream(word).advance()
        });
        listed || (self == Self::ENGLISH && ASKING.contains(&word))
    }
}

pub fn is_cyrillic(word: &str) -> bool {
    word.chars().any(|c| matches!(c, '\u{400}'..='\u{52f}'))
}

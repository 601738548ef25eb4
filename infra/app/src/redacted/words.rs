//! The words by which records are read again: fields, kinds and constants that the program writes. A secret that stands in one can't
//! be redacted, it would take the record with it.

use domain::redact::Redactor;
use std::borrow::Cow;

/// One a line; tests/tidy/words.rs holds the list against the declarations.
const WORDS: &str = include_str!("words.txt");

/// Whether the value, as it is looked for, stands in one of the words or of these names.
pub(super) fn hold(value: &str, names: &[String]) -> bool {
    let redactor = Redactor::new([("", value)]);
    let names = names.iter().map(String::as_str);
    WORDS
        .lines()
        .chain(names)
        .any(|word| matches!(redactor.text(word), Cow::Owned(_)))
}

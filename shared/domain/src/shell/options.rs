//! Options of commands that start other commands: where the other command begins.

use super::reach::Arg;

/// The options that a wrapper may have; any other one makes it opaque.
pub(super) struct Options {
    /// Letters without a value.
    pub flags: &'static str,
    /// Letters with a value, attached or as the next word.
    pub values: &'static str,
    pub long_flags: &'static [&'static str],
    /// With `=value` or the next word.
    pub long_values: &'static [&'static str],
}

pub(super) struct Parsed<'a> {
    /// Option and value, in order.
    pub values: Vec<(String, String)>,
    /// What follows the options.
    pub rest: &'a [Arg],
}

impl Options {
    /// `None` when an option is not known here or only known when it runs.
    pub fn parse<'a>(&self, args: &'a [Arg]) -> Option<Parsed<'a>> {
        let (mut values, mut rest) = (Vec::new(), args);
        while let Some((arg, after)) = rest.split_first() {
            let Some(text) = &arg.text else { break }; // the caller sees an unknown word where it wants a command
            if text == "--" {
                rest = after;
                break;
            }
            if !text.starts_with('-') || text == "-" {
                break;
            }
            rest = after;
            let wanting = match text.strip_prefix("--") {
                Some(long) => self.long(long, &mut values)?,
                None => self.short(&text[1..], &mut values)?,
            };
            if let Some(option) = wanting {
                let (value, after) = rest.split_first()?;
                values.push((option, value.text.clone()?));
                rest = after;
            }
        }
        Some(Parsed { values, rest })
    }

    /// The option whose value is the next word, if one is wanted.
    fn long(&self, text: &str, values: &mut Vec<(String, String)>) -> Option<Option<String>> {
        match text.split_once('=') {
            Some((name, value)) => {
                self.long_values
                    .contains(&name)
                    .then(|| values.push((name.to_owned(), value.to_owned())))?;
                Some(None)
            }
            None if self.long_flags.contains(&text) => Some(None),
            None => self
                .long_values
                .contains(&text)
                .then(|| Some(text.to_owned())),
        }
    }

    fn short(&self, letters: &str, values: &mut Vec<(String, String)>) -> Option<Option<String>> {
        for (i, letter) in letters.char_indices() {
            if self.values.contains(letter) {
                let attached = &letters[i + letter.len_utf8()..];
                if attached.is_empty() {
                    return Some(Some(letter.to_string()));
                }
                values.push((letter.to_string(), attached.to_owned()));
                return Some(None);
            }
            if !self.flags.contains(letter) {
                return None;
            }
        }
        Some(None)
    }
}

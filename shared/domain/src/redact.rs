//! Taking secrets out of what is kept, shown or sent: each becomes `[secret:NAME]`.
//!
//! A secret is found as it is, and as it looks after the usual journeys of a text: within JSON (also JSON within JSON), in an
//! address (`%41`), in Base64 at any alignment, as hexadecimal digits (also grouped), and broken into lines, indented or quoted. Of a
//! secret of several lines each long line is one of its own, because a diff, `grep` or `head` shows it so. Instead of guessing every
//! spelling, a text is looked at through [`view`]s that undo escapes and remember where each byte came from; what is found there is
//! replaced in the text itself. Two rules hold for every text: replacing again changes nothing, and what was JSON stays JSON.

mod view;

#[cfg(test)]
mod tests;

use crate::canonical_json;
use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, ops::Range};

/// Bytes of the shortest secret that is looked for: what is shorter stands in ordinary texts as well.
pub const SHORTEST: usize = 8;
/// Bytes of the shortest line of a secret of several lines that is looked for by itself: shorter ones stand in other texts too.
const SHORTEST_LINE: usize = 16;
/// What was replaced may, beside what stood around it, be a secret once more; more rounds than these only a puzzle needs.
const ROUNDS: usize = 8;

/// Knows the secrets. Made once, used for every text.
#[derive(Default)]
pub struct Redactor {
    finder: Option<AhoCorasick>,
    /// What is looked for, with what is put in its place.
    needles: Vec<(Vec<u8>, String)>,
    longest: usize,
}

/// Its content is what nobody may see.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} needles)", self.needles.len())
    }
}

/// With what [`marker`]s begin.
pub const MARK: &str = "[secret:";

/// What stands where a secret stood.
#[must_use]
pub fn marker(name: &str) -> String {
    format!("{MARK}{name}]")
}

impl Redactor {
    /// From names and values. A name may have several values; values shorter than [`SHORTEST`] are passed over.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let secrets: Vec<(&str, &str)> = secrets
            .into_iter()
            .filter(|(_, value)| value.len() >= SHORTEST)
            .collect();
        let markers: Vec<String> = secrets.iter().map(|(name, _)| marker(name)).collect();
        let mut needles = BTreeMap::new();
        for ((_, value), marker) in secrets.iter().zip(&markers) {
            for form in lines(value).chain([*value]).flat_map(forms) {
                // Who is named like this is no secret, and would be found again in every marker.
                if !markers
                    .iter()
                    .any(|marker| contains(marker.as_bytes(), &form))
                {
                    needles.entry(form).or_insert_with(|| marker.clone());
                }
            }
        }
        let needles: Vec<(Vec<u8>, String)> = needles.into_iter().collect();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(needles.iter().map(|(needle, _)| needle))
            .ok()
            .filter(|_| !needles.is_empty());
        let longest = needles.iter().map(|(needle, _)| needle.len()).max();
        Self {
            finder,
            longest: longest.unwrap_or_default(),
            needles,
        }
    }

    /// The text without secrets. What is a JSON document stays one.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Cow::Owned(flat) = self.bytes(text.as_bytes()) else {
            return Cow::Borrowed(text);
        };
        let flat = String::from_utf8_lossy(&flat).into_owned();
        if !is_json(text) || is_json(&flat) {
            return Cow::Owned(flat);
        }
        // A number that looks like a secret, or quotes that belong to one: only the texts within are replaced.
        let mut value = serde_json::from_str::<Value>(text).unwrap_or_default();
        match self.value(&mut value) {
            true => Cow::Owned(value.to_string()),
            false => Cow::Borrowed(text),
        }
    }

    /// The bytes without secrets, whatever they are.
    #[must_use]
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = Cow::Borrowed(bytes);
        for _ in 0..ROUNDS {
            let found = self.find(&out);
            if found.is_empty() {
                break;
            }
            out = Cow::Owned(replace(&out, &found));
        }
        out
    }

    /// Replaces in every text within the value, names of fields too. Answers whether there was any.
    pub fn value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.text(text) {
                Cow::Borrowed(_) => false,
                Cow::Owned(clean) => {
                    *text = clean;
                    true
                }
            },
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |found, item| self.value(item) | found),
            Value::Object(map) => {
                let mut found = map
                    .values_mut()
                    .fold(false, |found, item| self.value(item) | found);
                let names: Vec<String> = map
                    .keys()
                    .filter(|name| matches!(self.text(name), Cow::Owned(_)))
                    .cloned()
                    .collect();
                for name in names {
                    let clean = self.text(&name).into_owned();
                    if let Some(item) = map.remove(&name) {
                        map.insert(clean, item);
                    }
                    found = true;
                }
                found
            }
            _ => false,
        }
    }

    /// A JSON document without secrets: as it is when it has none, else canonical.
    #[must_use]
    pub fn json<'a>(&self, json: &'a str) -> Cow<'a, str> {
        if self.find(json.as_bytes()).is_empty() {
            return Cow::Borrowed(json);
        }
        let Ok(mut value) = serde_json::from_str::<Value>(json) else {
            return self.text(json);
        };
        match self.value(&mut value) {
            true => canonical_json(&value).map_or(Cow::Borrowed(json), Cow::Owned),
            false => Cow::Borrowed(json),
        }
    }

    /// How many bytes of a text that is still growing can be shown: no secret begins in them that may end later.
    #[must_use]
    pub fn settled(&self, text: &str) -> usize {
        let mut begins = text.len();
        view::each(text.as_bytes(), &mut |seen, origin| {
            let first = seen.len().saturating_sub(self.longest.saturating_sub(1));
            if let Some(at) = (first..seen.len()).find(|at| self.begins(&seen[*at..])) {
                begins = begins.min(origin(at).start);
            }
        });
        let word = text.rfind(char::is_whitespace).map_or(0, |at| {
            at + text[at..].chars().next().map_or(1, char::len_utf8)
        });
        // In the middle of a word with escapes nobody knows.
        let escapes = text[word..].contains(['\\', '%']) && self.finder.is_some();
        if escapes { begins.min(word) } else { begins }
    }

    /// Whether a needle begins like this; they are in order.
    fn begins(&self, part: &[u8]) -> bool {
        let at = self
            .needles
            .partition_point(|(needle, _)| needle.as_slice() < part);
        self.needles
            .get(at)
            .is_some_and(|(needle, _)| needle.starts_with(part))
    }

    /// A text that was cut at its end, without secrets and without the beginning of one.
    #[must_use]
    pub fn cut(&self, text: &str) -> String {
        let clean = self.text(text).into_owned();
        let settled = self.settled(&clean);
        match clean.len() - settled {
            0..SHORTEST => clean,
            _ => format!("{}[secret:…]", &clean[..settled]),
        }
    }

    /// Where secrets stand, in order, none overlapping another, and what is put there.
    fn find(&self, bytes: &[u8]) -> Vec<(Range<usize>, &str)> {
        let Some(finder) = &self.finder else {
            return Vec::new();
        };
        let mut found: Vec<(Range<usize>, &str)> = Vec::new();
        view::each(bytes, &mut |seen, origin| {
            found.extend(finder.find_iter(seen).map(|hit| {
                let marker = self.needles[hit.pattern().as_usize()].1.as_str();
                (origin(hit.start()).start..origin(hit.end() - 1).end, marker)
            }));
        });
        found.sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
        let mut apart: Vec<(Range<usize>, &str)> = Vec::new();
        for (range, marker) in found {
            match apart.last_mut() {
                Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push((range, marker)),
            }
        }
        apart
    }
}

fn replace(bytes: &[u8], found: &[(Range<usize>, &str)]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for (range, marker) in found {
        out.extend_from_slice(&bytes[at..range.start]);
        out.extend_from_slice(marker.as_bytes());
        at = range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

/// The long lines of a value that has several. What frames a key (`-----BEGIN …`) is the same for all of them.
fn lines(value: &str) -> impl Iterator<Item = &str> {
    let several = value.trim().contains(['\r', '\n']);
    let lines = value.split(['\r', '\n']).map(str::trim);
    lines.filter(move |line| several && line.len() >= SHORTEST_LINE && !line.starts_with("-----"))
}

/// How a value may stand in a text, besides what [`view`] undoes.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let hex = hex::encode(value);
    let mut forms = vec![
        value.as_bytes().to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        value.replace(' ', "+").into_bytes(),
        value.replace(['\r', '\n'], "").into_bytes(),
    ];
    for shift in 0..3 {
        forms.push(core(&STANDARD_NO_PAD, value, shift));
        forms.push(core(&URL_SAFE_NO_PAD, value, shift));
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// Those Base64 digits that a value has wherever it stands, when so many bytes modulo 3 stand before it.
fn core(base64: &impl Engine, value: &str, shift: usize) -> Vec<u8> {
    let whole = base64.encode([&[0; 2][..shift], value.as_bytes()].concat());
    let (from, to) = ([0, 2, 3][shift], (shift + value.len()) * 8 / 6);
    whole.as_bytes()[from..to].to_vec()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
        && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

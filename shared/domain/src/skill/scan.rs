//! What a person should know about a skill before they agree to it. These are hints, found by looking at the text: they refuse nothing,
//! and finding nothing proves nothing. What holds is the sandbox, the rules, and the yes to exactly these bytes.

use super::{Language, MANIFEST, Package};
use serde::{Deserialize, Serialize};

/// Findings that are kept; a card shows so many.
const MOST: usize = 20;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Finding {
    pub severity: Severity,
    pub file: String,
    /// Counted from 1; 0 for the whole file.
    #[serde(default)]
    pub line: u32,
    /// For people.
    pub what: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Look at this before you say yes.
    High,
    Low,
    /// What was looked at, and by what.
    Note,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A word in a line, all in lower case, and what it means.
type Sign = (&'static str, &'static str);

/// What keys look like: their beginning, and how many characters of a key follow at least.
const KEYS: [(&str, usize); 8] = [
    ("sk-ant-", 20),
    ("sk-proj-", 20),
    ("AKIA", 16),
    ("ghp_", 30),
    ("github_pat_", 30),
    ("xoxb-", 20),
    ("AIza", 30),
    ("-----BEGIN ", 0),
];

const PYTHON: [Sign; 7] = [
    ("eval(", "runs a text as code"),
    ("exec(", "runs a text as code"),
    ("os.system(", "starts a shell"),
    ("subprocess", "starts programs"),
    ("pickle.load", "runs code from data"),
    ("socket", "wants a network, which the sandbox does not have"),
    ("shutil.rmtree", "deletes directories"),
];
const JAVASCRIPT: [Sign; 5] = [
    ("eval(", "runs a text as code"),
    ("new function(", "runs a text as code"),
    ("child_process", "starts programs"),
    ("rmsync(", "deletes files"),
    ("fetch(", "wants a network, which the sandbox does not have"),
];
const BASH: [Sign; 6] = [
    ("eval ", "runs a text as code"),
    ("rm -rf", "deletes directories"),
    ("curl ", "wants a network, which the sandbox does not have"),
    ("wget ", "wants a network, which the sandbox does not have"),
    ("base64 -d", "hides what it does"),
    ("| sh", "runs what another command says"),
];

/// What is asked of a model, and for what: a line with one of each.
const ASKING: [&str; 9] = [
    "send", "print", "reveal", "show", "output", "include", "read", "upload", "post",
];
const SECRETS: [&str; 9] = [
    "api key",
    "api_key",
    "password",
    "secret",
    "credential",
    "private key",
    "access token",
    ".env",
    "ssh key",
];
const OVERRULING: [Sign; 6] = [
    (
        "ignore previous",
        "tells the model to ignore what it was told",
    ),
    (
        "ignore all previous",
        "tells the model to ignore what it was told",
    ),
    ("disregard", "tells the model to ignore what it was told"),
    ("do not tell the user", "tells the model to hide something"),
    ("don't tell the user", "tells the model to hide something"),
    ("without asking", "tells the model to act without asking"),
];

/// What stands in a skill's files, the worst first.
#[must_use]
pub fn scan(package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, bytes) in &package.files {
        match std::str::from_utf8(bytes) {
            Ok(text) => in_text(package, path, text, &mut findings),
            Err(_) => findings.push(Finding {
                severity: Severity::Low,
                file: path.clone(),
                line: 0,
                what: "is no text: nobody has looked into it".to_owned(),
            }),
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings.truncate(MOST);
    findings
}

fn in_text(package: &Package, path: &str, text: &str, findings: &mut Vec<Finding>) {
    let script = package.scripts.values().find(|script| script.path == path);
    let calls: &[Sign] = match script.map(|script| script.language) {
        Some(Language::Python) => &PYTHON,
        Some(Language::JavaScript) => &JAVASCRIPT,
        Some(Language::Bash) => &BASH,
        None => &[],
    };
    for (line, number) in text.lines().zip(1..) {
        let mut found = |severity, what: &str| {
            findings.push(Finding {
                severity,
                file: path.to_owned(),
                line: number,
                what: what.to_owned(),
            });
        };
        if let Some(hidden) = line.chars().find(|c| is_hidden(*c)) {
            let what = format!("has a hidden character (U+{:04X})", hidden as u32);
            found(Severity::High, &what);
        }
        if KEYS.iter().any(|(begin, rest)| has_key(line, begin, *rest)) {
            found(Severity::High, "looks like a key or password");
        }
        let lower = line.to_lowercase();
        for (sign, what) in calls.iter().filter(|(sign, _)| lower.contains(sign)) {
            found(Severity::Low, &format!("{what} ({})", sign.trim()));
        }
        if path == MANIFEST || path.ends_with(".md") {
            addressed(&lower, &mut found);
        }
    }
}

/// Words to the model that a skill has no business to say.
fn addressed(line: &str, found: &mut impl FnMut(Severity, &str)) {
    if let Some((_, what)) = OVERRULING.iter().find(|(sign, _)| line.contains(sign)) {
        found(Severity::High, what);
    }
    let asks = ASKING.iter().any(|word| has_word(line, word));
    let denies = line.contains("never ") || line.contains("do not ") || line.contains("don't ");
    if asks && !denies && SECRETS.iter().any(|secret| line.contains(secret)) {
        found(Severity::High, "asks the model for secrets");
    }
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric())
        .any(|part| part == word)
}

fn has_key(line: &str, begin: &str, rest: usize) -> bool {
    let of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    line.match_indices(begin).any(|(at, _)| {
        let after = &line[at + begin.len()..];
        after.chars().take_while(|c| of_key(*c)).count() >= rest
            && (rest > 0 || after.contains("PRIVATE KEY"))
    })
}

/// What people don't see and models read: directions of writing, tags, widths of nothing.
fn is_hidden(c: char) -> bool {
    matches!(
        u32::from(c),
        0x00ad | 0x061c | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xe0000..=0xe007f
    ) || c.is_control() && c != '\t'
}

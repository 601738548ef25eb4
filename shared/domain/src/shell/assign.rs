//! Assignments: which names may be set without changing what a later command is or does.
//!
//! The names that programs obey cannot be listed (`PATH`, `GIT_SSH`, `RUSTC_WRAPPER`, `NODE_OPTIONS`, …), so this lists
//! the few that are known to be harmless.

use super::word::Word;

/// Set for one command or exported: what only changes language, colours and diagnostics.
const HARMLESS: [&str; 17] = [
    "CI",
    "CLICOLOR",
    "COLUMNS",
    "DEBIAN_FRONTEND",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LINES",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "TZ",
];

pub(super) fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The name that a word sets, if it is an assignment; `Some(None)` for `a+=` and `a[i]=`.
pub(super) fn assignment(word: &Word) -> Option<Option<String>> {
    let before = word.lead.split('=').next()?;
    if word.lead.contains('=') && is_name(before) {
        return Some(Some(before.to_owned()));
    }
    let name_length = word
        .lead
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(word.lead.len());
    let (name, rest) = word.lead.split_at(name_length);
    (is_name(name) && (rest.starts_with('[') || rest.starts_with("+="))).then_some(None)
}

/// Whether a command may get this in its environment.
pub(super) fn harmless_for_a_command(name: &str) -> bool {
    HARMLESS.contains(&name)
}

/// Whether the shell may set this for itself. A name that is already exported changes later commands: those are upper case
/// by custom, apart from proxies and npm's.
pub(super) fn harmless_in_the_shell(name: &str) -> bool {
    let own = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    HARMLESS.contains(&name) || (own && !name.ends_with("_proxy") && !name.starts_with("npm_"))
}

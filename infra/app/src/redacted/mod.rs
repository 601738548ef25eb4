//! No secret is kept and none leaves: every port that keeps, shows or sends something is wrapped where the program is put together
//! ([`Redaction::over`]), and the log's lines go through here as well. `domain::redact` does the work.
//!
//! What a model says and a command prints is cleaned where it comes in, before any digest is made of it; the store is the net
//! below, so that nobody has to remember. Only the chain of the audit can't be changed behind its back: an entry that holds a
//! secret is refused.

mod blobs;
mod lines;
mod mcp;
mod messenger;
mod model;
mod progress;
mod sandbox;
mod search;
mod store;
mod words;
mod workspace;

#[cfg(test)]
mod tests;

use domain::redact::{Redactor, SHORTEST};
pub use lines::Lines;
use ports::Secret;
use secrecy::ExposeSecret;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// What nobody may see, as it is known now. Clones are the same.
#[derive(Clone, Default)]
pub struct Redaction(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    /// By where they come from.
    secrets: BTreeMap<&'static str, Vec<Secret>>,
    redactor: Arc<Redactor>,
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redaction")
    }
}

impl Redaction {
    /// From now on these are the secrets that come from `source`, in place of those before.
    pub fn set(&self, source: &'static str, secrets: Vec<Secret>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.secrets.insert(source, secrets);
        let all = known.secrets.values().flatten();
        let all = all.map(|secret| (secret.name.as_str(), secret.value.expose_secret()));
        known.redactor = Arc::new(Redactor::new(all));
    }

    #[must_use]
    pub fn now(&self) -> Arc<Redactor> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.redactor.clone()
    }

    /// A text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.now().text(text).into_owned()
    }

    /// Names of those that are too short to be told from ordinary words.
    #[must_use]
    pub fn too_short(&self) -> Vec<String> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let all = known.secrets.values().flatten();
        all.filter(|secret| secret.value.expose_secret().len() < SHORTEST)
            .map(|secret| secret.name.clone())
            .collect()
    }

    /// The name of one that stands in a word which records are read by again: the program's own, or one of these names. Such a
    /// record would be lost with it.
    #[must_use]
    pub fn in_a_word(&self, names: &[String]) -> Option<String> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = known.secrets.values().flatten();
        all.find(|secret| words::hold(secret.value.expose_secret(), names))
            .map(|secret| secret.name.clone())
    }

    /// The port, with nothing secret going through.
    #[must_use]
    pub fn over<T: ?Sized>(&self, inner: Arc<T>) -> Arc<Redacted<T>> {
        let redaction = self.clone();
        Arc::new(Redacted { inner, redaction })
    }
}

/// A port that lets no secret through; which one, its file says.
pub struct Redacted<T: ?Sized> {
    inner: Arc<T>,
    redaction: Redaction,
}

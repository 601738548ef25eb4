//! Identifiers. Each is a text of its own type, so that a run's id cannot be passed where an approval's is wanted.
//!
//! New ones come from `ports::Ids` (time-ordered UUIDs as 32 hexadecimal digits), so listing by key is listing by age.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self { Self(text.into()) }
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self { Self(text.to_owned()) }
        }
    )*};
}

ids! {
    /// Everything belongs to a team; the local process has one, `home`.
    TeamId,
    AgentId,
    RunId,
    /// A conversation's place: `telegram:<chat>` or `telegram:<chat>:<topic>`, `terminal:<name>`.
    SessionId,
    /// A person on a surface: `telegram:<user>`, `terminal:owner`.
    MemberId,
    ApprovalId,
    /// A call inside a run, as the model named it, made unique in the run by the engine.
    CallId,
    RuleId,
    JobId,
    CommitId,
    CollectionId,
    DocumentId,
}

/// Short form for people: enough digits to type, from the end (the start of a time-ordered id is the same for hours).
#[must_use]
pub fn short(id: &str) -> &str {
    id.get(id.len().saturating_sub(6)..).unwrap_or(id)
}

//! The versions of what people change: a journal for each agent, one for all rules of the team. An entry is `domain::version`.

use crate::store::{Journal, JournalKey};
use domain::{id::TeamId, version::Version};

pub static VERSIONS: Journal = Journal { name: "versions" };

/// `stream`: `agent:<id>`, `rules`.
#[must_use]
pub fn journal(team: &TeamId, stream: &str) -> JournalKey {
    JournalKey {
        journal: &VERSIONS,
        team: team.clone(),
        id: stream.to_owned(),
    }
}

/// # Errors
/// When the text is no version.
pub fn read(entry: &str) -> Result<Version, serde_json::Error> {
    serde_json::from_str(entry)
}

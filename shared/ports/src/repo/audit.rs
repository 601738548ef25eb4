//! The audit's streams and their seals. The entries themselves are `domain::audit`.

use super::Entity;
use crate::store::{Index, Journal, JournalKey, Table};
use domain::{audit::Stream, id::TeamId};

/// Which streams may have grown since the last seal.
pub static AUDIT_STREAMS: Table = Table {
    name: "audit_streams",
    indexes: &[Index {
        name: "by_state",
        partition: "state",
        sort: "since",
    }],
};
pub static AUDIT_LOGS: Journal = Journal { name: "audit_logs" };
pub static AUDIT_SEALS: Journal = Journal {
    name: "audit_seals",
};

impl Entity for Stream {
    const TABLE: &'static Table = &AUDIT_STREAMS;
    fn id(&self) -> String {
        self.name.clone()
    }
}

/// `stream`: `run:<id>`, `agent:<id>`, `member:<id>`, `team`.
#[must_use]
pub fn journal(team: &TeamId, stream: &str) -> JournalKey {
    JournalKey {
        journal: &AUDIT_LOGS,
        team: team.clone(),
        id: stream.to_owned(),
    }
}

#[must_use]
pub fn seals(team: &TeamId) -> JournalKey {
    JournalKey {
        journal: &AUDIT_SEALS,
        team: team.clone(),
        id: "seals".to_owned(),
    }
}

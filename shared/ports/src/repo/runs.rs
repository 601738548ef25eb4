//! Runs: the journal is the truth, the record a small summary for lists, rewritten only when the run's status changes.

use super::Entity;
use crate::store::{Index, Journal, JournalKey, Table};
use domain::{
    id::{RunId, TeamId},
    run::RunSummary,
};

pub static RUNS: Table = Table {
    name: "runs",
    indexes: &[
        Index {
            name: "by_status",
            partition: "status",
            sort: "started_at",
        },
        Index {
            name: "by_session",
            partition: "session",
            sort: "started_at",
        },
        Index {
            name: "by_agent",
            partition: "agent",
            sort: "started_at",
        },
    ],
};

pub static RUN_EVENTS: Journal = Journal { name: "run_events" };

impl Entity for RunSummary {
    const TABLE: &'static Table = &RUNS;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}

#[must_use]
pub fn journal(team: &TeamId, run: &RunId) -> JournalKey {
    JournalKey {
        journal: &RUN_EVENTS,
        team: team.clone(),
        id: run.as_str().to_owned(),
    }
}

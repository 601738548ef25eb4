//! What the memory store keeps: the same five kinds of things that a database has tables for.

use super::jobs::Held;
use domain::{
    Micros,
    id::{CommitId, TeamId},
};
use ports::store::{CounterKey, JournalKey, Key, Record, Table};
use std::collections::{BTreeMap, HashMap};

/// By table, team and id: the order in which records are listed by key.
pub(super) type Records = BTreeMap<(&'static str, String, String), Record>;

#[derive(Default, Clone)]
pub(super) struct State {
    pub records: Records,
    /// By journal, team and id.
    pub journals: BTreeMap<(&'static str, String, String), Vec<String>>,
    pub counters: BTreeMap<(String, String), i64>,
    /// By their age: a number that grows with each enqueued job.
    pub jobs: BTreeMap<u64, Held>,
    pub enqueued: u64,
    pub commits: HashMap<CommitId, Micros>,
}

impl State {
    pub fn get(&self, key: &Key) -> Option<&Record> {
        self.records.get(&name(key))
    }

    pub fn journal(&self, key: &JournalKey) -> &[String] {
        let name = (
            key.journal.name,
            key.team.as_str().to_owned(),
            key.id.clone(),
        );
        self.journals.get(&name).map_or(&[], Vec::as_slice)
    }

    pub fn counter(&self, key: &CounterKey) -> i64 {
        let name = (key.team.as_str().to_owned(), key.id.clone());
        self.counters.get(&name).copied().unwrap_or(0)
    }

    pub fn records_of(&self, table: &'static Table) -> Vec<(TeamId, Record)> {
        self.records
            .iter()
            .filter(|((name, _, _), _)| *name == table.name)
            .map(|((_, team, _), record)| (TeamId::new(team.clone()), record.clone()))
            .collect()
    }
}

pub(super) fn name(key: &Key) -> (&'static str, String, String) {
    (key.table.name, key.team.as_str().to_owned(), key.id.clone())
}

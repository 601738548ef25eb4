//! The portable copy: a clone of the state at one moment, and a state that is put in place when all of it has come.

use super::{MemoryStore, jobs::Held, state::State};
use async_trait::async_trait;
use domain::id::TeamId;
use futures::{StreamExt, stream};
use ports::{
    archive::{Archive, ArchiveError, Checks, Item, Items, Place},
    repo::{JOURNALS, TABLES},
    store::Record,
};

#[async_trait]
impl Archive for MemoryStore {
    async fn export(&self) -> Result<Items, ArchiveError> {
        let items = items(&self.call()?.state);
        Ok(stream::iter(items.into_iter().map(Ok)).boxed())
    }

    async fn import(&self, mut items: Items) -> Result<(), ArchiveError> {
        empty(&self.call()?.state)?;
        let (mut state, mut checks) = (State::default(), Checks::default());
        while let Some(item) = items.next().await {
            let item = item?;
            let place = checks.pass(&item)?;
            put(&mut state, place, item)?;
        }
        let mut inner = self.call()?;
        empty(&inner.state)?;
        inner.state = state;
        Ok(())
    }
}

fn empty(state: &State) -> Result<(), ArchiveError> {
    let kinds = [
        ("records", state.records.is_empty()),
        ("journals", state.journals.is_empty()),
        ("counters", state.counters.is_empty()),
        ("jobs", state.jobs.is_empty()),
    ];
    match kinds.iter().find(|(_, empty)| !empty) {
        Some((kind, _)) => Err(ArchiveError::NotEmpty(kind)),
        None => Ok(()),
    }
}

fn items(state: &State) -> Vec<Item> {
    let mut items = Vec::new();
    for table in TABLES {
        items.extend(
            state
                .records_of(table)
                .into_iter()
                .map(|(team, record)| Item::Record {
                    table: table.name.to_owned(),
                    team,
                    id: record.id,
                    version: record.version,
                    doc: record.doc,
                }),
        );
    }
    for journal in JOURNALS {
        for ((_, team, id), entries) in state
            .journals
            .iter()
            .filter(|((name, ..), _)| *name == journal.name)
        {
            items.extend(entries.iter().zip(0..).map(|(entry, seq)| Item::Entry {
                journal: journal.name.to_owned(),
                team: TeamId::new(team.clone()),
                id: id.clone(),
                seq,
                entry: entry.clone(),
            }));
        }
    }
    items.extend(
        state
            .counters
            .iter()
            .map(|((team, id), value)| Item::Counter {
                team: TeamId::new(team.clone()),
                id: id.clone(),
                value: *value,
            }),
    );
    items.extend(state.jobs.values().map(|held| Item::Job(held.archived())));
    items
}

fn put(state: &mut State, place: Place, item: Item) -> Result<(), ArchiveError> {
    let twice = match (place, item) {
        (
            Place::Table(table),
            Item::Record {
                team,
                id,
                version,
                doc,
                ..
            },
        ) => {
            let key = (table.name, team.as_str().to_owned(), id.clone());
            state
                .records
                .insert(key, Record { id, version, doc })
                .is_some()
        }
        (
            Place::Journal(journal),
            Item::Entry {
                team,
                id,
                seq,
                entry,
                ..
            },
        ) => {
            let entries = state
                .journals
                .entry((journal.name, team.as_str().to_owned(), id))
                .or_default();
            entries.push(entry);
            entries.len() as u64 != seq + 1
        }
        (_, Item::Counter { team, id, value }) => state
            .counters
            .insert((team.as_str().to_owned(), id), value)
            .is_some(),
        (_, Item::Job(job)) => {
            let twice = super::jobs::find(&state.jobs, &job.id).is_some();
            state.enqueued += 1;
            state.jobs.insert(state.enqueued, Held::restored(job));
            twice
        }
        _ => false,
    };
    match twice {
        true => Err(ArchiveError::Malformed(
            "something is in it twice".to_owned(),
        )),
        false => Ok(()),
    }
}

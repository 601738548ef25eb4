//! A portable copy of all that a store keeps: out of any store, into any empty one.
//!
//! It is a sequence of [`Item`]s in one order (records by table, team and id; journals likewise, then by position; counters; jobs by
//! age), so that two stores with the same content give the same sequence. Commit ids are not in it: they are for a process that
//! lost an answer, and no process outlives its store.

use crate::{
    repo::{JOURNALS, TABLES},
    store::{Journal, MAX_DOCUMENT_BYTES, Priority, StoreError, Table},
};
use domain::{
    Micros,
    id::{JobId, TeamId},
};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Record {
        table: String,
        team: TeamId,
        id: String,
        version: u64,
        doc: String,
    },
    /// `seq` counts from 0 without gaps.
    Entry {
        journal: String,
        team: TeamId,
        id: String,
        seq: u64,
        entry: String,
    },
    Counter {
        team: TeamId,
        id: String,
        value: i64,
    },
    Job(ArchivedJob),
}

/// A job as it waits. Its place among the others of its serial key is its place in the sequence.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ArchivedJob {
    pub id: JobId,
    pub team: TeamId,
    pub name: String,
    pub lane: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    pub priority: Priority,
    pub payload: String,
    pub due: Micros,
    pub attempts: u32,
    pub epoch: u64,
    /// Somebody had it leased. Nobody has in the copy, and how far the work came is unknown: there it is a lease that ran out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leased: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub set_aside: bool,
}

#[derive(thiserror::Error, Debug)]
pub enum ArchiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Copies go into empty stores only; the text says what was found.
    #[error("the store is not empty: there are {0} in it")]
    NotEmpty(&'static str),
    /// What came is no copy of a store: an unknown table, a gap in a journal, a key twice.
    #[error("it is no copy of a store: {0}")]
    Malformed(String),
    /// The sequence broke off; the text is its source's.
    #[error("{0}")]
    Cut(String),
}

pub type Items = BoxStream<'static, Result<Item, ArchiveError>>;

/// What a store does besides [`crate::Store`], for backups and for moving from one to another.
#[async_trait::async_trait]
pub trait Archive: Send + Sync {
    /// Everything as it is at one moment: of each commit all is in it, or nothing. Work goes on meanwhile. (In SQL it is what one
    /// transaction sees that reads a snapshot. A database without snapshots has to hold commits back for as long as the copy takes,
    /// as [`StoreError::Unavailable`], which their callers repeat.)
    async fn export(&self) -> Result<Items, ArchiveError>;

    /// Fills an empty store; whether it is empty is found out before the first item is taken. When this answers an error, or the
    /// process dies in it, the store is as empty as before: either because it is one transaction, or because what was
    /// written doesn't count before a last mark, and goes with the next attempt. The items are taken one by one, never all at once.
    async fn import(&self, items: Items) -> Result<(), ArchiveError>;
}

/// Where an item belongs in this program's stores.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Table(&'static Table),
    Journal(&'static Journal),
    Counters,
    Queue,
}

/// What holds of every sequence, whatever the store: importers pass each item by it, in order.
#[derive(Default, Debug)]
pub struct Checks {
    /// The journal that the last entry was of, and its length then.
    journal: Option<(String, TeamId, String, u64)>,
}

impl Checks {
    /// # Errors
    /// [`ArchiveError::Malformed`].
    pub fn pass(&mut self, item: &Item) -> Result<Place, ArchiveError> {
        let malformed = |text: String| Err(ArchiveError::Malformed(text));
        let (place, name, bytes) = match item {
            Item::Record {
                table,
                id,
                version,
                doc,
                ..
            } => {
                let Some(found) = TABLES.iter().find(|known| known.name == table) else {
                    return malformed(format!("this program knows no table {table}"));
                };
                if *version == 0 || id.is_empty() || id.len() > 200 {
                    return malformed(format!("{table}/{id} has no possible key and version"));
                }
                (Place::Table(found), id, doc.len())
            }
            Item::Entry {
                journal,
                team,
                id,
                seq,
                entry,
            } => {
                let Some(found) = JOURNALS.iter().find(|known| known.name == journal) else {
                    return malformed(format!("this program knows no journal {journal}"));
                };
                let next = match &self.journal {
                    Some((of, their, last, next)) if (of, their, last) == (journal, team, id) => {
                        *next
                    }
                    _ => 0,
                };
                if *seq != next {
                    return malformed(format!(
                        "{journal}/{id} has an entry {seq} where {next} was to come"
                    ));
                }
                self.journal = Some((journal.clone(), team.clone(), id.clone(), seq + 1));
                (Place::Journal(found), id, entry.len())
            }
            Item::Counter { id, .. } => (Place::Counters, id, 0),
            Item::Job(job) => return self.job(job),
        };
        fits(name, bytes)?;
        Ok(place)
    }

    fn job(&self, job: &ArchivedJob) -> Result<Place, ArchiveError> {
        fits(job.id.as_str(), job.payload.len())?;
        Ok(Place::Queue)
    }
}

fn fits(name: &str, bytes: usize) -> Result<(), ArchiveError> {
    match bytes <= MAX_DOCUMENT_BYTES {
        true => Ok(()),
        false => Err(ArchiveError::Malformed(format!(
            "{name} has {bytes} bytes, at most {MAX_DOCUMENT_BYTES} are kept"
        ))),
    }
}

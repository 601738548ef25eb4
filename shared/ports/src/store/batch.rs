//! What one commit does.

use super::{CounterKey, JournalKey, Key, NewJob, Table};
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use std::collections::{HashMap, HashSet};

/// The weight of one batch ([`Batch::weight`]): items that DynamoDB would write. Its limit for one transaction is 100 items
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>), one of which is the commit's id.
pub const MAX_OPS: usize = 99;
/// Bytes of all documents, entries and payloads of one batch; DynamoDB's limit is 4 MB with keys and index entries.
pub const MAX_BATCH_BYTES: usize = 3_500_000;
/// Bytes of one document or journal entry. Larger things go to the blob store.
pub const MAX_DOCUMENT_BYTES: usize = 32 * 1024;

/// Bytes of an id (of a record, journal, counter, job, commit), of a lane or of a serial key.
pub const MAX_ID_BYTES: usize = 200;
/// Bytes of a text that an index partitions or sorts by. DynamoDB's keys have 1 KiB, Postgres' index rows 2.7 KiB.
pub const MAX_INDEXED_BYTES: usize = 512;
/// Bytes of journal entries that one item of DynamoDB takes; an item's limit is 400 KB.
pub const ENTRIES_BYTES: usize = 256 * 1024;

/// What a record has to be before a put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    Absent,
    Version(u64),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Writes the document (canonical JSON).
    Put {
        key: Key,
        doc: String,
        expect: Expect,
    },
    /// Writes nothing; the batch fails when it does not hold.
    Check {
        key: Key,
        expect: Expect,
    },
    Delete {
        key: Key,
        version: u64,
    },
    /// Each entry is canonical JSON; `at` is the journal's length as the caller knows it.
    Append {
        journal: JournalKey,
        at: u64,
        entries: Vec<String>,
    },
    Enqueue(NewJob),
    /// Writes nothing; the batch fails (`Fenced`) when the job is not leased under this epoch any more. It stands in every commit that
    /// a worker makes before its last one, so that a slow worker that lost its lease can't write.
    Hold {
        job: JobId,
        epoch: u64,
    },
    /// The leased job is done and goes. The next one of its serial key is due at the batch's time at the earliest, here and when
    /// it is set aside: whoever came meanwhile is before it, so a long queue of one key takes turns with the others.
    Finish {
        job: JobId,
        epoch: u64,
    },
    /// The leased job goes back, due at `due`. `counted: false` takes the attempt back (a rate limit is not a failure).
    Postpone {
        job: JobId,
        epoch: u64,
        due: Micros,
        error: String,
        counted: bool,
    },
    /// The leased job is poisoned: kept for people, out of everybody's way.
    SetAside {
        job: JobId,
        epoch: u64,
        error: String,
    },
    /// Asks whoever has leased a job of this serial key to stop; it is told at its next renewal.
    Signal {
        serial: String,
    },
    /// Adds to a counter; conflicts when the sum would be above `ceiling`.
    Add {
        counter: CounterKey,
        delta: i64,
        ceiling: Option<i64>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    pub id: CommitId,
    /// The caller's time: kept with the commit id.
    pub at: Micros,
    pub ops: Vec<Op>,
}

/// Why no store will take a batch.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum Rejected {
    #[error("the batch weighs {0}, at most {MAX_OPS} goes into one")]
    TooManyOps(usize),
    #[error("{0} bytes, at most {MAX_BATCH_BYTES} go into one batch")]
    TooLarge(usize),
    #[error(
        "{what} has {bytes} bytes, at most {MAX_DOCUMENT_BYTES} are allowed: keep it in the blob store"
    )]
    DocumentTooLarge { what: String, bytes: usize },
    #[error("{0} is named twice")]
    NamedTwice(String),
    #[error("{0}")]
    Malformed(String),
}

impl Batch {
    /// The limits that hold for every store. Adapters call it first.
    ///
    /// # Errors
    /// The first limit that is broken.
    pub fn check(&self) -> Result<(), Rejected> {
        within("the commit's id", self.id.as_str())?;
        let weight = self.weight();
        if weight > MAX_OPS {
            return Err(Rejected::TooManyOps(weight));
        }
        let mut seen = HashSet::new();
        let mut bytes = 0;
        for op in &self.ops {
            let name = op.subject();
            bytes += op.check(&name)?;
            if !seen.insert(name.clone()) {
                return Err(Rejected::NamedTwice(name));
            }
        }
        if bytes > MAX_BATCH_BYTES {
            return Err(Rejected::TooLarge(bytes));
        }
        Ok(())
    }

    /// How many items the batch writes at most in DynamoDB, besides the commit's id. Most operations are one; an append is the
    /// journal's head and its entries; a job that goes also frees the next one of its serial key; jobs that come with a
    /// serial key change the key's end and the job that was the last one, once for all of the batch.
    #[must_use]
    pub fn weight(&self) -> usize {
        let serials: HashSet<&str> = self
            .ops
            .iter()
            .filter_map(|op| match op {
                Op::Enqueue(job) => job.serial.as_deref(),
                _ => None,
            })
            .collect();
        self.ops.iter().map(Op::weight).sum::<usize>() + 2 * serials.len()
    }
}

impl Op {
    fn weight(&self) -> usize {
        match self {
            Self::Append { entries, .. } => {
                2 + entries.iter().map(String::len).sum::<usize>() / ENTRIES_BYTES
            }
            Self::Finish { .. } | Self::SetAside { .. } => 3,
            _ => 1,
        }
    }

    /// What it is about; two operations of one batch may not be about the same thing.
    fn subject(&self) -> String {
        match self {
            Self::Put { key, .. } | Self::Check { key, .. } | Self::Delete { key, .. } => {
                format!("{}/{}/{}", key.table.name, key.team, key.id)
            }
            Self::Append { journal, .. } => {
                format!("{}/{}/{}", journal.journal.name, journal.team, journal.id)
            }
            Self::Enqueue(job) => format!("job/{}", job.id),
            Self::Hold { job, .. }
            | Self::Finish { job, .. }
            | Self::Postpone { job, .. }
            | Self::SetAside { job, .. } => {
                format!("job/{job}")
            }
            Self::Signal { serial } => format!("signal/{serial}"),
            Self::Add { counter, .. } => format!("counter/{}/{}", counter.team, counter.id),
        }
    }

    /// Answers the bytes it carries.
    fn check(&self, name: &str) -> Result<usize, Rejected> {
        within(name, self.id())?;
        match self {
            Self::Append { entries, .. } if entries.is_empty() => Err(Rejected::Malformed(
                format!("an append to {name} without entries"),
            )),
            Self::Put { key, doc, .. } => {
                let bytes = fits(name, doc.len())?;
                indexed(key.table, name, doc)?;
                Ok(bytes)
            }
            Self::Append { entries, .. } => {
                entries.iter().map(|entry| fits(name, entry.len())).sum()
            }
            Self::Enqueue(job) => {
                within("a lane", &job.lane)?;
                job.serial
                    .as_deref()
                    .map_or(Ok(()), |serial| within("a serial key", serial))?;
                fits(name, job.payload.len())
            }
            Self::Postpone { error, .. } | Self::SetAside { error, .. } => fits(name, error.len()),
            _ => Ok(0),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Put { key, .. } | Self::Check { key, .. } | Self::Delete { key, .. } => &key.id,
            Self::Append { journal, .. } => &journal.id,
            Self::Enqueue(job) => job.id.as_str(),
            Self::Hold { job, .. }
            | Self::Finish { job, .. }
            | Self::Postpone { job, .. }
            | Self::SetAside { job, .. } => job.as_str(),
            Self::Signal { serial } => serial,
            Self::Add { counter, .. } => &counter.id,
        }
    }
}

fn within(name: &str, id: &str) -> Result<(), Rejected> {
    match (1..=MAX_ID_BYTES).contains(&id.len()) {
        true => Ok(()),
        false => Err(Rejected::Malformed(format!(
            "the id of {name} must have 1 to {MAX_ID_BYTES} bytes"
        ))),
    }
}

fn fits(name: &str, bytes: usize) -> Result<usize, Rejected> {
    match bytes <= MAX_DOCUMENT_BYTES {
        true => Ok(bytes),
        false => Err(Rejected::DocumentTooLarge {
            what: name.to_owned(),
            bytes,
        }),
    }
}

/// Most documents are too short to have such a field, and are not looked into.
fn indexed(table: &Table, name: &str, doc: &str) -> Result<(), Rejected> {
    if doc.len() <= MAX_INDEXED_BYTES || table.indexes.is_empty() {
        return Ok(());
    }
    let Ok(fields) = serde_json::from_str::<HashMap<String, serde_json::Value>>(doc) else {
        return Ok(());
    };
    let names = table.indexes.iter().flat_map(|i| [i.partition, i.sort]);
    for field in names {
        let text = fields.get(field).and_then(serde_json::Value::as_str);
        if text.is_some_and(|text| text.len() > MAX_INDEXED_BYTES) {
            return Err(Rejected::Malformed(format!(
                "the field {field} of {name} is in an index: it may have {MAX_INDEXED_BYTES} bytes"
            )));
        }
    }
    Ok(())
}

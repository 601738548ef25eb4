//! What one commit does.

use super::{CounterKey, JournalKey, Key, NewJob};
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use std::collections::HashSet;

/// Operations of one batch; DynamoDB's limit for one transaction is 100 items, one of which is the commit's id.
pub const MAX_OPS: usize = 99;
/// Bytes of all documents, entries and payloads of one batch; DynamoDB's limit is 4 MB.
pub const MAX_BATCH_BYTES: usize = 3_900_000;
/// Bytes of one document or journal entry. Larger things go to the blob store.
pub const MAX_DOCUMENT_BYTES: usize = 32 * 1024;

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
    #[error("{0} operations, at most {MAX_OPS} go into one batch")]
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
        if self.ops.len() > MAX_OPS {
            return Err(Rejected::TooManyOps(self.ops.len()));
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
}

impl Op {
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
        let fits = |bytes: usize| {
            if bytes > MAX_DOCUMENT_BYTES {
                return Err(Rejected::DocumentTooLarge {
                    what: name.to_owned(),
                    bytes,
                });
            }
            Ok(bytes)
        };
        match self {
            Self::Put { key, .. } | Self::Check { key, .. } | Self::Delete { key, .. }
                if key.id.is_empty() || key.id.len() > 200 =>
            {
                Err(Rejected::Malformed(format!(
                    "the id of {name} must have 1 to 200 bytes"
                )))
            }
            Self::Append { entries, .. } if entries.is_empty() => Err(Rejected::Malformed(
                format!("an append to {name} without entries"),
            )),
            Self::Put { doc, .. } => fits(doc.len()),
            Self::Append { entries, .. } => entries.iter().map(|entry| fits(entry.len())).sum(),
            Self::Enqueue(job) => fits(job.payload.len()),
            _ => Ok(0),
        }
    }
}

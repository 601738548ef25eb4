//! The truth about everything that is kept: records, journals, jobs, and one verb that writes.
//!
//! [`Store::commit`] takes a [`Batch`] and does all of it or nothing; a conflict says which operation met it. It is exactly what
//! one SQL transaction or one DynamoDB transaction can do, so a begin and a commit are never shown. What the weakest store
//! can't do is refused for every store, by [`Batch::check`], before anything is sent.
//!
//! - **Records** are versioned documents in a [`Table`] that declares its indexes; each index partitions and sorts by fields of
//!   the document. Index reads may be stale: who decides something on what they found, puts it under a version.
//! - **Journals** are append-only; an append names the position it expects.
//! - **Jobs** are work to be done once. A job with a *serial* key is handed out only when every older job of that key is
//!   finished or set aside. A claim leases it; the lease's *epoch* is the fence: `Finish`, `Postpone` and `SetAside` of an older
//!   epoch conflict, and so does the batch around them.
//!
//! Every write has the commit's id stored with it; after a connection lost in mid-commit, [`Store::was_committed`] tells.

mod batch;
mod job;
mod table;

pub use batch::{
    Batch, ENTRIES_BYTES, Expect, MAX_BATCH_BYTES, MAX_DOCUMENT_BYTES, MAX_ID_BYTES,
    MAX_INDEXED_BYTES, MAX_OPS, Op, Rejected,
};
pub use job::{Backlog, Claim, Claimed, Job, NewJob, Priority, Renewal};
pub use table::{CounterKey, Index, IndexValue, Journal, JournalKey, Key, Table};

use domain::{
    Micros,
    id::{CommitId, JobId},
};

#[derive(thiserror::Error, Debug)]
pub enum StoreError {
    /// The world changed since it was read: read again, decide again.
    #[error("conflict: {0}")]
    Conflict(Conflict),
    /// The batch breaks a limit that holds for every store. A defect of the caller, never to be repeated as it is.
    #[error("the batch was refused: {0}")]
    Rejected(#[from] Rejected),
    /// Nothing was written, or (only from `commit`) it is unknown whether: ask [`Store::was_committed`]. Repeatable.
    #[error("the store did not answer: {0}")]
    Unavailable(String),
    /// No space, read-only, no permission: a person has to act. The text says what to do.
    #[error("the store cannot write: {0}")]
    CannotWrite(String),
    #[error(
        "the database was made by a newer version of the program (schema {found}, this program knows {known}): install the newer one"
    )]
    NewerSchema { found: i64, known: i64 },
    #[error("a stored document cannot be read: {0}")]
    Corrupt(String),
}

/// Which operation of the batch met what. `op` counts from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
    pub op: usize,
    pub reason: ConflictReason,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConflictReason {
    /// The record's version; `None` when there is no record.
    Version { found: Option<u64> },
    /// The journal's length.
    Position { head: u64 },
    /// A job of that id is there already.
    JobExists,
    /// The job is not there, or leased under another epoch.
    Fenced,
    /// The counter as it is; with the delta it would pass its ceiling.
    Ceiling { value: i64 },
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "operation {}: {:?}", self.op, self.reason)
    }
}

/// A record as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub id: String,
    /// 1 after the first put, one more with each.
    pub version: u64,
    /// Canonical JSON.
    pub doc: String,
}

/// Where a page begins. Opaque: only what a page answered is to be passed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor(pub String);

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Records of one team in one table, by key or by a declared index.
#[derive(Clone, Debug)]
pub struct Query {
    pub table: &'static Table,
    pub team: domain::id::TeamId,
    /// `None`: all of the team's, by key. Else the index's name, the partition's value.
    pub index: Option<(&'static str, IndexValue)>,
    /// Only sort values `>= from` and `< to`, each where given (by key: the ids, as text).
    pub from: Option<IndexValue>,
    pub to: Option<IndexValue>,
    pub descending: bool,
    /// 1 to 1000.
    pub limit: u32,
    pub after: Option<Cursor>,
}

#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// All of the batch or nothing. Repeating a batch with the same id after it was committed changes nothing and answers `Ok`.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// Whether a batch of that id was committed (remembered for at least a day).
    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError>;

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError>;

    async fn query(&self, query: Query) -> Result<Page, StoreError>;

    /// Entries from position `from` (the first is 0), at most `limit` (1 to 1000), in order.
    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError>;

    /// How many entries the journal has: the position that an append has to name.
    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError>;

    /// The counter's value, 0 if it was never added to.
    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError>;

    /// Leases jobs that are due.
    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError>;

    /// Prolongs a lease to `until`; says whether it still holds and whether the job was signalled.
    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError>;

    /// One job, if it is there (finished ones are not).
    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError>;

    /// What waits, per lane.
    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError>;

    /// Forgets commit ids older than `before`. Called by the tick.
    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError>;
}

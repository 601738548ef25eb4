//! The store on SQLite: one file, no server, for the local process.
//!
//! Everything that writes goes through one connection ([`writer`]), which commits what has gathered as one SQLite transaction:
//! 32 runs that commit at once share one fsync. Reads go through a pool of read-only connections. Several processes may have
//! the file open at once; they take turns by SQLite's own lock.
//!
//! Reads use sqlx. The writer uses rusqlite, on the same SQLite library: sqlx hands every statement to another thread and back,
//! which made a lone commit a quarter slower and a group of 32 half as fast. `examples/commit_rate.rs` measures what is left.

mod apply;
mod archive;
mod error;
mod migrate;
mod open;
mod query;
mod queue;
mod read;
mod writer;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use open::Location;
use ports::store::{
    Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Page, Query, Record,
    Rejected, Renewal, Store, StoreError,
};
use read::Readers;
use std::time::Duration;
use writer::{Done, Work, Writer};

/// How far a commit goes before it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Synchronous {
    /// On the disk: it outlives a loss of power.
    #[default]
    Full,
    /// With the operating system: it outlives the process only. For tests.
    Off,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub synchronous: Synchronous,
    /// How long a commit waits for another process's before it answers `Unavailable`.
    pub busy_timeout: Duration,
    /// Read connections at most; opened when needed.
    pub readers: u32,
    /// The file may have this many pages of 4 KiB at most, and is “full” beyond. For tests.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
            readers: 4,
            max_pages: None,
        }
    }
}

pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    location: Location,
    options: Options,
}

impl SqliteStore {
    /// Opens or makes the database, and brings its schema up to date. Takes a path or a `sqlite:` URL.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] when the file can't be made or written, [`StoreError::NewerSchema`],
    /// [`StoreError::Corrupt`] when it is no SQLite database, [`StoreError::Unavailable`] when another process keeps it locked.
    pub async fn open(database: &str, options: Options) -> Result<Self, StoreError> {
        let location = Location::parse(database)?;
        let readers = Readers::new(&location, &options);
        let kept = (location.clone(), options.clone());
        let writer = tokio::task::spawn_blocking(move || -> Result<Writer, StoreError> {
            let mut connection = open::writer(&location, &options)?;
            migrate::up(&mut connection, &location)?;
            Writer::start(connection, location)
        });
        let writer = writer
            .await
            .map_err(|e| StoreError::Unavailable(e.to_string()))??;
        let (location, options) = kept;
        Ok(Self {
            writer,
            readers,
            location,
            options,
        })
    }

    /// Brings the schema up to date and answers its version. Opening does it as well.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn migrate(database: &str) -> Result<i64, StoreError> {
        let location = Location::parse(database)?;
        let mut connection = open::writer(&location, &Options::default())?;
        migrate::up(&mut connection, &location)
    }

    /// The schema's version, changing nothing: `None` when there is no database yet, 0 when it is empty.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn schema_version(database: &str) -> Result<Option<i64>, StoreError> {
        let location = Location::parse(database)?;
        match location.path.exists() {
            true => migrate::version(&open::reader(&location)?, &location).map(Some),
            false => Ok(None),
        }
    }

    /// The version that this program knows.
    #[must_use]
    pub fn known_version() -> i64 {
        migrate::KNOWN
    }

    /// The leases of a worker that is dead are over now: what it had under way is claimed next. The answer is how many there were.
    /// Only for whoever knows for certain, as others on this machine can (`infra/app`'s `presence`).
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn end_leases(&self, worker: &str) -> Result<u64, StoreError> {
        let worker = worker.to_owned();
        match self.writer.work(Work::EndLeases { worker }).await? {
            Done::Ended(ended) => Ok(ended),
            _ => Err(crossed()),
        }
    }

    /// Answers what has gathered, closes the connections and waits for that.
    pub async fn close(self) {
        self.readers.close().await;
        let writer = self.writer;
        // The thread ends by itself if nobody waits, so a failure to wait is of no consequence.
        let _ = tokio::task::spawn_blocking(move || writer.close()).await;
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        self.writer.work(Work::Commit(batch)).await.map(drop)
    }

    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        self.readers.was_committed(id).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.readers.get(key).await
    }

    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        within("limit", query.limit, 1000)?;
        self.readers.query(&query).await
    }

    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        within("limit", limit, 1000)?;
        self.readers.entries(journal, from, limit).await
    }

    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        self.readers.head(journal).await
    }

    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        self.readers.counter(key).await
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        within("limit", claim.limit, 100)?;
        match self.writer.work(Work::Claim(claim)).await? {
            Done::Claimed(claimed) => Ok(claimed),
            _ => Err(crossed()),
        }
    }

    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError> {
        let job = job.clone();
        match self.writer.work(Work::Renew { job, epoch, until }).await? {
            Done::Renewed(renewal) => Ok(renewal),
            _ => Err(crossed()),
        }
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.readers.job(id).await
    }

    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        self.readers.backlog(now).await
    }

    /// Found by a reader and removed in small pieces, so that commits don't wait for it.
    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let ids = self.readers.old_commits(before).await?;
            if ids.is_empty() {
                return Ok(forgotten);
            }
            match self.writer.work(Work::Forget { ids }).await? {
                Done::Forgot(removed) => forgotten += removed,
                _ => return Err(crossed()),
            }
        }
    }
}

/// A limit of the port: 1 to `most`.
fn within(what: &str, given: u32, most: u32) -> Result<(), StoreError> {
    match (1..=most).contains(&given) {
        true => Ok(()),
        false => Err(malformed(format!(
            "{what} {given}: it has to be 1 to {most}"
        ))),
    }
}

fn malformed(text: impl Into<String>) -> StoreError {
    StoreError::Rejected(Rejected::Malformed(text.into()))
}

/// The writer answers in kind; this is for the compiler, which can't see that.
fn crossed() -> StoreError {
    StoreError::Unavailable("the writer answered something else than it was asked".to_owned())
}

/// A version, position or epoch as SQLite counts. What no `i64` holds is no row's, and neither is -1.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(-1)
}

/// What [`signed`] wrote.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

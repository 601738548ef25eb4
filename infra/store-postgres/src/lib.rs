//! The store on PostgreSQL: for several processes that share the work, and for teams that have a server anyway.
//!
//! A commit is one transaction, at the level READ COMMITTED: each operation is a write that checks itself and locks what it
//! looked at, so nothing can change between the check and the commit (see `apply`). The jobs of a serial key need more than
//! rows can be locked for, so whoever adds one or lets one go takes the key's own lock first (see `queue`). A claim is one
//! statement, with SKIP LOCKED. What two transactions undid for each other, or a lost connection did, is repeated inside: every
//! batch has an id that is kept with it.
//!
//! [`Notices`] carries wake-ups from process to process by LISTEN and NOTIFY. They are hints: the store is the truth.

mod address;
mod apply;
mod archive;
mod error;
mod migrate;
mod notices;
mod pool;
mod query;
mod queue;
mod read;
#[cfg(feature = "scratch")]
mod scratch;

pub use notices::Notices;
#[cfg(feature = "scratch")]
pub use scratch::Scratch;

use address::Address;
use async_trait::async_trait;
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use pool::Pool;
use ports::store::{
    Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Page, Query, Record,
    Rejected, Renewal, Store, StoreError,
};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Options {
    /// Connections at most; opened when needed. The server has 100 for everybody, if nobody changed it.
    pub connections: u32,
    /// For how long something is tried again before it answers [`StoreError::Unavailable`].
    pub patience: Duration,
    /// How long one attempt may take: a server that was cut off doesn't say so.
    pub answer: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 10,
            patience: Duration::from_secs(30),
            answer: Duration::from_secs(30),
        }
    }
}

/// Clones are the same store.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
}

/// Calls a function of `read`, `apply` or `queue` with a lent connection, patiently.
macro_rules! on {
    ($pool:expr, $($path:ident)::+ ($($argument:expr),*)) => {
        $pool.with(|mut lent| async move {
            let done = match lent.connection() {
                Ok(connection) => $($path)::+(connection $(, $argument)*).await,
                Err(stop) => Err(stop),
            };
            (lent, done)
        })
        .await
    };
}

impl PostgresStore {
    /// Connects, and brings the schema up to date. Takes a `postgres://` URL.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] when the server refuses the user or has no such database, [`StoreError::NewerSchema`],
    /// [`StoreError::Unavailable`] when nothing answers. No text of them holds the password.
    pub async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        migrate::up(&address).await?;
        let pool = Pool::new(address, options);
        Ok(Self { pool })
    }

    /// Brings the schema up to date and answers its version. Opening does it as well.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn migrate(url: &str) -> Result<i64, StoreError> {
        migrate::up(&Address::parse(url)?).await
    }

    /// The schema's version, changing nothing: 0 when the database is empty.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn schema_version(url: &str) -> Result<i64, StoreError> {
        let address = Address::parse(url)?;
        let mut connection = address.connect().await?;
        migrate::version(&mut connection, &address).await
    }

    /// The version that this program knows.
    #[must_use]
    pub fn known_version() -> i64 {
        migrate::KNOWN
    }

    /// The database that a URL means, in words for people: without user and password.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn describe(url: &str) -> Result<String, StoreError> {
        Address::parse(url).map(|address| address.to_string())
    }

    /// The server's clock.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn now(&self) -> Result<Micros, StoreError> {
        on!(self.pool, read::now())
    }

    /// Closes the connections and waits for that.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        let batch = &batch;
        on!(self.pool, apply::batch(batch))
    }

    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        on!(self.pool, read::was_committed(id))
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        on!(self.pool, read::get(key))
    }

    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        within("limit", query.limit, 1000)?;
        let query = &query;
        on!(self.pool, query::run(query))
    }

    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        within("limit", limit, 1000)?;
        on!(self.pool, read::entries(journal, from, limit))
    }

    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        on!(self.pool, read::head(journal))
    }

    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        on!(self.pool, read::counter(key))
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        within("limit", claim.limit, 100)?;
        let claim = &claim;
        on!(self.pool, queue::claim(claim))
    }

    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError> {
        on!(self.pool, queue::renew(job, epoch, until))
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        on!(self.pool, read::job(id))
    }

    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        on!(self.pool, read::backlog(now))
    }

    /// In small pieces, so that no transaction is long.
    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            match on!(self.pool, apply::forget(before))? {
                0 => return Ok(forgotten),
                removed => forgotten += removed,
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

/// A version, position or epoch as PostgreSQL counts. What no `i64` holds is no row's, and neither is -1.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(-1)
}

/// What [`signed`] wrote.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

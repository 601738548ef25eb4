//! What is read: by read-only connections, beside the writer and never waiting for it.

use crate::{
    Options,
    error::Failure,
    open::{self, Location},
    query, unsigned,
};
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::store::{Backlog, CounterKey, Job, JournalKey, Key, Page, Query, Record, StoreError};
use sqlx::{
    AssertSqlSafe, Row, SqlitePool,
    sqlite::{SqlitePoolOptions, SqliteRow},
};

pub struct Readers {
    pool: SqlitePool,
    location: Location,
}

/// Commit ids that are forgotten at once.
const FORGET: i64 = 500;

impl Readers {
    /// Opens nothing yet.
    pub fn new(location: &Location, options: &Options) -> Self {
        let pool = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(options.readers.max(1))
            // A file does not hang up: a connection that was good is good.
            .test_before_acquire(false)
            .connect_lazy_with(open::pooled(location, options));
        Self {
            pool,
            location: location.clone(),
        }
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM commits WHERE id = ?";
        let row = sqlx::query(sql).bind(id.as_str());
        let found = row.fetch_optional(&self.pool).await;
        found.map(|row| row.is_some()).map_err(|e| self.failed(e))
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let table = key.table.name;
        let sql = format!("SELECT id, version, doc FROM {table} WHERE team = ? AND id = ?");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(key.team.as_str())
            .bind(key.id.as_str())
            .fetch_optional(&self.pool)
            .await;
        row.and_then(|row| row.as_ref().map(record).transpose())
            .map_err(|e| self.failed(e))
    }

    pub async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        let (sql, arguments) = query::sql(query)?;
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let rows = rows.fetch_all(&self.pool).await;
        rows.and_then(|rows| query::page(query, &rows))
            .map_err(|e| self.failed(e))
    }

    pub async fn entries(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let table = journal.journal.name;
        let sql = format!(
            "SELECT entry FROM {table} WHERE team = ? AND id = ? AND seq >= ? ORDER BY seq LIMIT ?"
        );
        sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(journal.team.as_str())
            .bind(journal.id.as_str())
            .bind(i64::try_from(from).unwrap_or(i64::MAX))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))
    }

    pub async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        let table = journal.journal.name;
        let sql =
            format!("SELECT coalesce(max(seq) + 1, 0) FROM {table} WHERE team = ? AND id = ?");
        sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(journal.team.as_str())
            .bind(journal.id.as_str())
            .fetch_one(&self.pool)
            .await
            .map(unsigned)
            .map_err(|e| self.failed(e))
    }

    pub async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT value FROM counters WHERE team = ? AND id = ?")
            .bind(key.team.as_str())
            .bind(key.id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map(|value| value.unwrap_or(0))
            .map_err(|e| self.failed(e))
    }

    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let row = sqlx::query("SELECT * FROM task_queue WHERE id = ?").bind(id.as_str());
        let row = row.fetch_optional(&self.pool).await;
        row.and_then(|row| row.as_ref().map(job).transpose())
            .map_err(|e| self.failed(e))
    }

    /// A lease that ran out counts as due: nobody works on that job, as far as the store can know.
    pub async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        let sql = "SELECT lane, sum(set_aside) AS set_aside,
                sum(NOT set_aside AND coalesce(lease_until, due) <= ?1) AS due,
                sum(NOT set_aside AND lease_until IS NULL AND due > ?1) AS later,
                sum(NOT set_aside AND coalesce(lease_until, ?1) > ?1) AS leased
            FROM task_queue GROUP BY lane ORDER BY lane";
        let depth = |row: SqliteRow| -> Result<Backlog, sqlx::Error> {
            let count = |name: &str| row.try_get(name).map(unsigned);
            Ok(Backlog {
                lane: row.try_get("lane")?,
                due: count("due")?,
                later: count("later")?,
                leased: count("leased")?,
                set_aside: count("set_aside")?,
            })
        };
        let rows = sqlx::query(sql).bind(now.0).fetch_all(&self.pool).await;
        rows.and_then(|rows| rows.into_iter().map(depth).collect())
            .map_err(|e| self.failed(e))
    }

    /// Some ids of commits before that time. Ids grow with time, so the old ones are found first.
    pub async fn old_commits(&self, before: Micros) -> Result<Vec<CommitId>, StoreError> {
        let sql = "SELECT id FROM commits WHERE \"at\" < ? ORDER BY id LIMIT ?";
        let ids: Result<Vec<String>, _> = sqlx::query_scalar(sql)
            .bind(before.0)
            .bind(FORGET)
            .fetch_all(&self.pool)
            .await;
        ids.map(|ids| ids.into_iter().map(CommitId::new).collect())
            .map_err(|e| self.failed(e))
    }

    fn failed(&self, error: sqlx::Error) -> StoreError {
        Failure::from(error).explain(&self.location)
    }
}

pub fn record(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    Ok(Record {
        id: row.try_get(0)?,
        version: row.try_get(1).map(unsigned)?,
        doc: row.try_get(2)?,
    })
}

/// A row with named columns, of either library.
pub trait NamedRow {
    type Error;
    fn text(&self, name: &str) -> Result<String, Self::Error>;
    fn optional(&self, name: &str) -> Result<Option<String>, Self::Error>;
    fn number(&self, name: &str) -> Result<i64, Self::Error>;
}

impl NamedRow for SqliteRow {
    type Error = sqlx::Error;
    fn text(&self, name: &str) -> Result<String, sqlx::Error> {
        self.try_get(name)
    }
    fn optional(&self, name: &str) -> Result<Option<String>, sqlx::Error> {
        self.try_get(name)
    }
    fn number(&self, name: &str) -> Result<i64, sqlx::Error> {
        self.try_get(name)
    }
}

/// A row of `task_queue`.
pub fn job<R: NamedRow>(row: &R) -> Result<Job, R::Error> {
    Ok(Job {
        id: JobId::new(row.text("id")?),
        team: TeamId::new(row.text("team")?),
        name: row.text("name")?,
        lane: row.text("lane")?,
        serial: row.optional("serial")?,
        payload: row.text("payload")?,
        due: Micros(row.number("due")?),
        attempts: u32::try_from(row.number("attempts")?).unwrap_or(u32::MAX),
        epoch: unsigned(row.number("epoch")?),
        lost_before: row.number("lost_before")? != 0,
        last_error: row.optional("last_error")?,
        set_aside: row.number("set_aside")? != 0,
    })
}

//! What is read: each is one statement, which sees what was committed when it began.

use crate::{error::Stop, unsigned};
use domain::{
    Micros,
    id::{CommitId, JobId, TeamId},
};
use ports::store::{Backlog, CounterKey, Job, JournalKey, Key, Record};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

pub async fn was_committed(connection: &mut PgConnection, id: &CommitId) -> Result<bool, Stop> {
    let found = sqlx::query("SELECT 1 FROM commits WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// The server's clock at this moment, not at the beginning of a transaction.
pub async fn now(connection: &mut PgConnection) -> Result<Micros, Stop> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let now = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(Micros(now))
}

pub async fn get(connection: &mut PgConnection, key: &Key) -> Result<Option<Record>, Stop> {
    let table = key.table.name;
    let sql = format!("SELECT id, version, doc FROM {table} WHERE team = $1 AND id = $2");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(key.team.as_str())
        .bind(key.id.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(record).transpose()?)
}

pub async fn version(connection: &mut PgConnection, key: &Key) -> Result<Option<u64>, Stop> {
    let table = key.table.name;
    let sql = format!("SELECT version FROM {table} WHERE team = $1 AND id = $2");
    let version: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(key.team.as_str())
        .bind(key.id.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(version.map(unsigned))
}

pub async fn entries(
    connection: &mut PgConnection,
    journal: &JournalKey,
    from: u64,
    limit: u32,
) -> Result<Vec<String>, Stop> {
    let table = journal.journal.name;
    let sql = format!(
        "SELECT entry FROM {table} WHERE team = $1 AND id = $2 AND seq >= $3 ORDER BY seq LIMIT $4"
    );
    let entries = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(journal.team.as_str())
        .bind(journal.id.as_str())
        .bind(i64::try_from(from).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    Ok(entries)
}

pub async fn head(connection: &mut PgConnection, journal: &JournalKey) -> Result<u64, Stop> {
    let table = journal.journal.name;
    let sql = format!("SELECT coalesce(max(seq) + 1, 0) FROM {table} WHERE team = $1 AND id = $2");
    let head: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(journal.team.as_str())
        .bind(journal.id.as_str())
        .fetch_one(connection)
        .await?;
    Ok(unsigned(head))
}

pub async fn counter(connection: &mut PgConnection, key: &CounterKey) -> Result<i64, Stop> {
    let value: Option<i64> =
        sqlx::query_scalar("SELECT value FROM counters WHERE team = $1 AND id = $2")
            .bind(key.team.as_str())
            .bind(key.id.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(value.unwrap_or(0))
}

/// The columns of `task_queue` that [`job_of`] reads.
pub const JOB: &str = "id, team, name, lane, serial, payload, due, attempts, epoch, lost_before, last_error, set_aside";

pub async fn job(connection: &mut PgConnection, id: &JobId) -> Result<Option<Job>, Stop> {
    let sql = format!("SELECT {JOB} FROM task_queue WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(job_of).transpose()?)
}

/// A lease that ran out counts as due: nobody works on that job, as far as the store can know.
pub async fn backlog(connection: &mut PgConnection, now: Micros) -> Result<Vec<Backlog>, Stop> {
    let sql = "SELECT lane, count(*) FILTER (WHERE set_aside) AS set_aside,
            count(*) FILTER (WHERE NOT set_aside AND coalesce(lease_until, due) <= $1) AS due,
            count(*) FILTER (WHERE NOT set_aside AND lease_until IS NULL AND due > $1) AS later,
            count(*) FILTER (WHERE NOT set_aside AND lease_until > $1) AS leased
        FROM task_queue GROUP BY lane ORDER BY lane";
    let rows = sqlx::query(sql).bind(now.0).fetch_all(connection).await?;
    let depth = |row: &PgRow| -> Result<Backlog, sqlx::Error> {
        let count = |name: &str| row.try_get(name).map(unsigned);
        Ok(Backlog {
            lane: row.try_get("lane")?,
            due: count("due")?,
            later: count("later")?,
            leased: count("leased")?,
            set_aside: count("set_aside")?,
        })
    };
    Ok(rows.iter().map(depth).collect::<Result<_, _>>()?)
}

pub fn record(row: &PgRow) -> Result<Record, sqlx::Error> {
    Ok(Record {
        id: row.try_get(0)?,
        version: row.try_get(1).map(unsigned)?,
        doc: row.try_get(2)?,
    })
}

/// A row of `task_queue`.
pub fn job_of(row: &PgRow) -> Result<Job, sqlx::Error> {
    let attempts: i64 = row.try_get("attempts")?;
    Ok(Job {
        id: row.try_get::<String, _>("id").map(JobId::new)?,
        team: row.try_get::<String, _>("team").map(TeamId::new)?,
        name: row.try_get("name")?,
        lane: row.try_get("lane")?,
        serial: row.try_get("serial")?,
        payload: row.try_get("payload")?,
        due: Micros(row.try_get("due")?),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        epoch: row.try_get("epoch").map(unsigned)?,
        lost_before: row.try_get("lost_before")?,
        last_error: row.try_get("last_error")?,
        set_aside: row.try_get("set_aside")?,
    })
}

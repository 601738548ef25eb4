//! One batch in SQL: one transaction, at the level READ COMMITTED. Each operation is a write that checks itself: it changes one
//! row, or none when the world is another than the caller thinks. Only then is read what it met.
//!
//! What was only looked at (`Check`, `Hold`) is locked until the commit, so that it is still true then. The level SERIALIZABLE would
//! do without that, but undoes transactions that were in nobody's way, the more the busier it gets.

use crate::{
    error::{Failure, Stop},
    queue, read, signed, unsigned,
};
use domain::Micros;
use ports::store::{Batch, Conflict, ConflictReason, CounterKey, Expect, JournalKey, Key, Op};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

type Met = Option<ConflictReason>;

/// Commit ids that are forgotten at once.
const FORGET: i64 = 1000;

/// Applies all of the batch, or nothing and stops at the first conflict. An id that is there was committed, by an attempt whose
/// answer was lost, or is being committed: then it waits for that.
pub async fn batch(connection: &mut PgConnection, batch: &Batch) -> Result<(), Stop> {
    let mut transaction = connection.begin().await?;
    let Some(keys) = queue::begin(&mut transaction, batch).await? else {
        return Ok(transaction.rollback().await?);
    };
    for (op, what) in batch.ops.iter().enumerate() {
        if let Some(reason) = apply(&mut transaction, what, (batch.at, &keys)).await? {
            transaction.rollback().await?;
            let conflict = Conflict { op, reason };
            return Err(Stop::Answer(ports::store::StoreError::Conflict(conflict)));
        }
    }
    Ok(transaction.commit().await?)
}

pub async fn forget(connection: &mut PgConnection, before: Micros) -> Result<u64, Stop> {
    let sql = "DELETE FROM commits WHERE id = ANY(ARRAY(SELECT id FROM commits WHERE \"at\" < $1 LIMIT $2))";
    let done = sqlx::query(sql).bind(before.0).bind(FORGET);
    Ok(done.execute(connection).await?.rows_affected())
}

async fn apply(
    connection: &mut PgConnection,
    op: &Op,
    (now, keys): (Micros, &queue::Keys),
) -> Result<Met, Stop> {
    match op {
        Op::Put { key, doc, expect } => put(connection, key, doc, *expect).await,
        Op::Check { key, expect } => check(connection, key, *expect).await,
        Op::Delete {
            key,
            version: expected,
        } => {
            let table = key.table.name;
            let sql = format!("DELETE FROM {table} WHERE team = $1 AND id = $2 AND version = $3");
            let done = sqlx::query(AssertSqlSafe(sql))
                .bind(key.team.as_str())
                .bind(key.id.as_str())
                .bind(signed(*expected))
                .execute(&mut *connection)
                .await?;
            unless(connection, key, done.rows_affected()).await
        }
        Op::Append {
            journal,
            at,
            entries,
        } => append(connection, journal, *at, entries).await,
        Op::Enqueue(job) => {
            let done = queue::enqueue(connection, job).await?;
            Ok((!done).then_some(ConflictReason::JobExists))
        }
        Op::Hold { job, epoch } => {
            let held = queue::holds(connection, job, *epoch).await?;
            Ok((!held).then_some(ConflictReason::Fenced))
        }
        Op::Finish { .. } | Op::Postpone { .. } | Op::SetAside { .. } => {
            let held = queue::give_back(connection, op, (now, keys)).await?;
            Ok((!held).then_some(ConflictReason::Fenced))
        }
        Op::Signal { serial } => queue::signal(connection, serial).await.map(|()| None),
        Op::Add {
            counter,
            delta,
            ceiling,
        } => add(connection, counter, *delta, *ceiling).await,
    }
}

/// No conflict when a row was changed; else what was met.
async fn unless(connection: &mut PgConnection, key: &Key, changed: u64) -> Result<Met, Stop> {
    match changed {
        0 => {
            let found = read::version(connection, key).await?;
            Ok(Some(ConflictReason::Version { found }))
        }
        _ => Ok(None),
    }
}

async fn put(
    connection: &mut PgConnection,
    key: &Key,
    doc: &str,
    expect: Expect,
) -> Result<Met, Stop> {
    let (table, team) = (key.table.name, key.team.as_str());
    let done = match expect {
        Expect::Absent => {
            let sql = format!(
                "INSERT INTO {table} (team, id, version, doc) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(team)
                .bind(key.id.as_str())
                .bind(doc)
                .execute(&mut *connection)
                .await?
        }
        Expect::Version(expected) => {
            let sql = format!(
                "UPDATE {table} SET version = version + 1, doc = $3 WHERE team = $1 AND id = $2 AND version = $4"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(team)
                .bind(key.id.as_str())
                .bind(doc)
                .bind(signed(expected))
                .execute(&mut *connection)
                .await?
        }
    };
    unless(connection, key, done.rows_affected()).await
}

/// A row that is there is locked until the commit. One that is absent is kept so by the unique key: it is made, and taken away
/// again, by this transaction, and whoever else would make it waits for the end of it.
async fn check(connection: &mut PgConnection, key: &Key, expect: Expect) -> Result<Met, Stop> {
    let (table, team) = (key.table.name, key.team.as_str());
    match expect {
        Expect::Version(expected) => {
            let sql = format!("SELECT version FROM {table} WHERE team = $1 AND id = $2 FOR SHARE");
            let found: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(team)
                .bind(key.id.as_str())
                .fetch_optional(connection)
                .await?;
            let found = found.map(unsigned);
            Ok((found != Some(expected)).then_some(ConflictReason::Version { found }))
        }
        Expect::Absent => {
            for sql in [
                format!(
                    "INSERT INTO {table} (team, id, version, doc) VALUES ($1, $2, 0, '{{}}') ON CONFLICT DO NOTHING"
                ),
                format!("DELETE FROM {table} WHERE team = $1 AND id = $2 AND version = 0"),
            ] {
                let done = sqlx::query(AssertSqlSafe(sql))
                    .bind(team)
                    .bind(key.id.as_str())
                    .execute(&mut *connection)
                    .await?;
                if let met @ Some(_) = unless(connection, key, done.rows_affected()).await? {
                    return Ok(met);
                }
            }
            Ok(None)
        }
    }
}

/// All entries, if the first one's place is the journal's end.
async fn append(
    connection: &mut PgConnection,
    key: &JournalKey,
    at: u64,
    entries: &[String],
) -> Result<Met, Stop> {
    let table = key.journal.name;
    let sql = format!(
        "INSERT INTO {table} (team, id, seq, entry)
         SELECT $1, $2, $3 + place - 1, entry FROM unnest($4::text[]) WITH ORDINALITY AS new (entry, place)
         WHERE ($3 = 0 OR EXISTS (SELECT 1 FROM {table} WHERE team = $1 AND id = $2 AND seq = $3 - 1))
           AND NOT EXISTS (SELECT 1 FROM {table} WHERE team = $1 AND id = $2 AND seq = $3)
         ON CONFLICT DO NOTHING"
    );
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(key.team.as_str())
        .bind(key.id.as_str())
        .bind(signed(at))
        .bind(entries)
        .execute(&mut *connection)
        .await?;
    match done.rows_affected() {
        0 => {
            let head = read::head(connection, key).await?;
            Ok(Some(ConflictReason::Position { head }))
        }
        some if some < entries.len() as u64 => {
            // Somebody's shorter append was committed in the middle of this statement.
            Err(Stop::Broken(Failure::crossed("a journal grew meanwhile")))
        }
        _ => Ok(None),
    }
}

/// A sum that no `bigint` holds conflicts, as a sum above the ceiling does.
async fn add(
    connection: &mut PgConnection,
    key: &CounterKey,
    delta: i64,
    ceiling: Option<i64>,
) -> Result<Met, Stop> {
    let sql = "INSERT INTO counters AS kept (team, id, value) SELECT $1, $2, $3
        WHERE $3 <= $4 OR EXISTS (SELECT 1 FROM counters WHERE team = $1 AND id = $2)
        ON CONFLICT (team, id) DO UPDATE SET value = kept.value + excluded.value
        WHERE kept.value::numeric + excluded.value BETWEEN -9223372036854775808 AND $4";
    let done = sqlx::query(sql)
        .bind(key.team.as_str())
        .bind(key.id.as_str())
        .bind(delta)
        .bind(ceiling.unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    match done.rows_affected() {
        0 => {
            let value = read::counter(connection, key).await?;
            Ok(Some(ConflictReason::Ceiling { value }))
        }
        _ => Ok(None),
    }
}

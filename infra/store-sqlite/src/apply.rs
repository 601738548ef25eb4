//! One batch in SQL. Each operation is a write that checks itself: it changes one row, or none when the world is another than
//! the caller thinks. Only then is read what it met.

use crate::{queue, signed, unsigned, writer::Stop};
use domain::{Micros, id::CommitId};
use ports::store::{
    Batch, Conflict, ConflictReason, CounterKey, Expect, JournalKey, Key, Op, StoreError,
};
use rusqlite::{Connection, OptionalExtension, Params, Result};

/// Applies all of the batch, or stops at the first conflict; the caller undoes what was done before it.
pub fn batch(connection: &Connection, batch: &Batch) -> Result<(), Stop> {
    let remember = "INSERT INTO commits (id, \"at\") VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    if run(connection, remember, (batch.id.as_str(), batch.at.0))? == 0 {
        return Ok(());
    }
    for (op, what) in batch.ops.iter().enumerate() {
        if let Some(reason) = apply(connection, what, batch.at)? {
            return Err(Stop::Answer(StoreError::Conflict(Conflict { op, reason })));
        }
    }
    Ok(())
}

/// Executes a statement that stays prepared; answers how many rows it changed.
pub fn run(connection: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}

pub fn forget(connection: &Connection, ids: &[CommitId]) -> Result<u64> {
    let mut removed = 0;
    for id in ids {
        removed += run(
            connection,
            "DELETE FROM commits WHERE id = ?1",
            [id.as_str()],
        )? as u64;
    }
    Ok(removed)
}

fn apply(connection: &Connection, op: &Op, now: Micros) -> Result<Option<ConflictReason>> {
    match op {
        Op::Put { key, doc, expect } => put(connection, key, doc, *expect),
        Op::Check { key, expect } => {
            let found = version(connection, key)?;
            let expected = match expect {
                Expect::Absent => None,
                Expect::Version(version) => Some(*version),
            };
            Ok((found != expected).then_some(ConflictReason::Version { found }))
        }
        Op::Delete {
            key,
            version: expected,
        } => {
            let table = key.table.name;
            let sql = format!("DELETE FROM {table} WHERE team = ?1 AND id = ?2 AND version = ?3");
            let row = (key.team.as_str(), &key.id, signed(*expected));
            let changed = run(connection, &sql, row)?;
            unless(changed, || {
                Ok(ConflictReason::Version {
                    found: version(connection, key)?,
                })
            })
        }
        Op::Append {
            journal,
            at,
            entries,
        } => append(connection, journal, *at, entries),
        Op::Enqueue(job) => {
            let changed = queue::enqueue(connection, job)?;
            unless(changed, || Ok(ConflictReason::JobExists))
        }
        Op::Hold { job, epoch } => {
            let held = queue::holds(connection, job, *epoch)?;
            Ok((!held).then_some(ConflictReason::Fenced))
        }
        Op::Finish { .. } | Op::Postpone { .. } | Op::SetAside { .. } => {
            let changed = queue::give_back(connection, op, now)?;
            unless(changed, || Ok(ConflictReason::Fenced))
        }
        Op::Signal { serial } => queue::signal(connection, serial).map(|()| None),
        Op::Add {
            counter,
            delta,
            ceiling,
        } => add(connection, counter, *delta, *ceiling),
    }
}

/// No conflict when a row was changed; else what was met.
fn unless(
    changed: usize,
    met: impl FnOnce() -> Result<ConflictReason>,
) -> Result<Option<ConflictReason>> {
    match changed {
        0 => met().map(Some),
        _ => Ok(None),
    }
}

fn version(connection: &Connection, key: &Key) -> Result<Option<u64>> {
    let table = key.table.name;
    let sql = format!("SELECT version FROM {table} WHERE team = ?1 AND id = ?2");
    connection
        .prepare_cached(&sql)?
        .query_row((key.team.as_str(), &key.id), |row| row.get(0).map(unsigned))
        .optional()
}

fn put(
    connection: &Connection,
    key: &Key,
    doc: &str,
    expect: Expect,
) -> Result<Option<ConflictReason>> {
    let (table, team) = (key.table.name, key.team.as_str());
    let changed = match expect {
        Expect::Absent => {
            let sql = format!(
                "INSERT INTO {table} (team, id, version, doc) VALUES (?1, ?2, 1, ?3) ON CONFLICT DO NOTHING"
            );
            run(connection, &sql, (team, &key.id, doc))?
        }
        Expect::Version(expected) => {
            let sql = format!(
                "UPDATE {table} SET version = version + 1, doc = ?3 WHERE team = ?1 AND id = ?2 AND version = ?4"
            );
            run(connection, &sql, (team, &key.id, doc, signed(expected)))?
        }
    };
    unless(changed, || {
        Ok(ConflictReason::Version {
            found: version(connection, key)?,
        })
    })
}

/// The first entry checks the position: its own is free, and the one before is not. The others follow it.
fn append(
    connection: &Connection,
    key: &JournalKey,
    at: u64,
    entries: &[String],
) -> Result<Option<ConflictReason>> {
    let (table, team) = (key.journal.name, key.team.as_str());
    let first = format!(
        "INSERT INTO {table} (team, id, seq, entry) SELECT ?1, ?2, ?3, ?4
         WHERE ?3 = 0 OR EXISTS (SELECT 1 FROM {table} WHERE team = ?1 AND id = ?2 AND seq = ?3 - 1)
         ON CONFLICT DO NOTHING"
    );
    let other = format!("INSERT INTO {table} (team, id, seq, entry) VALUES (?1, ?2, ?3, ?4)");
    for (seq, entry) in (signed(at)..).zip(entries) {
        let sql = if seq == signed(at) { &first } else { &other };
        if run(connection, sql, (team, &key.id, seq, entry))? == 0 {
            let sql = format!(
                "SELECT coalesce(max(seq) + 1, 0) FROM {table} WHERE team = ?1 AND id = ?2"
            );
            let head = connection
                .prepare_cached(&sql)?
                .query_row((team, &key.id), |row| row.get(0).map(unsigned))?;
            return Ok(Some(ConflictReason::Position { head }));
        }
    }
    Ok(None)
}

/// A sum that no integer holds turns into a floating-point number in SQLite; that conflicts, as a sum above the ceiling does.
fn add(
    connection: &Connection,
    key: &CounterKey,
    delta: i64,
    ceiling: Option<i64>,
) -> Result<Option<ConflictReason>> {
    let sql = "INSERT INTO counters (team, id, value) SELECT ?1, ?2, ?3
        WHERE ?3 <= ?4 OR EXISTS (SELECT 1 FROM counters WHERE team = ?1 AND id = ?2)
        ON CONFLICT DO UPDATE SET value = value + excluded.value
        WHERE value + excluded.value <= ?4 AND typeof(value + excluded.value) = 'integer'";
    let team = key.team.as_str();
    let row = (team, &key.id, delta, ceiling.unwrap_or(i64::MAX));
    let changed = run(connection, sql, row)?;
    unless(changed, || {
        let value = connection
            .prepare_cached("SELECT value FROM counters WHERE team = ?1 AND id = ?2")?
            .query_row((team, &key.id), |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        Ok(ConflictReason::Ceiling { value })
    })
}

//! Jobs, as the writer sees them: rows of `task_queue`.
//!
//! A job that is behind another of its serial key is `blocked` and in no index that a claim looks at; triggers unblock the next
//! one when the first goes (see the migration). So a claim costs the same behind ten thousand blocked jobs.

use crate::{apply::run, read::NamedRow, signed};
use domain::{Micros, id::JobId};
use ports::store::{Claim, Claimed, Job, NewJob, Op, Priority, Renewal};
use rusqlite::{Connection, OptionalExtension, Params, Result, Row};

const PRIORITIES: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Low];

// The condition of the index `task_queue_ready` stands in the first two: SQLite takes a partial index only then.
const DUE: &str = "SELECT due, seq FROM task_queue WHERE lane = ?1 AND priority = ?2 AND due <= ?3
    AND lease_until IS NULL AND blocked = 0 AND set_aside = 0 ORDER BY due, seq LIMIT ?4";
const AHEAD: &str = "SELECT min(due) FROM task_queue WHERE lane = ?1 AND priority = ?2 AND due > ?3
    AND lease_until IS NULL AND blocked = 0 AND set_aside = 0";
const LOST: &str = "SELECT lane, priority, due, seq FROM task_queue WHERE lease_until <= ?1";
const LEASE_ENDS: &str =
    "SELECT lease_until, lane FROM task_queue WHERE lease_until > ?1 ORDER BY lease_until";
const LEASE: &str =
    "UPDATE task_queue SET lost_before = lease_until IS NOT NULL, lease_until = ?2, worker = ?3,
    epoch = epoch + 1, attempts = attempts + 1, signalled = 0 WHERE seq = ?1 RETURNING *";
const FINISH: &str = "DELETE FROM task_queue WHERE id = ?1 AND epoch = ?2 AND lease_until IS NOT NULL RETURNING serial";
const SET_ASIDE: &str = "UPDATE task_queue SET lease_until = NULL, set_aside = 1, last_error = ?3
    WHERE id = ?1 AND epoch = ?2 AND lease_until IS NOT NULL RETURNING serial";
// Whoever came meanwhile is before it, so that a long queue of one key takes turns with the others.
const TURN: &str = "UPDATE task_queue SET due = ?2
    WHERE seq = (SELECT min(seq) FROM task_queue WHERE serial = ?1 AND set_aside = 0) AND due < ?2";
const SIGNAL: &str = "UPDATE task_queue SET signalled = 1
    WHERE seq = (SELECT min(seq) FROM task_queue WHERE serial = ?1 AND set_aside = 0)
      AND lease_until IS NOT NULL";

const END_LEASES: &str =
    "UPDATE task_queue SET lease_until = 0 WHERE lease_until > 0 AND worker = ?1";

/// What must not cost more the longer the queue is.
#[cfg(test)]
pub const STATEMENTS: [&str; 9] = [
    DUE, AHEAD, LOST, LEASE_ENDS, LEASE, FINISH, TURN, SIGNAL, END_LEASES,
];

/// Rows changed: 0 when a job of that id is there.
pub fn enqueue(connection: &Connection, job: &NewJob) -> Result<usize> {
    let sql =
        "INSERT INTO task_queue (id, team, name, lane, serial, priority, payload, due, blocked)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
            EXISTS (SELECT 1 FROM task_queue WHERE serial = ?5 AND set_aside = 0))
        ON CONFLICT DO NOTHING";
    let row = (
        job.id.as_str(),
        job.team.as_str(),
        &job.name,
        &job.lane,
        &job.serial,
        job.priority as i64,
        &job.payload,
        job.due.0,
    );
    run(connection, sql, row)
}

/// `Finish`, `Postpone`, `SetAside`, at `now`. Rows changed: 0 when the job isn't leased under the epoch.
pub fn give_back(connection: &Connection, op: &Op, now: Micros) -> Result<usize> {
    match op {
        Op::Finish { job, epoch } => {
            let row = (job.as_str(), signed(*epoch));
            gone(connection, FINISH, row, now)
        }
        Op::Postpone {
            job,
            epoch,
            due,
            error,
            counted,
        } => {
            let sql = "UPDATE task_queue SET lease_until = NULL, lost_before = 0, due = ?3, last_error = ?4,
                    attempts = CASE WHEN ?5 THEN attempts ELSE max(attempts - 1, 0) END
                WHERE id = ?1 AND epoch = ?2 AND lease_until IS NOT NULL";
            let row = (job.as_str(), signed(*epoch), due.0, error, *counted);
            run(connection, sql, row)
        }
        Op::SetAside { job, epoch, error } => {
            let row = (job.as_str(), signed(*epoch), error);
            gone(connection, SET_ASIDE, row, now)
        }
        _ => Ok(0),
    }
}

/// The job makes room for the next one of its serial key, whose turn comes now.
fn gone(connection: &Connection, sql: &str, row: impl Params, now: Micros) -> Result<usize> {
    let serial: Option<Option<String>> = connection
        .prepare_cached(sql)?
        .query_row(row, |row| row.get(0))
        .optional()?;
    if let Some(Some(serial)) = &serial {
        run(connection, TURN, (serial, now.0))?;
    }
    Ok(usize::from(serial.is_some()))
}

/// Whether the job is leased under this epoch.
pub fn holds(connection: &Connection, job: &JobId, epoch: u64) -> Result<bool> {
    let sql = "SELECT 1 FROM task_queue WHERE id = ?1 AND epoch = ?2 AND lease_until IS NOT NULL";
    connection
        .prepare_cached(sql)?
        .exists((job.as_str(), signed(epoch)))
}

/// Only the first job of a serial key can be leased.
pub fn signal(connection: &Connection, serial: &str) -> Result<()> {
    run(connection, SIGNAL, [serial]).map(drop)
}

/// As if the time of all leases that this worker has were over. Rows changed.
pub fn end_leases(connection: &Connection, worker: &str) -> Result<u64> {
    Ok(run(connection, END_LEASES, [worker])? as u64)
}

pub fn renew(connection: &Connection, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal> {
    let sql = "UPDATE task_queue SET lease_until = ?3
        WHERE id = ?1 AND epoch = ?2 AND lease_until IS NOT NULL RETURNING signalled";
    let signalled: Option<bool> = connection
        .prepare_cached(sql)?
        .query_row((job.as_str(), signed(epoch), until.0), |row| row.get(0))
        .optional()?;
    Ok(match signalled {
        None => Renewal::Lost,
        Some(true) => Renewal::Signalled,
        Some(false) => Renewal::Held,
    })
}

pub fn claim(connection: &Connection, claim: &Claim) -> Result<Claimed> {
    let lost = lost(connection, claim)?;
    let mut chosen: Vec<i64> = Vec::new();
    for priority in PRIORITIES {
        let room = claim.limit as usize - chosen.len();
        if room == 0 {
            break;
        }
        let mut due: Vec<(i64, i64)> = lost
            .iter()
            .filter(|(of, _, _)| *of == priority as i64)
            .map(|(_, due, seq)| (*due, *seq))
            .collect();
        for lane in &claim.lanes {
            let row = (lane, priority as i64, claim.now.0, room as i64);
            let mut statement = connection.prepare_cached(DUE)?;
            let rows = statement.query_map(row, |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                due.push(row?);
            }
        }
        due.sort_unstable();
        // A lane may have been named twice.
        due.dedup();
        chosen.extend(due.into_iter().take(room).map(|(_, seq)| seq));
    }
    let jobs = chosen.into_iter().map(|seq| lease(connection, claim, seq));
    Ok(Claimed {
        jobs: jobs.collect::<Result<_>>()?,
        next: next(connection, claim)?,
    })
}

/// Jobs of these lanes whose lease ran out: priority, due, seq. Usually there are none.
fn lost(connection: &Connection, claim: &Claim) -> Result<Vec<(i64, i64, i64)>> {
    let mut statement = connection.prepare_cached(LOST)?;
    let mut rows = statement.query([claim.now.0])?;
    let mut lost = Vec::new();
    while let Some(row) = rows.next()? {
        let lane: String = row.get(0)?;
        if claim.lanes.contains(&lane) {
            lost.push((row.get(1)?, row.get(2)?, row.get(3)?));
        }
    }
    Ok(lost)
}

fn lease(connection: &Connection, claim: &Claim, seq: i64) -> Result<Job> {
    let until = claim.now.plus(claim.lease).0;
    connection
        .prepare_cached(LEASE)?
        .query_row((seq, until, &claim.worker), job)
}

/// The first due time or lease's end of these lanes that lies ahead, of jobs that are not blocked.
fn next(connection: &Connection, claim: &Claim) -> Result<Option<Micros>> {
    let mut next: Option<i64> = None;
    for lane in &claim.lanes {
        for priority in PRIORITIES {
            let at: Option<i64> = connection
                .prepare_cached(AHEAD)?
                .query_row((lane, priority as i64, claim.now.0), |row| row.get(0))?;
            next = at.into_iter().chain(next).min();
        }
    }
    let mut statement = connection.prepare_cached(LEASE_ENDS)?;
    let mut rows = statement.query([claim.now.0])?;
    while let Some(row) = rows.next()? {
        let lane: String = row.get(1)?;
        if claim.lanes.contains(&lane) {
            next = row.get::<_, i64>(0).into_iter().chain(next).min();
            break;
        }
    }
    Ok(next.map(Micros))
}

fn job(row: &Row) -> Result<Job> {
    crate::read::job(&Named(row))
}

/// A row of rusqlite's, so that there is one mapping from rows to jobs.
struct Named<'a, 'b>(&'a Row<'b>);

impl NamedRow for Named<'_, '_> {
    type Error = rusqlite::Error;
    fn text(&self, name: &str) -> Result<String> {
        self.0.get(name)
    }
    fn optional(&self, name: &str) -> Result<Option<String>> {
        self.0.get(name)
    }
    fn number(&self, name: &str) -> Result<i64> {
        self.0.get(name)
    }
}

//! Jobs: rows of `task_queue`.
//!
//! A job that is behind another of its serial key is `blocked` and in no index that a claim looks at. Whoever makes a job of a key
//! asks whether another one is there; whoever lets one go (finished, set aside) unblocks the next. Two transactions that do this at
//! once don't see each other's rows: both new jobs would be first, or the new one would stay blocked behind one that has gone. So
//! each of them takes the key's lock first, and looks only then; it is let go with the transaction. An advisory lock, because
//! there is no row that every job of a key shares. With it, numbers grow in the order of the commits too. All locks of a batch are
//! taken in one order, so that nobody waits in a circle. A claim needs none of that: it only takes what is first already.

use crate::{
    error::{Failure, Stop},
    read::{JOB, job_of},
    signed,
};
use domain::{Micros, id::JobId};
use ports::store::{Batch, Claim, Claimed, NewJob, Op, Renewal};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

/// Serial keys whose locks this transaction has.
pub type Keys = Vec<String>;

/// Beyond the limit a claim looks at so many more, because others may be taking the same ones.
const SLACK: i64 = 100;

// Who waits longer than this for a lock has no answer to give to its caller; and a process that was stopped in the middle of a
// transaction must not keep the keys that it has.
const KEEP: &str = "WITH limits AS (SELECT set_config('lock_timeout', '10s', true), set_config('idle_in_transaction_session_timeout', '30s', true)),
    kept AS (INSERT INTO commits (id, \"at\") SELECT $1, $2 FROM limits ON CONFLICT DO NOTHING RETURNING 1),
    keys AS MATERIALIZED (
        SELECT serial FROM unnest($3::text[]) AS new (serial)
        UNION SELECT serial FROM task_queue WHERE id = ANY($4) AND serial IS NOT NULL
        ORDER BY serial)
    SELECT (SELECT count(*) FROM kept) AS kept, serial,
        pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || serial, 0))::text
    FROM (SELECT 1) AS always LEFT JOIN keys ON true";
const ENQUEUE: &str = "INSERT INTO task_queue (id, team, name, lane, serial, priority, payload, due, blocked)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, EXISTS (SELECT 1 FROM task_queue WHERE serial = $5 AND NOT set_aside))
    ON CONFLICT (id) DO NOTHING";
const POSTPONE: &str =
    "UPDATE task_queue SET lease_until = NULL, lost_before = false, due = $3, last_error = $4,
        attempts = CASE WHEN $5 THEN attempts ELSE greatest(attempts - 1, 0) END
    WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL";
const FINISH: &str = "DELETE FROM task_queue WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL RETURNING seq, serial";
const SET_ASIDE: &str =
    "UPDATE task_queue SET lease_until = NULL, set_aside = true, last_error = $4
    WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL RETURNING seq, serial";
// Whoever came meanwhile is before it, so that a long queue of one key takes turns with the others.
const NEXT: &str = "UPDATE task_queue SET blocked = false, due = greatest(due, $3) WHERE seq =
    (SELECT min(behind.seq) FROM task_queue AS behind, gone
     WHERE behind.serial = gone.serial AND behind.seq > gone.seq AND NOT behind.set_aside)";
// Also where it isn't leased: whoever is about to claim it does that after this commit, or skips it.
const SIGNAL: &str = "UPDATE task_queue SET signalled = true
    WHERE seq = (SELECT min(seq) FROM task_queue WHERE serial = $1 AND NOT set_aside)";
const CLAIM: &str = "
WITH lanes AS (SELECT DISTINCT lane FROM unnest($1::text[]) AS named (lane)),
classes AS (SELECT lane, priority FROM lanes, (VALUES (0::smallint), (1::smallint), (2::smallint)) AS of (priority)),
near AS MATERIALIZED (
    SELECT found.* FROM classes, LATERAL (
        SELECT seq, priority, due FROM task_queue AS job
        WHERE job.lane = classes.lane AND job.priority = classes.priority AND due <= $2
          AND lease_until IS NULL AND NOT blocked AND NOT set_aside
        ORDER BY due, seq LIMIT $3 + $6) AS found
    UNION ALL SELECT seq, priority, due FROM task_queue WHERE lease_until <= $2 AND lane IN (SELECT lane FROM lanes)),
chosen AS MATERIALIZED (
    SELECT job.seq FROM near JOIN task_queue AS job USING (seq)
    WHERE NOT job.blocked AND NOT job.set_aside AND coalesce(job.lease_until, job.due) <= $2
    ORDER BY near.priority, near.due, near.seq LIMIT $3
    FOR UPDATE OF job SKIP LOCKED),
claimed AS (
    UPDATE task_queue AS job SET lost_before = lease_until IS NOT NULL, lease_until = $4, worker = $5,
        epoch = epoch + 1, attempts = attempts + 1, signalled = false
    FROM chosen WHERE job.seq = chosen.seq RETURNING job.seq, job.priority, COLUMNS),
ahead AS (
    SELECT found.at FROM classes, LATERAL (
        SELECT due AS at FROM task_queue AS job
        WHERE job.lane = classes.lane AND job.priority = classes.priority AND due > $2
          AND lease_until IS NULL AND NOT blocked AND NOT set_aside
        ORDER BY due LIMIT 1) AS found
    UNION ALL SELECT min(lease_until) FROM task_queue WHERE lease_until > $2 AND lane IN (SELECT lane FROM lanes))
SELECT (SELECT min(at) FROM ahead) AS next, claimed.*
FROM (SELECT 1) AS always LEFT JOIN claimed ON true ORDER BY priority, due, seq";

/// What a transaction begins with: keeps the commit's id and takes the locks of its serial keys. `None` when the id is there.
pub async fn begin(connection: &mut PgConnection, batch: &Batch) -> Result<Option<Keys>, Stop> {
    let (mut named, mut leased) = (Vec::new(), Vec::new());
    for op in &batch.ops {
        match op {
            Op::Enqueue(job) => named.extend(job.serial.as_deref()),
            Op::Signal { serial } => named.push(serial),
            Op::Finish { job, .. } | Op::SetAside { job, .. } => leased.push(job.as_str()),
            _ => {}
        }
    }
    let rows = sqlx::query(KEEP)
        .bind(batch.id.as_str())
        .bind(batch.at.0)
        .bind(named)
        .bind(leased)
        .fetch_all(connection)
        .await?;
    let mut keys = Keys::new();
    for row in &rows {
        if row.try_get::<i64, _>("kept")? == 0 {
            return Ok(None);
        }
        keys.extend(row.try_get::<Option<String>, _>("serial")?);
    }
    Ok(Some(keys))
}

/// No when a job of that id is there.
pub async fn enqueue(connection: &mut PgConnection, job: &NewJob) -> Result<bool, Stop> {
    let done = sqlx::query(ENQUEUE)
        .bind(job.id.as_str())
        .bind(job.team.as_str())
        .bind(&job.name)
        .bind(&job.lane)
        .bind(&job.serial)
        .bind(job.priority as i16)
        .bind(&job.payload)
        .bind(job.due.0)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// `Finish`, `Postpone`, `SetAside`, at `now`. No when the job isn't leased under the epoch.
pub async fn give_back(
    connection: &mut PgConnection,
    op: &Op,
    (now, keys): (Micros, &Keys),
) -> Result<bool, Stop> {
    let (sql, job, epoch, error) = match op {
        Op::Finish { job, epoch } => (FINISH, job, epoch, ""),
        Op::SetAside { job, epoch, error } => (SET_ASIDE, job, epoch, error.as_str()),
        Op::Postpone {
            job,
            epoch,
            due,
            error,
            counted,
        } => {
            let done = sqlx::query(POSTPONE)
                .bind(job.as_str())
                .bind(signed(*epoch))
                .bind(due.0)
                .bind(without_nul(error))
                .bind(*counted)
                .execute(connection)
                .await?;
            return Ok(done.rows_affected() == 1);
        }
        _ => return Ok(false),
    };
    // Every text names all four parameters, so that one list of them serves both.
    let sql = format!("WITH gone AS ({sql}), next AS ({NEXT}) SELECT serial, $4::text FROM gone");
    let gone = sqlx::query(AssertSqlSafe(sql))
        .bind(job.as_str())
        .bind(signed(*epoch))
        .bind(now.0)
        .bind(without_nul(error))
        .fetch_optional(connection)
        .await?;
    let Some(gone) = gone else { return Ok(false) };
    match gone.try_get::<Option<String>, _>("serial")? {
        // Between our look and our lock, that id became another job's.
        Some(serial) if !keys.contains(&serial) => {
            Err(Stop::Broken(Failure::crossed("a job was made again")))
        }
        _ => Ok(true),
    }
}

/// PostgreSQL's texts hold none, and errors come from everywhere.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Whether the job is leased under this epoch; if so, until the commit.
pub async fn holds(connection: &mut PgConnection, job: &JobId, epoch: u64) -> Result<bool, Stop> {
    let sql = "SELECT 1 FROM task_queue WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL FOR SHARE";
    let held = sqlx::query(sql).bind(job.as_str()).bind(signed(epoch));
    Ok(held.fetch_optional(connection).await?.is_some())
}

/// Only the first job of a serial key can be leased.
pub async fn signal(connection: &mut PgConnection, serial: &str) -> Result<(), Stop> {
    sqlx::query(SIGNAL).bind(serial).execute(connection).await?;
    Ok(())
}

pub async fn renew(
    connection: &mut PgConnection,
    job: &JobId,
    epoch: u64,
    until: Micros,
) -> Result<Renewal, Stop> {
    let sql = "UPDATE task_queue SET lease_until = $3
        WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL RETURNING signalled";
    let signalled: Option<bool> = sqlx::query_scalar(sql)
        .bind(job.as_str())
        .bind(signed(epoch))
        .bind(until.0)
        .fetch_optional(connection)
        .await?;
    Ok(match signalled {
        None => Renewal::Lost,
        Some(true) => Renewal::Signalled,
        Some(false) => Renewal::Held,
    })
}

/// One statement. Others that claim at the same time are skipped over, and so is a job whose lease ran out while its worker is
/// in the middle of a commit.
pub async fn claim(connection: &mut PgConnection, claim: &Claim) -> Result<Claimed, Stop> {
    let until = claim.now.plus(claim.lease);
    let sql = CLAIM.replace("COLUMNS", JOB);
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(&claim.lanes)
        .bind(claim.now.0)
        .bind(i64::from(claim.limit))
        .bind(until.0)
        .bind(&claim.worker)
        .bind(SLACK)
        .fetch_all(connection)
        .await?;
    let jobs = rows
        .iter()
        .filter_map(claimed)
        .collect::<Result<Vec<_>, _>>()?;
    let ahead: Option<i64> = match rows.first() {
        Some(row) => row.try_get("next")?,
        None => None,
    };
    let ours = (!jobs.is_empty() && until > claim.now).then_some(until);
    Ok(Claimed {
        jobs,
        next: ahead.map(Micros).into_iter().chain(ours).min(),
    })
}

/// The row that is there when nothing was claimed is no job.
fn claimed(row: &PgRow) -> Option<Result<ports::store::Job, sqlx::Error>> {
    match row.try_get::<Option<i64>, _>("seq") {
        Ok(None) => None,
        Ok(Some(_)) => Some(job_of(row)),
        Err(error) => Some(Err(error)),
    }
}

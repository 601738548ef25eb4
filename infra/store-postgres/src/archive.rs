//! The portable copy: out in one transaction that reads a snapshot, in with one that writes, each on a connection of its own.
//!
//! The import locks the tables against whoever else writes, so that the store stays as empty as it was found.

use crate::{PostgresStore, address::Address, error::Failure, signed, unsigned};
use async_trait::async_trait;
use domain::id::TeamId;
use futures::{StreamExt, TryStreamExt, stream};
use ports::{
    archive::{Archive, ArchiveError, ArchivedJob, Checks, Item, Items, Place},
    repo::{JOURNALS, TABLES},
    store::Priority,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, postgres::PgRow};
use std::collections::HashSet;
use tokio::sync::mpsc;

/// Items that are read ahead: a few megabytes at most.
const AHEAD: usize = 64;
/// Items that are written with one statement: some megabytes at most.
const TOGETHER: usize = 200;
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

#[async_trait]
impl Archive for PostgresStore {
    async fn export(&self) -> Result<Items, ArchiveError> {
        let address = self.pool.address().clone();
        let mut connection = address.connect().await?;
        // The snapshot is taken with the first read.
        for sql in [SNAPSHOT, "SELECT count(*) FROM schema_migrations"] {
            let done = sqlx::raw_sql(sql).execute(&mut connection).await;
            done.map_err(|e| Failure::from(e).explain(&address))?;
        }
        let (items, received) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            // Who doesn't take the next item has had enough.
            if let Err(Stop::Broken(error)) = copy(&mut connection, &items).await {
                let error = Failure::from(error).explain(&address);
                let _ = items.send(Err(error.into())).await;
            }
            let _ = connection.close().await;
        });
        let next =
            |mut from: mpsc::Receiver<_>| async { from.recv().await.map(|item| (item, from)) };
        Ok(stream::unfold(received, next).boxed())
    }

    async fn import(&self, items: Items) -> Result<(), ArchiveError> {
        let address = self.pool.address();
        let mut connection = address.connect().await?;
        let failed = |e: sqlx::Error| ArchiveError::from(Failure::from(e).explain(address));
        // Dropped with an open transaction, the connection undoes it.
        let mut transaction = connection.begin().await.map_err(failed)?;
        lock(&mut transaction).await.map_err(failed)?;
        if let Some(kind) = content(&mut transaction).await.map_err(failed)? {
            return Err(ArchiveError::NotEmpty(kind));
        }
        fill(&mut transaction, address, items).await?;
        transaction.commit().await.map_err(failed)?;
        let _ = connection.close().await;
        Ok(())
    }
}

enum Stop {
    NobodyListens,
    Broken(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error)
    }
}

type Sender = mpsc::Sender<Result<Item, ArchiveError>>;

async fn copy(connection: &mut PgConnection, items: &Sender) -> Result<(), Stop> {
    for table in TABLES.iter().map(|table| table.name) {
        let sql = format!("SELECT team, id, version, doc FROM {table} ORDER BY team, id");
        let item = |row: &PgRow| {
            Ok(Item::Record {
                table: table.to_owned(),
                team: team(row)?,
                id: row.try_get("id")?,
                version: row.try_get("version").map(unsigned)?,
                doc: row.try_get("doc")?,
            })
        };
        send(connection, items, sql, item).await?;
    }
    for journal in JOURNALS.iter().map(|journal| journal.name) {
        let sql = format!("SELECT team, id, seq, entry FROM {journal} ORDER BY team, id, seq");
        let item = |row: &PgRow| {
            Ok(Item::Entry {
                journal: journal.to_owned(),
                team: team(row)?,
                id: row.try_get("id")?,
                seq: row.try_get("seq").map(unsigned)?,
                entry: row.try_get("entry")?,
            })
        };
        send(connection, items, sql, item).await?;
    }
    let sql = "SELECT team, id, value FROM counters ORDER BY team, id";
    let item = |row: &PgRow| {
        Ok(Item::Counter {
            team: team(row)?,
            id: row.try_get("id")?,
            value: row.try_get("value")?,
        })
    };
    send(connection, items, sql.to_owned(), item).await?;
    let sql = format!(
        "SELECT {}, priority, lease_until IS NOT NULL AS leased FROM task_queue ORDER BY seq",
        crate::read::JOB
    );
    send(connection, items, sql, job).await
}

async fn send(
    connection: &mut PgConnection,
    items: &Sender,
    sql: String,
    item: impl Fn(&PgRow) -> Result<Item, sqlx::Error>,
) -> Result<(), Stop> {
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let sent = items.send(Ok(item(&row)?)).await;
        sent.map_err(|_| Stop::NobodyListens)?;
    }
    Ok(())
}

fn team(row: &PgRow) -> Result<TeamId, sqlx::Error> {
    row.try_get::<String, _>("team").map(TeamId::new)
}

fn job(row: &PgRow) -> Result<Item, sqlx::Error> {
    let priority = match row.try_get::<i16, _>("priority")? {
        0 => Priority::High,
        1 => Priority::Normal,
        _ => Priority::Low,
    };
    let job = crate::read::job_of(row)?;
    Ok(Item::Job(ArchivedJob {
        id: job.id,
        team: job.team,
        name: job.name,
        lane: job.lane,
        serial: job.serial,
        priority,
        payload: job.payload,
        due: job.due,
        attempts: job.attempts,
        epoch: job.epoch,
        leased: row.try_get("leased")?,
        last_error: job.last_error,
        set_aside: job.set_aside,
    }))
}

/// What a store keeps, by name and by what people call it.
fn kept() -> impl Iterator<Item = (&'static str, &'static str)> {
    let tables = TABLES.iter().map(|table| (table.name, "records"));
    let journals = JOURNALS.iter().map(|journal| (journal.name, "journals"));
    tables
        .chain(journals)
        .chain([("counters", "counters"), ("task_queue", "jobs")])
}

async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names: Vec<_> = kept().map(|(name, _)| name).collect();
    let sql = format!(
        "SET LOCAL lock_timeout = '10s'; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
        names.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

/// What is in the store, if anything is.
async fn content(connection: &mut PgConnection) -> Result<Option<&'static str>, sqlx::Error> {
    for (name, kind) in kept() {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {name})");
        if sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *connection)
            .await?
        {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

async fn fill(
    connection: &mut PgConnection,
    address: &Address,
    mut items: Items,
) -> Result<(), ArchiveError> {
    let failed = |error: sqlx::Error| match Failure::from(error) {
        // What PostgreSQL refuses is the item's fault: a key twice, a document that is no JSON.
        failure if failure.is_of_the_statement() => {
            ArchiveError::Malformed(failure.explain(address).to_string())
        }
        failure => failure.explain(address).into(),
    };
    let (mut checks, mut keys) = (Checks::default(), HashSet::new());
    let mut together: Vec<Item> = Vec::new();
    let mut place = None;
    while let Some(item) = items.next().await {
        let item = item?;
        let next = checks.pass(&item)?;
        let name = name(next);
        if place != Some(name) || together.len() == TOGETHER {
            insert(connection, place, &mut together, &mut keys)
                .await
                .map_err(failed)?;
        }
        place = Some(name);
        together.push(item);
    }
    insert(connection, place, &mut together, &mut keys)
        .await
        .map_err(failed)
}

fn name(place: Place) -> &'static str {
    match place {
        Place::Table(table) => table.name,
        Place::Journal(journal) => journal.name,
        Place::Counters => "counters",
        Place::Queue => "task_queue",
    }
}

/// Items of one table, with one statement. `keys` are the serial keys of the jobs before.
async fn insert(
    connection: &mut PgConnection,
    table: Option<&str>,
    items: &mut Vec<Item>,
    keys: &mut HashSet<String>,
) -> Result<(), sqlx::Error> {
    let Some(table) = table else { return Ok(()) };
    let (mut teams, mut ids, mut numbers, mut texts) = (vec![], vec![], vec![], vec![]);
    for item in items.drain(..) {
        let (team, id, number, text) = match item {
            Item::Record {
                team,
                id,
                version,
                doc,
                ..
            } => (team, id, signed(version), Some(doc)),
            Item::Entry {
                team,
                id,
                seq,
                entry,
                ..
            } => (team, id, signed(seq), Some(entry)),
            Item::Counter { team, id, value } => (team, id, value, None),
            Item::Job(job) => {
                enqueue(connection, &job, keys).await?;
                continue;
            }
        };
        teams.push(team.as_str().to_owned());
        ids.push(id);
        numbers.push(number);
        texts.extend(text);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let mut rows = sqlx::query(AssertSqlSafe(insertion(table)))
        .bind(teams)
        .bind(ids)
        .bind(numbers);
    if !texts.is_empty() {
        rows = rows.bind(texts);
    }
    rows.execute(connection).await?;
    Ok(())
}

fn insertion(table: &str) -> String {
    let keys = "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]";
    let is_journal = JOURNALS.iter().any(|known| known.name == table);
    match table {
        "counters" => format!("INSERT INTO counters (team, id, value) {keys})"),
        _ if is_journal => {
            format!("INSERT INTO {table} (team, id, seq, entry) {keys}, $4::text[])")
        }
        _ => format!("INSERT INTO {table} (team, id, version, doc) {keys}, $4::text[])"),
    }
}

/// With a lease that ran out in 1970, where it had one; blocked by what came before it.
async fn enqueue(
    connection: &mut PgConnection,
    job: &ArchivedJob,
    keys: &mut HashSet<String>,
) -> Result<(), sqlx::Error> {
    let blocked = match &job.serial {
        Some(serial) if !job.set_aside => !keys.insert(serial.clone()),
        _ => false,
    };
    let sql = "INSERT INTO task_queue
            (id, team, name, lane, serial, priority, payload, due, attempts, epoch, lease_until, last_error, set_aside, blocked)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    sqlx::query(sql)
        .bind(job.id.as_str())
        .bind(job.team.as_str())
        .bind(&job.name)
        .bind(&job.lane)
        .bind(&job.serial)
        .bind(job.priority as i16)
        .bind(&job.payload)
        .bind(job.due.0)
        .bind(i64::from(job.attempts))
        .bind(signed(job.epoch))
        .bind(job.leased.then_some(0_i64))
        .bind(&job.last_error)
        .bind(job.set_aside)
        .bind(blocked)
        .execute(connection)
        .await?;
    Ok(())
}

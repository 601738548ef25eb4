//! The portable copy: out in one read transaction, in with one write transaction, each on a connection and a thread of its own.
//!
//! A reader's transaction keeps the log from being cut until it ends, and disturbs nobody else. The import's changes wait in the
//! log, not in memory.

use crate::{SqliteStore, apply::run, error::Failure, open, open::Location, signed, unsigned};
use async_trait::async_trait;
use domain::{
    Micros,
    id::{JobId, TeamId},
};
use futures::{StreamExt, stream};
use ports::{
    archive::{Archive, ArchiveError, ArchivedJob, Checks, Item, Items, Place},
    repo::{JOURNALS, TABLES},
    store::{Priority, StoreError},
};
use rusqlite::{Connection, Result as Sql, Row};
use tokio::{runtime::Handle, sync::mpsc};

/// Items that are read ahead: a few megabytes at most.
const AHEAD: usize = 64;

#[async_trait]
impl Archive for SqliteStore {
    async fn export(&self) -> Result<Items, ArchiveError> {
        let location = self.location.clone();
        let (items, received) = mpsc::channel(AHEAD);
        let connection = blocking(move || begin_reading(&location)).await?;
        let location = self.location.clone();
        tokio::task::spawn_blocking(move || {
            // Who doesn't take the next item has had enough.
            if let Err(Stop::Broken(failure)) = copy(&connection, &items) {
                let _ = items.blocking_send(Err(failure.explain(&location).into()));
            }
        });
        let next =
            |mut from: mpsc::Receiver<_>| async { from.recv().await.map(|item| (item, from)) };
        Ok(stream::unfold(received, next).boxed())
    }

    async fn import(&self, items: Items) -> Result<(), ArchiveError> {
        let (location, options) = (self.location.clone(), self.options.clone());
        let runtime = Handle::current();
        blocking(move || {
            let connection = open::writer(&location, &options)?;
            let failed =
                |e: rusqlite::Error| ArchiveError::from(Failure::from(e).explain(&location));
            connection
                .execute_batch("BEGIN IMMEDIATE")
                .map_err(failed)?;
            empty(&connection)
                .map_err(failed)?
                .map_or(Ok(()), |kind| Err(ArchiveError::NotEmpty(kind)))?;
            // Dropped with an open transaction, the connection undoes it.
            fill(&connection, &location, &runtime, items)?;
            connection.execute_batch("COMMIT").map_err(failed)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| StoreError::Unavailable(e.to_string()))?
}

/// SQLite's snapshot is taken with the first read.
fn begin_reading(location: &Location) -> Result<Connection, ArchiveError> {
    let connection = open::reader(location)?;
    let begin = "BEGIN; SELECT count(*) FROM schema_migrations";
    connection
        .execute_batch(begin)
        .map_err(|e| Failure::from(e).explain(location))?;
    Ok(connection)
}

enum Stop {
    NobodyListens,
    Broken(Failure),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(Failure::from(error))
    }
}

type Sender = mpsc::Sender<Result<Item, ArchiveError>>;

fn copy(connection: &Connection, items: &Sender) -> Result<(), Stop> {
    for table in TABLES.iter().map(|table| table.name) {
        let sql = format!("SELECT team, id, version, doc FROM {table} ORDER BY team, id");
        send(connection, items, &sql, |row| {
            Ok(Item::Record {
                table: table.to_owned(),
                team: team(row)?,
                id: row.get("id")?,
                version: row.get("version").map(unsigned)?,
                doc: row.get("doc")?,
            })
        })?;
    }
    for journal in JOURNALS.iter().map(|journal| journal.name) {
        let sql = format!("SELECT team, id, seq, entry FROM {journal} ORDER BY team, id, seq");
        send(connection, items, &sql, |row| {
            Ok(Item::Entry {
                journal: journal.to_owned(),
                team: team(row)?,
                id: row.get("id")?,
                seq: row.get("seq").map(unsigned)?,
                entry: row.get("entry")?,
            })
        })?;
    }
    let sql = "SELECT team, id, value FROM counters ORDER BY team, id";
    send(connection, items, sql, |row| {
        Ok(Item::Counter {
            team: team(row)?,
            id: row.get("id")?,
            value: row.get("value")?,
        })
    })?;
    send(
        connection,
        items,
        "SELECT * FROM task_queue ORDER BY seq",
        job,
    )
}

fn send(
    connection: &Connection,
    items: &Sender,
    sql: &str,
    item: impl Fn(&Row) -> Sql<Item>,
) -> Result<(), Stop> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let sent = items.blocking_send(Ok(item(row)?));
        sent.map_err(|_| Stop::NobodyListens)?;
    }
    Ok(())
}

fn team(row: &Row) -> Sql<TeamId> {
    row.get::<_, String>("team").map(TeamId::new)
}

fn job(row: &Row) -> Sql<Item> {
    let priority = match row.get("priority")? {
        0 => Priority::High,
        1 => Priority::Normal,
        _ => Priority::Low,
    };
    let attempts: i64 = row.get("attempts")?;
    Ok(Item::Job(ArchivedJob {
        id: row.get::<_, String>("id").map(JobId::new)?,
        team: team(row)?,
        name: row.get("name")?,
        lane: row.get("lane")?,
        serial: row.get("serial")?,
        priority,
        payload: row.get("payload")?,
        due: Micros(row.get("due")?),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        epoch: row.get("epoch").map(unsigned)?,
        leased: row.get::<_, Option<i64>>("lease_until")?.is_some(),
        last_error: row.get("last_error")?,
        set_aside: row.get("set_aside")?,
    }))
}

/// What is in the store, if anything is.
fn empty(connection: &Connection) -> Sql<Option<&'static str>> {
    let kept = |name: &str| {
        connection
            .prepare(&format!("SELECT 1 FROM {name} LIMIT 1"))?
            .exists([])
    };
    let tables = TABLES.iter().map(|table| (table.name, "records"));
    let journals = JOURNALS.iter().map(|journal| (journal.name, "journals"));
    let others = [("counters", "counters"), ("task_queue", "jobs")];
    for (name, kind) in tables.chain(journals).chain(others) {
        if kept(name)? {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

fn fill(
    connection: &Connection,
    location: &Location,
    runtime: &Handle,
    mut items: Items,
) -> Result<(), ArchiveError> {
    let mut checks = Checks::default();
    while let Some(item) = runtime.block_on(items.next()) {
        let item = item?;
        let place = checks.pass(&item)?;
        insert(connection, place, &item).map_err(|error| match Failure::from(error) {
            // What SQLite refuses is the item's fault: a key twice, a document that is no JSON.
            failure if failure.is_of_the_statement() => {
                ArchiveError::Malformed(failure.explain(location).to_string())
            }
            failure => failure.explain(location).into(),
        })?;
    }
    Ok(())
}

fn insert(connection: &Connection, place: Place, item: &Item) -> Sql<usize> {
    match (place, item) {
        (
            Place::Table(table),
            Item::Record {
                team,
                id,
                version,
                doc,
                ..
            },
        ) => {
            let sql = format!(
                "INSERT INTO {} (team, id, version, doc) VALUES (?1, ?2, ?3, ?4)",
                table.name
            );
            run(connection, &sql, (team.as_str(), id, signed(*version), doc))
        }
        (
            Place::Journal(journal),
            Item::Entry {
                team,
                id,
                seq,
                entry,
                ..
            },
        ) => {
            let sql = format!(
                "INSERT INTO {} (team, id, seq, entry) VALUES (?1, ?2, ?3, ?4)",
                journal.name
            );
            run(connection, &sql, (team.as_str(), id, signed(*seq), entry))
        }
        (_, Item::Counter { team, id, value }) => {
            let sql = "INSERT INTO counters (team, id, value) VALUES (?1, ?2, ?3)";
            run(connection, sql, (team.as_str(), id, value))
        }
        (_, Item::Job(job)) => enqueue(connection, job),
        _ => Ok(0),
    }
}

/// With a lease that ran out in 1970, where it had one; blocked by what came before it.
fn enqueue(connection: &Connection, job: &ArchivedJob) -> Sql<usize> {
    let sql = "INSERT INTO task_queue
            (id, team, name, lane, serial, priority, payload, due, attempts, epoch, lease_until, last_error, set_aside, blocked)
        VALUES (:id, :team, :name, :lane, :serial, :priority, :payload, :due, :attempts, :epoch, :lease, :error, :aside,
            NOT :aside AND EXISTS (SELECT 1 FROM task_queue WHERE serial = :serial AND set_aside = 0))";
    let row = rusqlite::named_params! {
        ":id": job.id.as_str(), ":team": job.team.as_str(), ":name": job.name, ":lane": job.lane, ":serial": job.serial,
        ":priority": job.priority as i64, ":payload": job.payload, ":due": job.due.0, ":attempts": job.attempts,
        ":epoch": signed(job.epoch), ":lease": job.leased.then_some(0), ":error": job.last_error, ":aside": job.set_aside,
    };
    run(connection, sql, row)
}

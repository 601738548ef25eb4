//! The schema's versions, embedded. `migrations/README.md` says how to add one.

use crate::{error::Failure, open::Location};
use domain::Digest;
use ports::store::StoreError;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

struct Migration {
    id: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 6] = [
    Migration {
        id: 1,
        name: "0001_kernel",
        sql: include_str!("../../../migrations/sqlite/0001_kernel.sql"),
    },
    Migration {
        id: 2,
        name: "0002_budgets",
        sql: include_str!("../../../migrations/sqlite/0002_budgets.sql"),
    },
    Migration {
        id: 3,
        name: "0003_knowledge",
        sql: include_str!("../../../migrations/sqlite/0003_knowledge.sql"),
    },
    Migration {
        id: 4,
        name: "0004_agents",
        sql: include_str!("../../../migrations/sqlite/0004_agents.sql"),
    },
    Migration {
        id: 5,
        name: "0005_skills",
        sql: include_str!("../../../migrations/sqlite/0005_skills.sql"),
    },
    Migration {
        id: 6,
        name: "0006_mcp",
        sql: include_str!("../../../migrations/sqlite/0006_mcp.sql"),
    },
];

/// The newest version that this program knows.
pub const KNOWN: i64 = MIGRATIONS[MIGRATIONS.len() - 1].id;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_at TEXT NOT NULL
) STRICT";

/// Applies what is missing, all of it in one transaction: several processes that start at once take turns.
///
/// # Errors
/// [`StoreError::NewerSchema`]; [`StoreError::CannotWrite`] when a migration was another text when it was applied.
pub fn up(connection: &mut Connection, location: &Location) -> Result<i64, StoreError> {
    let failed = |e: rusqlite::Error| Failure::from(e).explain(location);
    // Without the lock first: usually there is nothing to do.
    if version(connection, location)? == KNOWN {
        check(connection, location)?;
        return Ok(KNOWN);
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    transaction.execute_batch(TABLE).map_err(failed)?;
    check(&transaction, location)?;
    let applied = version(&transaction, location)?;
    for migration in MIGRATIONS.iter().filter(|m| m.id > applied) {
        transaction.execute_batch(migration.sql).map_err(failed)?;
        let row = (migration.id, migration.name, digest(migration));
        let insert = "INSERT INTO schema_migrations VALUES (?1, ?2, ?3, datetime())";
        transaction.execute(insert, row).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(KNOWN)
}

/// The newest version that was applied, 0 when there is none.
///
/// # Errors
/// [`StoreError::NewerSchema`] when this program doesn't know it.
pub fn version(connection: &Connection, location: &Location) -> Result<i64, StoreError> {
    let look = || -> Result<i64, rusqlite::Error> {
        let table = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'";
        if connection
            .query_row(table, [], |_| Ok(()))
            .optional()?
            .is_none()
        {
            return Ok(0);
        }
        let newest = "SELECT coalesce(max(id), 0) FROM schema_migrations";
        connection.query_row(newest, [], |row| row.get(0))
    };
    match look().map_err(|e| Failure::from(e).explain(location))? {
        found if found > KNOWN => Err(StoreError::NewerSchema {
            found,
            known: KNOWN,
        }),
        found => Ok(found),
    }
}

/// What was applied is what we have: a migration is never changed once it is out.
fn check(connection: &Connection, location: &Location) -> Result<(), StoreError> {
    for migration in &MIGRATIONS {
        let sql = "SELECT digest FROM schema_migrations WHERE id = ?1";
        let found: Option<String> = connection
            .query_row(sql, [migration.id], |row| row.get(0))
            .optional()
            .map_err(|e| Failure::from(e).explain(location))?;
        if found.is_some_and(|found| found != digest(migration)) {
            return Err(StoreError::CannotWrite(format!(
                "{} was made with another text of the migration {} than this program's: use the program that made it, or another file",
                location.path.display(),
                migration.name
            )));
        }
    }
    Ok(())
}

fn digest(migration: &Migration) -> String {
    Digest::of_bytes(migration.sql).as_str().to_owned()
}

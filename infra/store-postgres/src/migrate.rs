//! The schema's versions, embedded. `migrations/README.md` says how to add one.

use crate::{address::Address, error::Failure};
use domain::Digest;
use ports::store::StoreError;
use sqlx::{Connection, PgConnection};

struct Migration {
    id: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 6] = [
    Migration {
        id: 1,
        name: "0001_kernel",
        sql: include_str!("../../../migrations/postgres/0001_kernel.sql"),
    },
    Migration {
        id: 2,
        name: "0002_budgets",
        sql: include_str!("../../../migrations/postgres/0002_budgets.sql"),
    },
    Migration {
        id: 3,
        name: "0003_knowledge",
        sql: include_str!("../../../migrations/postgres/0003_knowledge.sql"),
    },
    Migration {
        id: 4,
        name: "0004_agents",
        sql: include_str!("../../../migrations/postgres/0004_agents.sql"),
    },
    Migration {
        id: 5,
        name: "0005_skills",
        sql: include_str!("../../../migrations/postgres/0005_skills.sql"),
    },
    Migration {
        id: 6,
        name: "0006_mcp",
        sql: include_str!("../../../migrations/postgres/0006_mcp.sql"),
    },
];

/// The newest version that this program knows.
pub const KNOWN: i64 = MIGRATIONS[MIGRATIONS.len() - 1].id;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    id bigint PRIMARY KEY, name text NOT NULL, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)";
/// Two processes that both find no table would both make it.
const TURN: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('countersign migrations', 0))::text";

/// Applies what is missing, all of it in one transaction: several processes that start at once take turns.
///
/// # Errors
/// [`StoreError::NewerSchema`]; [`StoreError::CannotWrite`] when a migration was another text when it was applied.
pub async fn up(address: &Address) -> Result<i64, StoreError> {
    let mut connection = address.connect().await?;
    let done = missing(&mut connection, address).await;
    // Whatever came of it, nothing more is asked of this connection.
    let _ = connection.close().await;
    done
}

async fn missing(connection: &mut PgConnection, address: &Address) -> Result<i64, StoreError> {
    let failed = |e: sqlx::Error| Failure::from(e).explain(address);
    encoding(connection, address).await?;
    // Without the lock first: usually there is nothing to do.
    if version(connection, address).await? == KNOWN {
        check(connection, address).await?;
        return Ok(KNOWN);
    }
    let mut transaction = connection.begin().await.map_err(failed)?;
    for sql in [TURN, TABLE] {
        let done = sqlx::query(sql).execute(&mut *transaction).await;
        done.map_err(failed)?;
    }
    check(&mut transaction, address).await?;
    let applied = version(&mut transaction, address).await?;
    for migration in MIGRATIONS.iter().filter(|m| m.id > applied) {
        let done = sqlx::raw_sql(migration.sql).execute(&mut *transaction);
        done.await.map_err(failed)?;
        let insert = "INSERT INTO schema_migrations (id, name, digest) VALUES ($1, $2, $3)";
        let row = sqlx::query(insert)
            .bind(migration.id)
            .bind(migration.name)
            .bind(digest(migration));
        row.execute(&mut *transaction).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)?;
    Ok(KNOWN)
}

/// Texts come from everywhere in the world, and keys compare as the bytes of UTF-8.
async fn encoding(connection: &mut PgConnection, address: &Address) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(connection)
        .await
        .map_err(|e| Failure::from(e).explain(address))?;
    match found.as_str() {
        "UTF8" => Ok(()),
        other => Err(StoreError::CannotWrite(format!(
            "{address} has the encoding {other}: make another one with `createdb --template=template0 --encoding=UTF8`"
        ))),
    }
}

/// The newest version that was applied, 0 when there is none.
///
/// # Errors
/// [`StoreError::NewerSchema`] when this program doesn't know it.
pub async fn version(connection: &mut PgConnection, address: &Address) -> Result<i64, StoreError> {
    let mut look = async || -> Result<i64, sqlx::Error> {
        let table = "SELECT to_regclass('schema_migrations') IS NOT NULL";
        if !sqlx::query_scalar(table)
            .fetch_one(&mut *connection)
            .await?
        {
            return Ok(0);
        }
        let newest = "SELECT coalesce(max(id), 0) FROM schema_migrations";
        sqlx::query_scalar(newest).fetch_one(&mut *connection).await
    };
    match look().await.map_err(|e| other_tables(e, address))? {
        found if found > KNOWN => Err(StoreError::NewerSchema {
            found,
            known: KNOWN,
        }),
        found => Ok(found),
    }
}

/// Other programs call a table `schema_migrations` as well.
fn other_tables(error: sqlx::Error, address: &Address) -> StoreError {
    match Failure::from(error).explain(address) {
        StoreError::Rejected(error) => StoreError::CannotWrite(format!(
            "{address} has another program's tables ({error}): give this one a database of its own"
        )),
        other => other,
    }
}

/// What was applied is what we have: a migration is never changed once it is out.
async fn check(connection: &mut PgConnection, address: &Address) -> Result<(), StoreError> {
    for migration in &MIGRATIONS {
        let found: Option<String> =
            sqlx::query_scalar("SELECT digest FROM schema_migrations WHERE id = $1")
                .bind(migration.id)
                .fetch_optional(&mut *connection)
                .await
                .map_err(|e| other_tables(e, address))?;
        if found.is_some_and(|found| found != digest(migration)) {
            return Err(StoreError::CannotWrite(format!(
                "{address} was made with another text of the migration {} than this program's: use the program that made it, or another database",
                migration.name
            )));
        }
    }
    Ok(())
}

fn digest(migration: &Migration) -> String {
    Digest::of_bytes(migration.sql).as_str().to_owned()
}

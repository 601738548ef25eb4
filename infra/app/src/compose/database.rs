//! The one place where it matters which database it is: opened here, and everything else sees the ports.

use super::BadStart;
use crate::{
    clock::SystemClock,
    config::{Config, Database},
    wake::Bells,
};
use blob_fs::FsBlobs;
use ports::{Archive, Blobs, Store, Wake, store::StoreError};
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};
use store_postgres::{Notices, PostgresStore};
use store_sqlite::SqliteStore;

/// Between two looks at a server's clock. Within that, clocks drift by less than a millisecond.
const HEAR_AGAIN: Duration = Duration::from_secs(30);

/// An open database.
pub enum Opened {
    Sqlite(SqliteStore),
    Postgres(Box<PostgresStore>),
    #[cfg(feature = "aws")]
    DynamoDb(Box<store_dynamodb::DynamoStore>),
}

impl Opened {
    /// Opens the database and brings its schema up to date. Of files, it makes what is missing; a server's database has to be there.
    ///
    /// # Errors
    /// What the store answers: not writable, locked, damaged, of a newer program, not reachable.
    pub async fn open(config: &Config) -> Result<Self, StoreError> {
        Ok(match &config.database {
            Database::Sqlite(path) => {
                let options = store_sqlite::Options::default();
                Self::Sqlite(SqliteStore::open(&path.to_string_lossy(), options).await?)
            }
            Database::Postgres { url, .. } => {
                let options = store_postgres::Options::default();
                let store = PostgresStore::open(url.expose_secret(), options).await?;
                Self::Postgres(Box::new(store))
            }
            #[cfg(feature = "aws")]
            Database::DynamoDb(table) => {
                Self::DynamoDb(Box::new(super::aws::store(config, table).await?))
            }
        })
    }

    #[must_use]
    pub fn store(&self) -> &dyn Store {
        match self {
            Self::Sqlite(store) => store,
            Self::Postgres(store) => &**store,
            #[cfg(feature = "aws")]
            Self::DynamoDb(store) => &**store,
        }
    }

    #[must_use]
    pub fn archive(&self) -> &dyn Archive {
        match self {
            Self::Sqlite(store) => store,
            Self::Postgres(store) => &**store,
            #[cfg(feature = "aws")]
            Self::DynamoDb(store) => &**store,
        }
    }

    #[must_use]
    pub fn shared(self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store),
            Self::Postgres(store) => Arc::new(*store),
            #[cfg(feature = "aws")]
            Self::DynamoDb(store) => Arc::new(*store),
        }
    }

    /// Waits until what was asked is done and the connections are closed.
    pub async fn close(self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
            // A request is over when it was answered.
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => {}
        }
    }
}

/// The schema's version, changing nothing: `None` when there is no schema yet.
///
/// # Errors
/// As [`Opened::open`].
pub async fn schema(config: &Config) -> Result<Option<i64>, StoreError> {
    let found = match &config.database {
        Database::Sqlite(path) => SqliteStore::schema_version(&path.to_string_lossy())?,
        Database::Postgres { url, .. } => {
            Some(PostgresStore::schema_version(url.expose_secret()).await?)
        }
        // A table has no schema but its keys; whether this program knows them is found out by opening it.
        #[cfg(feature = "aws")]
        Database::DynamoDb(table) => {
            super::aws::store(config, table).await?;
            Some(known())
        }
    };
    Ok(found.filter(|version| *version > 0))
}

/// Brings the schema up to date and answers its version.
///
/// # Errors
/// As [`Opened::open`].
pub async fn migrate(config: &Config) -> Result<i64, StoreError> {
    match &config.database {
        Database::Sqlite(path) => SqliteStore::migrate(&path.to_string_lossy()),
        Database::Postgres { url, .. } => PostgresStore::migrate(url.expose_secret()).await,
        #[cfg(feature = "aws")]
        Database::DynamoDb(table) => super::aws::store(config, table).await.map(|_| known()),
    }
}

/// The schema that this program knows. Every database has the same versions.
#[must_use]
pub fn known() -> i64 {
    SqliteStore::known_version()
}

/// Where large bytes go: a directory, or what is there for everybody who has the database.
///
/// # Errors
/// [`BadStart`] when it is not said where.
pub async fn blobs(config: &Config) -> Result<Arc<dyn Blobs>, BadStart> {
    #[cfg(feature = "aws")]
    if let Database::DynamoDb(_) = &config.database {
        return super::aws::blobs(config).await;
    }
    Ok(Arc::new(FsBlobs::new(config.home.join("blobs"))))
}

/// Bells in this process; on a server also those of the others on it.
///
/// # Errors
/// [`BadStart`] when the URL is none.
pub async fn wake(config: &Config) -> Result<Arc<dyn Wake>, BadStart> {
    let bells = Arc::new(Bells::default());
    match &config.database {
        Database::Sqlite(_) => Ok(bells),
        Database::Postgres { url, .. } => match Notices::start(url.expose_secret(), bells) {
            Ok(notices) => Ok(Arc::new(notices)),
            Err(error) => Err(unusable(&error)),
        },
        #[cfg(feature = "aws")]
        Database::DynamoDb(_) => Ok(super::aws::wake(config, bells).await),
    }
}

/// Where several machines work on a server, its clock is everybody's: heard now, and again and again.
///
/// # Errors
/// [`BadStart`] when the server can't be asked.
pub async fn keep_time(opened: &Opened, clock: &Arc<SystemClock>) -> Result<(), BadStart> {
    let store = match opened {
        Opened::Sqlite(_) => return Ok(()),
        Opened::Postgres(store) => store,
        #[cfg(feature = "aws")]
        Opened::DynamoDb(store) => {
            super::aws::keep_time(store, clock);
            return Ok(());
        }
    };
    let store = (**store).clone();
    let now = store.now().await.map_err(|error| unusable(&error))?;
    if let Some(apart) = clock.hear(now) {
        tracing::warn!(
            seconds = apart.as_secs(),
            "this machine's clock differs from the database server's, which is used"
        );
    }
    let clock = Arc::downgrade(clock);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(HEAR_AGAIN).await;
            // While the server is away, time goes on from what it said last.
            let heard = store.now().await;
            let Some(clock) = clock.upgrade() else { return };
            if let Ok(now) = heard {
                clock.hear(now);
            }
        }
    });
    Ok(())
}

/// In the words of a process that can't start.
#[must_use]
pub fn unusable(error: &StoreError) -> BadStart {
    BadStart(format!("The database cannot be used: {error}."))
}

//! Where the database is, and connections to it.

use crate::{Options, Synchronous, error::Failure};
use ports::store::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sqlx::sqlite::SqliteConnectOptions;
use std::{
    path::PathBuf,
    str::FromStr,
    time::{Duration, Instant},
};

#[derive(Clone, Debug)]
pub struct Location {
    pub path: PathBuf,
}

/// Statements that stay prepared per connection; there are some four per table.
const STATEMENTS: usize = 256;

impl Location {
    /// A path, or a `sqlite:` URL of a file.
    pub fn parse(database: &str) -> Result<Self, StoreError> {
        let path = match database.starts_with("sqlite:") {
            false => PathBuf::from(database),
            true => SqliteConnectOptions::from_str(database)
                .map_err(|e| StoreError::CannotWrite(format!("{database} is no address: {e}")))?
                .get_filename()
                .to_path_buf(),
        };
        let text = path.to_string_lossy();
        if text.is_empty() || text.contains(":memory:") || text.contains("sqlx-in-memory") {
            let text = "a database in memory would be gone with its connection: name a file";
            return Err(StoreError::CannotWrite(text.to_owned()));
        }
        Ok(Self { path })
    }
}

/// The connection that writes. Makes the file if need be.
pub fn writer(location: &Location, options: &Options) -> Result<Connection, StoreError> {
    let open = || -> Result<Connection, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&location.path, flags)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.busy_timeout(options.busy_timeout)?;
        write_ahead(&connection, options.busy_timeout)?;
        connection.pragma_update(
            None,
            "synchronous",
            match options.synchronous {
                Synchronous::Full => "FULL",
                Synchronous::Off => "OFF",
            },
        )?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // KiB, as SQLite has it: a negative number. Room for the pages that many runs at once append to.
        connection.pragma_update(None, "cache_size", -8192)?;
        // In bytes. After a burst the log is cut down to this again.
        connection.pragma_update(None, "journal_size_limit", 32 * 1024 * 1024)?;
        if let Some(pages) = options.max_pages {
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        Ok(connection)
    };
    open().map_err(|e| Failure::from(e).explain(location))
}

/// Switches to the write-ahead log. SQLite doesn't wait for its turn to do that, as it does otherwise, so two processes that
/// make the same file at once would disturb each other.
fn write_ahead(connection: &Connection, patience: Duration) -> Result<(), rusqlite::Error> {
    let began = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && began.elapsed() < patience =>
            {
                std::thread::sleep(Duration::from_millis(2));
            }
            other => return other,
        }
    }
}

/// A connection that changes nothing, for a look at the schema.
pub fn reader(location: &Location) -> Result<Connection, StoreError> {
    let open = || -> Result<Connection, rusqlite::Error> {
        let connection =
            Connection::open_with_flags(&location.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(connection)
    };
    open().map_err(|e| Failure::from(e).explain(location))
}

/// What the pool opens its connections with.
pub fn pooled(location: &Location, options: &Options) -> SqliteConnectOptions {
    use sqlx::ConnectOptions;
    SqliteConnectOptions::new()
        .filename(&location.path)
        .read_only(true)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}

//! Which server and database a URL means, and how people are told of it: never with the password.

use ports::store::StoreError;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{fmt, str::FromStr, time::Duration};

/// For people: what the server's list of connections shows.
const NAME: &str = "countersign";
/// Statements that stay prepared per connection; there are some four per table.
const STATEMENTS: usize = 256;
/// How long one connection outside of the pool may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Address {
    options: PgConnectOptions,
}

impl Address {
    /// A `postgres://` URL, as libpq has it.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], without the text, because a password is in it.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            let form = "postgres://user:password@host:port/database";
            StoreError::CannotWrite(format!(
                "the database's URL is none: it has the form {form}"
            ))
        })?;
        let options = match options.get_application_name() {
            None => options.application_name(NAME),
            Some(_) => options,
        };
        let options = options
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        Ok(Self { options })
    }

    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// A connection of its own, outside of every pool.
    ///
    /// # Errors
    /// As [`crate::PostgresStore::open`].
    pub async fn connect(&self) -> Result<PgConnection, StoreError> {
        let connecting = PgConnection::connect_with(&self.options);
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(crate::error::Failure::from(error).explain(self)),
            Err(_) => Err(StoreError::Unavailable(format!(
                "{self} does not answer: is the server running, and reachable from here?"
            ))),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let database = options.get_database().unwrap_or(options.get_username());
        match options.get_socket() {
            Some(socket) => write!(f, "PostgreSQL's {database} in {}", socket.display()),
            None => write!(
                f,
                "PostgreSQL's {database} on {}:{}",
                options.get_host(),
                options.get_port()
            ),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

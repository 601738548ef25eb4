//! PostgreSQL's error codes in the words of the port, and what a person is to do about them.

use crate::address::Address;
use ports::store::{Rejected, StoreError};

/// Why an attempt ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// The port's own answer: a conflict, a refusal. Another attempt would give the same.
    Answer(StoreError),
    Broken(Failure),
}

#[derive(Debug)]
pub struct Failure {
    /// SQLSTATE, five characters; empty when it is not the server that says something.
    code: String,
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Two transactions were in each other's way, and this one was undone.
    Crossed,
    /// The connection is gone, or there is none: nobody knows what came of a commit.
    Lost,
    Other,
}

impl Failure {
    /// A transaction that was undone, or may have been: with the id of its commit it can be repeated.
    pub fn is_passing(&self) -> bool {
        self.kind != Kind::Other
    }

    pub fn is_lost(&self) -> bool {
        self.kind == Kind::Lost
    }

    /// What the statement itself is to blame for: a value that no column takes, a key twice.
    pub fn is_of_the_statement(&self) -> bool {
        ["22", "23", "54"].contains(&self.class())
    }

    pub fn crossed(text: &str) -> Self {
        Self {
            code: String::new(),
            text: text.to_owned(),
            kind: Kind::Crossed,
        }
    }

    pub fn lost(text: &str) -> Self {
        Self {
            kind: Kind::Lost,
            ..Self::crossed(text)
        }
    }

    fn class(&self) -> &str {
        self.code.get(..2).unwrap_or_default()
    }

    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    pub fn explain(&self, address: &Address) -> StoreError {
        let text = &self.text;
        match (self.class(), self.code.as_str()) {
            ("28", _) => StoreError::CannotWrite(format!(
                "{address} refuses the user ({text}): check the user and the password in the database's URL"
            )),
            (_, "3D000") => StoreError::CannotWrite(format!(
                "there is no such database on the server ({address}): make it with `createdb`, or name another one in the database's URL"
            )),
            (_, "42501") => StoreError::CannotWrite(format!(
                "the user may not do that in {address} ({text}): make it the owner of the database"
            )),
            (_, "3F000") => StoreError::CannotWrite(format!(
                "{address} has no schema for the tables ({text}): make one, or name another search_path in the database's URL"
            )),
            (_, "53100") => StoreError::CannotWrite(format!(
                "the disk of {address} is full: make room there; nothing that was answered is lost, and work goes on by itself"
            )),
            (_, "25006") => StoreError::CannotWrite(format!(
                "{address} may only be read ({text}): name the primary server in the database's URL, or make it writable"
            )),
            (_, "42P01" | "42703") => StoreError::CannotWrite(format!(
                "{address} has other tables than this program's ({text}): give it a database of its own, or put a backup in its place"
            )),
            (_, "53300") => StoreError::Unavailable(format!(
                "{address} has no connection left ({text}): raise its max_connections, or run fewer processes on it"
            )),
            ("XX", _) => StoreError::Corrupt(format!(
                "{address} is damaged ({text}): put a backup in its place"
            )),
            ("22" | "23" | "42" | "54", code) => StoreError::Rejected(Rejected::Malformed(
                format!("PostgreSQL refuses it ({code}: {text})"),
            )),
            (_, "") => StoreError::Unavailable(format!("{address}: {text}")),
            (_, code) => {
                StoreError::Unavailable(format!("{address}: {text} (PostgreSQL's code {code})"))
            }
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let (code, text) = match &error {
            sqlx::Error::Database(inside) => (
                inside.code().unwrap_or_default().into_owned(),
                inside.message().to_owned(),
            ),
            sqlx::Error::PoolTimedOut => (
                String::new(),
                "no connection in time: the server is not reachable, or all of this program's connections are busy".to_owned(),
            ),
            _ => (String::new(), error.to_string()),
        };
        let kind = match (code.get(..2).unwrap_or_default(), code.as_str()) {
            (_, "40001" | "40P01") => Kind::Crossed,
            // An administrator or a crash ended the session; it starts; it waited too long in mid-transaction or for a lock.
            ("08", _)
            | (_, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "55P03" | "53300") => {
                Kind::Lost
            }
            ("", _) => of_the_connection(&error),
            _ => Kind::Other,
        };
        Self { code, text, kind }
    }
}

fn of_the_connection(error: &sqlx::Error) -> Kind {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::BeginFailed => Kind::Lost,
        _ => Kind::Other,
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

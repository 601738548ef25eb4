//! SQLite's result codes in the words of the port, and what a person is to do about them.

use crate::open::Location;
use ports::store::StoreError;

/// An error that all of a group share.
#[derive(Clone, Debug)]
pub struct Failure {
    /// SQLite's primary result code.
    code: i32,
    text: String,
}

// <https://sqlite.org/rescode.html>
const ERROR: i32 = 1;
const PERM: i32 = 3;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const AUTH: i32 = 23;
const NOTADB: i32 = 26;

impl Failure {
    /// What the statement itself is to blame for; the next batch may do better.
    pub fn is_of_the_statement(&self) -> bool {
        matches!(self.code, ERROR | TOOBIG | CONSTRAINT | MISMATCH)
    }

    pub fn explain(&self, location: &Location) -> StoreError {
        let path = location.path.display();
        let text = &self.text;
        match self.code {
            BUSY | LOCKED => StoreError::Unavailable(format!(
                "another process keeps {path} locked ({text}); try again, or find out which one has it open"
            )),
            FULL => StoreError::CannotWrite(format!(
                "the disk of {path} is full: make room there; nothing that was answered is lost, and work goes on by itself"
            )),
            READONLY | PERM | AUTH => StoreError::CannotWrite(format!(
                "{path} may only be read ({text}): make the file and its directory writable for the user that runs this program"
            )),
            CANTOPEN => StoreError::CannotWrite(format!(
                "{path} can't be opened ({text}): its directory must exist and be writable for the user that runs this program"
            )),
            CORRUPT | NOTADB => StoreError::Corrupt(format!(
                "{path} is damaged, or no SQLite database ({text}): move it away, or put a backup in its place"
            )),
            code if self.is_of_the_statement() => StoreError::Rejected(
                ports::store::Rejected::Malformed(format!("SQLite refuses it ({code}: {text})")),
            ),
            code => StoreError::Unavailable(format!("{path}: {text} (SQLite's code {code})")),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let code = error
            .sqlite_error()
            .map_or(ERROR, |error| error.extended_code & 0xff);
        Self {
            code,
            text: error.to_string(),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(inside) => inside
                .code()
                .and_then(|code| code.parse::<i32>().ok())
                .map_or(ERROR, |code| code & 0xff),
            // No free connection in time, or the pool is closed: nothing is wrong with the statement.
            _ => -1,
        };
        Self {
            code,
            text: error.to_string(),
        }
    }
}

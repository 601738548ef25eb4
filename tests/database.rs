//! Where the tests' programs keep their records: a file in the data directory, or a schema of their own on a PostgreSQL server. The
//! same conversations go through with either; `cargo xtask test` says with which.

use rusqlite::Connection;
use serde_json::Value;
use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store_postgres::Scratch;

/// The PostgreSQL server on which each test makes a schema of its own: `cargo xtask test` starts it and says where.
pub fn postgres_server() -> String {
    match std::env::var("COUNTERSIGN_TEST_POSTGRES") {
        Ok(url) => url,
        Err(_) => panic!(
            "COUNTERSIGN_TEST_POSTGRES is not set: run `cargo xtask test`, or start a server and set it."
        ),
    }
}

#[derive(Clone)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(Arc<Scratch>),
}

impl Database {
    /// Of a program with this data directory: a file in it, unless `COUNTERSIGN_TEST_STORE` says `postgres`.
    pub fn of(home: &Path) -> Self {
        match std::env::var("COUNTERSIGN_TEST_STORE").as_deref() {
            Ok("postgres") => Self::postgres(),
            Ok(other) => panic!("COUNTERSIGN_TEST_STORE: there is no store {other}"),
            Err(_) => Self::Sqlite(home.join("data/countersign.db")),
        }
    }

    /// An empty schema on the server.
    pub fn postgres() -> Self {
        Self::postgres_at(&postgres_server())
    }

    /// An empty schema on the server of that URL.
    pub fn postgres_at(server: &str) -> Self {
        Self::Postgres(Arc::new(wait(Scratch::make(server)).unwrap()))
    }

    /// What the program has to be told, unless it finds the database by itself.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(scratch) => Some(scratch.url()),
        }
    }

    /// Executes SQL beside the program; how many rows it changed.
    pub fn execute(&self, sql: &str) -> u64 {
        match self {
            Self::Sqlite(path) => open(path).execute(sql, []).unwrap() as u64,
            Self::Postgres(scratch) => wait(scratch.execute(sql)).unwrap(),
        }
    }

    /// The first column of each row.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(path) => {
                let sql = format!(
                    "WITH asked (first) AS (SELECT * FROM ({sql})) SELECT CAST(coalesce(first, '') AS TEXT) FROM asked"
                );
                let database = open(path);
                let mut statement = database.prepare(&sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Self::Postgres(scratch) => wait(scratch.ask(sql)).unwrap(),
        }
    }

    pub fn number(&self, sql: &str) -> i64 {
        let found = self.texts(sql);
        let [number] = &found[..] else {
            panic!("{sql}: {found:?}")
        };
        number.parse().unwrap()
    }

    /// Changes the documents of a table that fulfil a condition; how many there were.
    pub fn edit(&self, table: &str, condition: &str, change: impl Fn(&mut Value)) -> usize {
        let docs = self.texts(&format!("SELECT doc FROM {table} WHERE {condition}"));
        for before in &docs {
            let mut after: Value = serde_json::from_str(before).unwrap();
            change(&mut after);
            let [before, after] = [before, &after.to_string()].map(|doc| doc.replace('\'', "''"));
            let update = format!(
                "UPDATE {table} SET version = version + 1, doc = '{after}' WHERE doc = '{before}'"
            );
            assert_eq!(self.execute(&update), 1);
        }
        docs.len()
    }
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}

/// On a thread of its own: a test's runtime is at work already.
fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

//! The SQLite store against the contract, and on its bad days.

mod contract;
mod failures;
mod processes;
mod schema;

use domain::{
    Micros,
    id::{CommitId, TeamId},
};
use ports::{
    repo::agents::AGENTS,
    store::{Batch, Expect, Key, Op},
};
use store_sqlite::{Options, Synchronous};
use testkit::contract::Broken;

/// Quick: tests don't lose power.
fn options() -> Options {
    Options {
        synchronous: Synchronous::Off,
        ..Options::default()
    }
}

/// A directory with the path of a database that isn't there yet.
fn place() -> Result<(tempfile::TempDir, String), Broken> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("test.db");
    let path = path.to_str().ok_or("a path that is no text")?.to_owned();
    Ok((directory, path))
}

fn key(id: &str) -> Key {
    Key {
        table: &AGENTS,
        team: TeamId::from("home"),
        id: id.to_owned(),
    }
}

/// Puts a new document of about so many bytes under the id, which is the commit's id as well.
fn create(id: &str, bytes: usize) -> Batch {
    let doc = format!(
        "{{\"name\":\"{id}\",\"system_prompt\":\"{}\"}}",
        "x".repeat(bytes)
    );
    let put = Op::Put {
        key: key(id),
        doc,
        expect: Expect::Absent,
    };
    Batch {
        id: CommitId::from(id),
        at: Micros(0),
        ops: vec![put],
    }
}

//! The PostgreSQL store against the contract, and on its bad days. `cargo xtask test` starts the server that
//! `COUNTERSIGN_TEST_POSTGRES` names; it says so where it can't, and leaves these tests out by name.

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
use store_postgres::{Options, PostgresStore, Scratch};
use testkit::contract::Broken;

fn server() -> Result<String, Broken> {
    let name = "COUNTERSIGN_TEST_POSTGRES";
    std::env::var(name)
        .map_err(|_| format!("{name} names no server: run `cargo xtask test`").into())
}

async fn scratch() -> Result<Scratch, Broken> {
    Ok(Scratch::make(&server()?).await?)
}

async fn store() -> Result<(PostgresStore, Scratch), Broken> {
    let scratch = scratch().await?;
    let store = PostgresStore::open(scratch.url(), Options::default()).await?;
    Ok((store, scratch))
}

fn key(id: &str) -> Key {
    Key {
        table: &AGENTS,
        team: TeamId::from("home"),
        id: id.to_owned(),
    }
}

/// Puts a new document under the id, which is the commit's id as well.
fn create(id: &str) -> Batch {
    let put = Op::Put {
        key: key(id),
        doc: "{\"name\":\"xxx\"}".to_owned(),
        expect: Expect::Absent,
    };
    Batch {
        id: CommitId::from(id),
        at: Micros(0),
        ops: vec![put],
    }
}

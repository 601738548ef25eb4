//! Where the tests' databases are, besides SQLite's files.

/// The PostgreSQL server on which each test makes a schema of its own: `cargo xtask test` starts it and says where.
pub fn postgres_server() -> String {
    match std::env::var("COUNTERSIGN_TEST_POSTGRES") {
        Ok(url) => url,
        Err(_) => panic!(
            "COUNTERSIGN_TEST_POSTGRES is not set: run `cargo xtask test`, or start a server and set it."
        ),
    }
}

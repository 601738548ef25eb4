//! Every promise of the port.

use crate::{options, place};
use ports::store::Store;
use std::sync::Arc;
use store_sqlite::SqliteStore;
use tempfile::TempDir;
use testkit::contract::Broken;

async fn make() -> Result<(Arc<dyn Store>, TempDir), Broken> {
    let (directory, path) = place()?;
    let store = SqliteStore::open(&path, options()).await?;
    Ok((Arc::new(store), directory))
}

testkit::store_contract!(make);

mod archive {
    use super::{Broken, SqliteStore, TempDir, options, place};
    use std::sync::Arc;
    use testkit::contract::archive::Store;

    async fn make() -> Result<(Store, TempDir), Broken> {
        let (directory, path) = place()?;
        let store = SqliteStore::open(&path, options()).await?;
        Ok((Arc::new(store), directory))
    }

    testkit::archive_contract!(make);
}

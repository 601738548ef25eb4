//! Every promise of the port.

use super::{client, emulator, options, table};
use std::sync::Arc;
use store_dynamodb::DynamoStore;
use testkit::contract::Broken;

async fn empty() -> Result<DynamoStore, Broken> {
    let client = client(&emulator()?);
    let table = table(&client).await?;
    Ok(DynamoStore::open(client, &table, options()).await?)
}

mod store {
    use super::{Arc, Broken, empty};

    async fn make() -> Result<(Arc<dyn ports::Store>, ()), Broken> {
        Ok((Arc::new(empty().await?), ()))
    }

    testkit::store_contract!(make);
}

mod archive {
    use super::{Arc, Broken, empty};
    use testkit::contract::archive::Store;

    async fn make() -> Result<(Store, ()), Broken> {
        Ok((Arc::new(empty().await?), ()))
    }

    testkit::archive_contract!(make);
}

//! Every promise of the port.

use super::{Scratch, store};
use std::sync::Arc;
use testkit::contract::Broken;

async fn make() -> Result<(Arc<dyn ports::Store>, Scratch), Broken> {
    let (store, scratch) = store().await?;
    Ok((Arc::new(store), scratch))
}

testkit::store_contract!(make);

mod archive {
    use super::{Broken, Scratch, store};
    use std::sync::Arc;
    use testkit::contract::archive::Store;

    async fn make() -> Result<(Store, Scratch), Broken> {
        let (store, scratch) = store().await?;
        Ok((Arc::new(store), scratch))
    }

    testkit::archive_contract!(make);
}

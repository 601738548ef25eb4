//! The item about the store itself: which generation of keys counts, and whether writing is held back.
//!
//! A *generation* is the first part of every key. An import fills a new one and makes it count with its last write, so half an
//! import is nowhere to be seen. DynamoDB has no snapshots to copy from, so an export *freezes* the store: whoever writes has
//! looked at this item within [`Options::look_every`](crate::Options), and waits while it says so. The exporter waits
//! until everybody must have looked, and until what was under way then has ended
//! ([`Options::settle`](crate::Options)), and beats as long as it copies; a freeze whose beat stands still is somebody's who died,
//! and is removed. Only durations are measured, so clocks need not agree.

use crate::{
    DynamoStore, error,
    item::{At, Expression, Item, Read, number, text},
    keys::Space,
};
use ports::store::StoreError;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What this program's keys and attributes are like.
pub const SCHEMA: i64 = 1;
/// How long a write waits for a copy before it answers `Unavailable`, which its caller repeats.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often whoever waits looks.
pub const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub struct Gate {
    /// Where to read. Readers never wait for writers.
    known: Mutex<Option<Space>>,
    /// When the last look began that found writing open. Who looks holds it; the others wait for what it finds.
    looked: tokio::sync::Mutex<Option<Instant>>,
    every: Duration,
}

/// Who holds back writing, and how often it said so.
#[derive(Clone, PartialEq, Debug)]
pub struct Freeze {
    pub by: String,
    pub beat: u64,
}

impl Gate {
    pub fn new(every: Duration) -> Self {
        Self {
            known: Mutex::new(None),
            looked: tokio::sync::Mutex::new(None),
            every,
        }
    }

    /// Where to read.
    pub async fn space(&self, store: &DynamoStore) -> Result<Space, StoreError> {
        let known = self.known().clone();
        match known {
            Some(space) => Ok(space),
            None => self.look(store).await.map(|(space, _)| space),
        }
    }

    /// Where to write, once nobody holds writing back.
    pub async fn open(&self, store: &DynamoStore) -> Result<Space, StoreError> {
        let mut looked = self.looked.lock().await;
        let fresh = looked.is_some_and(|at| at.elapsed() < self.every);
        let known = self.known().clone();
        if let Some(space) = known.filter(|_| fresh) {
            return Ok(space);
        }
        *looked = None;
        let begun = Instant::now();
        let mut beat: Option<(Freeze, Instant)> = None;
        loop {
            let at = Instant::now();
            let (space, freeze) = self.look(store).await?;
            let Some(freeze) = freeze else {
                *looked = Some(at);
                return Ok(space);
            };
            match &beat {
                Some((last, since)) if *last == freeze => {
                    if since.elapsed() > store.options.dead {
                        tracing::warn!(by = freeze.by, "a copy that died held writing back");
                        thaw(store, &freeze).await?;
                    }
                }
                _ => beat = Some((freeze, at)),
            }
            if begun.elapsed() > PATIENCE {
                return Err(StoreError::Unavailable(format!(
                    "the table {} is being copied, writing waits for that",
                    store.table
                )));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The next one looks.
    pub async fn forget(&self) {
        *self.looked.lock().await = None;
        *self.known() = None;
    }

    async fn look(&self, store: &DynamoStore) -> Result<(Space, Option<Freeze>), StoreError> {
        let found = look(store).await?;
        *self.known() = Some(found.0.clone());
        Ok(found)
    }

    fn known(&self) -> MutexGuard<'_, Option<Space>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place() -> At {
    At::new("store", "store")
}

/// The generation that counts, and who holds back writing. A table that has never been used is made ready.
async fn look(store: &DynamoStore) -> Result<(Space, Option<Freeze>), StoreError> {
    let item = match store.item(&place()).await? {
        Some(item) => item,
        None => begin(store).await?,
    };
    let found = item.number("schema")?;
    if found > SCHEMA {
        let known = SCHEMA;
        return Err(StoreError::NewerSchema { found, known });
    }
    let freeze = match item.optional("frozen_by") {
        Some(by) => Some(Freeze {
            by,
            beat: item.number("beat")?,
        }),
        None => None,
    };
    Ok((Space(Arc::from(item.text("generation")?)), freeze))
}

async fn begin(store: &DynamoStore) -> Result<Item, StoreError> {
    let mut item = place().item();
    item.insert("schema".to_owned(), number(SCHEMA));
    item.insert("generation".to_owned(), text("1"));
    let put = store
        .client
        .put_item()
        .table_name(&store.table)
        .set_item(Some(item.clone()))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await;
    match put {
        Err(failure)
            if !failure
                .as_service_error()
                .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
        {
            Err(error::explain(&failure, &store.table))
        }
        // Somebody else began at the same moment: the same way.
        _ => Ok(item),
    }
}

/// Holds back writing by others. False: somebody else does already. (Asked again after a lost answer, it is still this one's.)
pub async fn freeze(store: &DynamoStore, freeze: &Freeze) -> Result<bool, StoreError> {
    let mut change = Expression::default()
        .set("frozen_by", text(&freeze.by))
        .set("beat", number(freeze.beat));
    let (by, ours) = (change.name("frozen_by"), change.value(text(&freeze.by)));
    change.when(format!("attribute_not_exists({by}) OR {by} = {ours}"));
    store
        .change(&place(), &change)
        .await
        .map(|done| done.is_some())
}

/// Says that the freeze is still wanted. False: somebody has removed it.
pub async fn beat(store: &DynamoStore, freeze: &mut Freeze) -> Result<bool, StoreError> {
    freeze.beat += 1;
    let change = Expression::default()
        .set("beat", number(freeze.beat))
        .equal("frozen_by", text(&freeze.by));
    store
        .change(&place(), &change)
        .await
        .map(|done| done.is_some())
}

/// Lets the others write. What is not frozen by it any more stays as it is.
pub async fn thaw(store: &DynamoStore, freeze: &Freeze) -> Result<(), StoreError> {
    let change = Expression::default()
        .remove("frozen_by")
        .remove("beat")
        .equal("frozen_by", text(&freeze.by))
        .equal("beat", number(freeze.beat));
    store.change(&place(), &change).await.map(drop)
}

/// Another generation counts from now on, and writing goes on. False: the freeze was removed.
pub async fn turn_over(
    store: &DynamoStore,
    freeze: &Freeze,
    to: &Space,
) -> Result<bool, StoreError> {
    let change = Expression::default()
        .set("generation", text(&*to.0))
        .remove("frozen_by")
        .remove("beat")
        .equal("frozen_by", text(&freeze.by));
    if store.change(&place(), &change).await?.is_some() {
        return Ok(true);
    }
    // It may have been done by an attempt whose answer was lost.
    look(store).await.map(|(space, _)| space == *to)
}

//! The store on DynamoDB: one table, for cloud functions and whoever works beside them.
//!
//! **A commit is one `TransactWriteItems`** ([`commit`]): all of the batch, under conditions that answer what they met. A
//! record, a counter, an append need no read; operations that move jobs are planned on what is there ([`plan`]) and are
//! planned again when that changed. A transaction has 100 items at most, so `Batch::check` weighs batches for every store.
//!
//! **A record is one item**, with the keys of its indexes in it: the n-th index that its kind declares is the table's n-th generic
//! index, so a put costs one of the hundred, not one for each index. (Index entries as items of their own would be
//! consistent and have no limit in number, but a put would be up to seven items: old and new entries. Index reads may be stale
//! by the port's word, so there is nothing to be bought with that. A kind that declares a fourth index fails a test here and needs
//! a fourth generic one.) Indexes carry the whole record: one request a page.
//!
//! **A journal** is a head, which has its length, and items of consecutive entries.
//!
//! **A job** is one item. Its `turn` says where it stands in its lane, in an index of its own: ready (by priority, due time, age),
//! leased until, blocked, set aside. Claims, renewals and postponements move it by one conditional write each ([`claim`]).
//! Jobs of one serial key are a chain ([`plan`]). A job's age is its commit's id and its place in the batch: commit ids grow
//! with time, and where two processes' clocks disagree, the order within a serial key is the chain's, not the age's.
//!
//! **Nothing here is larger than DynamoDB's items** (400 KB): what is larger than 32 KiB never reaches a store
//! (`MAX_DOCUMENT_BYTES`); it is in the blob store, and named by its digest (`ports::blob::keep`).
//!
//! **Reads** by key, of a journal, a counter, a job or a commit id are strongly consistent; reads by index are not.

mod acts;
mod archive;
mod claim;
mod commit;
mod connect;
mod date;
mod error;
mod gate;
mod item;
mod keys;
mod plan;
mod query;
mod row;
mod table;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::ReturnValue};
use domain::{
    Micros,
    id::{CommitId, JobId},
};
use gate::Gate;
use item::{At, Expression, Item, Read};
use ports::store::{
    Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Page, Query, Record, Renewal,
    Store, StoreError,
};
use query::malformed;
use row::Row;
use std::time::Duration;

pub use connect::connect;

#[derive(Clone, Debug)]
pub struct Options {
    /// The oldest look at the store's own item that a write may rely on.
    pub look_every: Duration,
    /// How long an export waits, after it has held back writing, for writes that were under way: `look_every` and the longest
    /// that a request may take with all its attempts.
    pub settle: Duration,
    /// A copy that did not stir for so long has nobody behind it, and writing goes on.
    pub dead: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let look_every = Duration::from_secs(2);
        Self {
            look_every,
            settle: look_every + connect::LONGEST_REQUEST,
            dead: Duration::from_secs(15),
        }
    }
}

/// Clones are the same store.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    options: Options,
    gate: std::sync::Arc<Gate>,
    dates: date::Dates,
}

impl DynamoStore {
    /// Opens a table that was deployed before. Nothing has to be migrated: the schema is keys and attributes.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] when there is no such table, or the credentials don't allow it, [`StoreError::NewerSchema`],
    /// [`StoreError::Unavailable`].
    pub async fn open(client: Client, table: &str, options: Options) -> Result<Self, StoreError> {
        let dates = date::Dates::default();
        let config = client.config().to_builder().interceptor(dates.clone());
        let store = Self {
            client: Client::from_conf(config.build()),
            dates,
            table: table.to_owned(),
            gate: std::sync::Arc::new(Gate::new(options.look_every)),
            options,
        };
        store.gate.space(&store).await?;
        Ok(store)
    }

    /// Tells when answers were made, in whole seconds: of the latest one, and of each from now on. Who is told does not wait.
    pub fn on_answer(&self, tell: impl Fn(Micros) + Send + 'static) {
        self.dates.tell(Box::new(tell));
    }

    /// Makes the table that `migrations/dynamodb/table.json` defines, and waits until it can be used. For tests and emulators;
    /// a deployment's is made by its template.
    ///
    /// # Errors
    /// What DynamoDB answers, e.g. that it is there already.
    pub async fn create(client: &Client, table: &str) -> Result<(), StoreError> {
        table::create(client, table).await
    }

    /// The version of keys and attributes that this program knows.
    #[must_use]
    pub fn known_version() -> i64 {
        gate::SCHEMA
    }

    /// One item, strongly consistent.
    async fn item(&self, at: &At) -> Result<Option<Item>, StoreError> {
        let asked = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(at.item()))
            .consistent_read(true);
        let answer = asked
            .send()
            .await
            .map_err(|e| error::explain(&e, &self.table))?;
        Ok(answer.item)
    }

    /// One item's conditional change; `None` when the condition does not hold. Waits for transactions that are at the item.
    async fn change(&self, at: &At, change: &Expression) -> Result<Option<Item>, StoreError> {
        let mut attempt = 0;
        loop {
            let update = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(at.item()))
                .update_expression(change.update())
                .set_condition_expression(change.condition())
                .set_expression_attribute_names(change.names())
                .set_expression_attribute_values(change.values())
                .return_values(ReturnValue::AllNew);
            let failure = match update.send().await {
                Ok(done) => return Ok(done.attributes),
                Err(failure) => failure,
            };
            attempt += 1;
            match failure.as_service_error() {
                Some(e) if e.is_conditional_check_failed_exception() => return Ok(None),
                Some(e) if e.is_transaction_conflict_exception() && attempt < commit::ATTEMPTS => {
                    tokio::time::sleep(commit::pause(&at.pk, attempt)).await;
                }
                _ => return Err(error::explain(&failure, &self.table)),
            }
        }
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        self.write(&batch).await
    }

    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        let space = self.gate.space(self).await?;
        self.knows(&space, id).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let space = self.gate.space(self).await?;
        let found = self.item(&space.record(key)).await?;
        found.as_ref().map(query::record).transpose()
    }

    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        within("limit", query.limit, 1000)?;
        self.page(&query).await
    }

    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        within("limit", limit, 1000)?;
        self.entries(journal, from, limit).await
    }

    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        self.length(journal).await
    }

    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        let space = self.gate.space(self).await?;
        let found = self.item(&space.counter(key)).await?;
        found.map_or(Ok(0), |item| item.number("value"))
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        within("limit", claim.limit, 100)?;
        self.lease(&claim).await
    }

    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError> {
        self.prolong(job, epoch, until).await
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let space = self.gate.space(self).await?;
        let found = self.item(&space.job(id)).await?;
        found
            .map(|item| Row::read(&item).map(|row| row.job))
            .transpose()
    }

    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        self.depths(now).await
    }

    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError> {
        self.forget(before).await
    }
}

/// A limit of the port: 1 to `most`.
fn within(what: &str, given: u32, most: u32) -> Result<(), StoreError> {
    match (1..=most).contains(&given) {
        true => Ok(()),
        false => Err(malformed(&format!(
            "{what} {given}: it has to be 1 to {most}"
        ))),
    }
}

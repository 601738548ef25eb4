//! One batch, one `TransactWriteItems`.
//!
//! Its first part is the commit's id, put under the condition that it is new: a batch that was committed before is answered `Ok`,
//! whatever the rest would say. Every other part carries its own condition, and DynamoDB answers for each that failed the item
//! that it met, so a conflict is told without another read. A transaction that met another one, or was throttled, is
//! planned and sent again after a pause, some ten times.

use crate::{
    DynamoStore,
    acts::{self, Act, Meets},
    error::{self, Trouble},
    item::{At, Item, Read, Write, text},
    keys::{COMMIT_SHARDS, INDEXES, Space, hex},
    plan,
    row::Row,
};
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, DeleteRequest, TransactWriteItem, WriteRequest},
};
use domain::{Digest, Micros, id::CommitId};
use ports::store::{Batch, Conflict, ConflictReason, Rejected, StoreError};
use std::time::Duration;

/// Times that a transaction is sent before the answer is `Unavailable`.
pub const ATTEMPTS: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a batch was not written this time.
pub enum Stop {
    Conflict(Conflict),
    /// Somebody was faster at an item that the batch only touches in passing, or DynamoDB had no time: to be done again.
    Again(&'static str),
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl DynamoStore {
    pub(crate) async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut why = "";
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(pause(batch.id.as_str(), attempt)).await;
            }
            let space = self.gate.open(self).await?;
            match self.attempt(&space, batch, attempt).await {
                Ok(()) => return Ok(()),
                Err(Stop::Again(reason)) => why = reason,
                Err(Stop::Failed(error)) => return Err(error),
                // The jobs may be as they are because this very batch did it.
                Err(Stop::Conflict(conflict)) => {
                    return match self.knows(&space, &batch.id).await? {
                        true => Ok(()),
                        false => Err(StoreError::Conflict(conflict)),
                    };
                }
            }
            tracing::debug!(commit = %batch.id, attempt, why, "the transaction is sent again");
        }
        Err(StoreError::Unavailable(format!(
            "the table {} did not take the commit in {ATTEMPTS} attempts: {why}",
            self.table
        )))
    }

    pub(crate) async fn knows(&self, space: &Space, id: &CommitId) -> Result<bool, StoreError> {
        Ok(self.item(&space.commit(id)).await?.is_some())
    }

    async fn attempt(&self, space: &Space, batch: &Batch, attempt: u32) -> Result<(), Stop> {
        let mut acts = vec![acts::remember(space, batch)];
        for (number, op) in batch.ops.iter().enumerate() {
            acts.extend(acts::of(space, number, op));
        }
        acts.extend(plan::jobs(self, space, batch).await?);
        let writes: Result<Vec<TransactWriteItem>, StoreError> = acts
            .iter_mut()
            .map(|act| {
                let write = std::mem::replace(&mut act.write, Write::Check(At::new("", "")));
                write.action(&self.table, &act.expression)
            })
            .collect();
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes?))
            .client_request_token(token(&self.table, batch, attempt))
            .send()
            .await;
        let Err(failure) = sent else {
            return Ok(());
        };
        match failure.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                self.cancelled(&acts, cancelled.cancellation_reasons())
            }
            // The same id with other acts, or at this moment from elsewhere: the next attempt sees what came of it.
            Some(TransactWriteItemsError::IdempotentParameterMismatchException(_)) => {
                Err(Stop::Again("the commit was sent before"))
            }
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                Err(Stop::Again("the commit is under way"))
            }
            _ => Err(Stop::Failed(error::explain(&failure, &self.table))),
        }
    }

    fn cancelled(&self, acts: &[Act], reasons: &[CancellationReason]) -> Result<(), Stop> {
        let mut first: Option<Conflict> = None;
        let mut again = "another transaction was at the same items";
        for (act, reason) in acts.iter().zip(reasons) {
            match error::cancellation(reason.code()) {
                Trouble::None => {}
                Trouble::Busy(why) => again = why,
                Trouble::Refused => {
                    let text = reason.message().unwrap_or_default().to_owned();
                    return Err(StoreError::Rejected(Rejected::Malformed(text)).into());
                }
                Trouble::Condition => {
                    if matches!(act.meets, Meets::Committed) {
                        return Ok(());
                    }
                    let met = met(&act.meets, reason.item())?;
                    let earlier = |met: &Conflict| first.as_ref().is_none_or(|f| met.op < f.op);
                    first = met.filter(earlier).or(first);
                }
            }
        }
        Err(first.map_or(Stop::Again(again), Stop::Conflict))
    }

    /// Found by age, in each part of the index, and dropped in portions.
    pub(crate) async fn forget(&self, before: Micros) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for shard in 0..COMMIT_SHARDS {
            let space = self.gate.open(self).await?;
            let (pk, sk) = (INDEXES[0].pk, INDEXES[0].sk);
            let mut found = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEXES[0].name)
                .key_condition_expression("#p = :p AND #s < :s")
                .expression_attribute_names("#p", pk)
                .expression_attribute_names("#s", sk)
                .expression_attribute_values(":p", text(space.commits(shard)))
                .expression_attribute_values(":s", text(hex(before.0)))
                .into_paginator()
                .items()
                .send();
            let mut old = Vec::new();
            while let Some(item) = found.next().await {
                let item = item.map_err(|e| error::explain(&e, &self.table))?;
                old.push(At::new(item.text("pk")?, item.text("sk")?));
            }
            forgotten += old.len() as u64;
            self.delete(&old).await?;
        }
        Ok(forgotten)
    }

    /// Deletes items, 25 at a time, as many as DynamoDB takes in one request.
    pub(crate) async fn delete(&self, items: &[At]) -> Result<(), StoreError> {
        for some in items.chunks(25) {
            let requests = some.iter().map(|at| {
                let delete = DeleteRequest::builder().set_key(Some(at.item())).build();
                delete.map(|delete| WriteRequest::builder().delete_request(delete).build())
            });
            let requests: Result<Vec<WriteRequest>, _> = requests.collect();
            let mut left = requests.map_err(|e| StoreError::Unavailable(e.to_string()))?;
            let mut attempt = 0;
            while !left.is_empty() {
                if attempt == ATTEMPTS {
                    let table = &self.table;
                    return Err(StoreError::Unavailable(format!("{table} is throttled")));
                }
                if attempt > 0 {
                    tokio::time::sleep(pause("delete", attempt)).await;
                }
                attempt += 1;
                let sent = self
                    .client
                    .batch_write_item()
                    .request_items(&self.table, left);
                let sent = sent
                    .send()
                    .await
                    .map_err(|e| error::explain(&e, &self.table))?;
                let unprocessed = sent.unprocessed_items.unwrap_or_default();
                left = unprocessed.into_values().flatten().collect();
            }
        }
        Ok(())
    }
}

/// Longer each time, and different for each who waits, so that those who met don't meet again.
pub fn pause(of: &str, attempt: u32) -> Duration {
    let longest = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(attempt.min(10)));
    let digest = Digest::of_bytes(format!("{of}{attempt}"));
    let part = u32::from_str_radix(digest.as_str().get(..4).unwrap_or_default(), 16);
    longest * part.unwrap_or_default() / 0xffff
}

/// The same for the same request only: an account has one space of tokens, and a plan may differ from attempt to attempt.
/// 36 characters are allowed.
fn token(table: &str, batch: &Batch, attempt: u32) -> String {
    let digest = Digest::of_bytes(format!("{table} {attempt} {batch:?}"));
    digest.as_str().chars().take(36).collect()
}

/// Which conflict an act that failed stands for; `None`: the batch is to be planned again.
fn met(meets: &Meets, item: Option<&Item>) -> Result<Option<Conflict>, StoreError> {
    let number = |name: &str| item.map(|item| item.number::<u64>(name)).transpose();
    let conflict = |op: usize, reason| Ok(Some(Conflict { op, reason }));
    match meets {
        Meets::Version(op) => conflict(
            *op,
            ConflictReason::Version {
                found: number("version")?,
            },
        ),
        Meets::Position(op) => {
            let head = number("length")?.unwrap_or(0);
            conflict(*op, ConflictReason::Position { head })
        }
        Meets::Ceiling(op) => {
            let value = item
                .map(|item| item.number("value"))
                .transpose()?
                .unwrap_or(0);
            conflict(*op, ConflictReason::Ceiling { value })
        }
        Meets::Exists(op) => conflict(*op, ConflictReason::JobExists),
        Meets::Job(Some((op, epoch))) => {
            let row = item.map(Row::read).transpose()?;
            match row.is_some_and(|row| row.leased_under(*epoch)) {
                true => Ok(None),
                false => conflict(*op, ConflictReason::Fenced),
            }
        }
        Meets::Job(None) | Meets::Committed | Meets::Nothing => Ok(None),
    }
}

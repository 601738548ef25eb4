//! What a team in the cloud is put together from: DynamoDB, S3 and SQS.
//!
//! The futures of AWS clients are large and deep, so they are boxed: else every caller's would be, up to `main`.

use super::BadStart;
use crate::{clock::SystemClock, config::Config};
use blob_s3::S3Blobs;
use ports::{Blobs, Wake, store::StoreError};
use queue_sqs::SqsWake;
use std::sync::Arc;
use store_dynamodb::{DynamoStore, Options};

/// # Errors
/// What the store answers: no such table, not allowed, of a newer program, not reachable.
pub async fn store(config: &Config, table: &str) -> Result<DynamoStore, StoreError> {
    let client = store_dynamodb::connect(&shared(config).await);
    Box::pin(DynamoStore::open(client, table, Options::default())).await
}

/// The date of the table's answers is everybody's time.
pub fn keep_time(store: &DynamoStore, clock: &Arc<SystemClock>) {
    let clock = clock.clone();
    store.on_answer(move |made| clock.compare(made));
}

/// # Errors
/// [`BadStart`] when no bucket is named.
pub async fn blobs(config: &Config) -> Result<Arc<dyn Blobs>, BadStart> {
    let Some(bucket) = &config.cloud.bucket else {
        return Err(BadStart(
            "With a DynamoDB table, what is large goes into an S3 bucket: set COUNTERSIGN_BUCKET to its name."
                .to_owned(),
        ));
    };
    let client = blob_s3::connect(&shared(config).await);
    Ok(Arc::new(S3Blobs::new(client, bucket)))
}

/// Lanes that have a queue are woken wherever their worker is, others in this process (`bells`).
pub async fn wake(config: &Config, bells: Arc<dyn Wake>) -> Arc<SqsWake> {
    let client = queue_sqs::connect(&shared(config).await);
    let queues = config.cloud.queues.0.clone();
    Arc::new(SqsWake::new(client, queues, bells))
}

async fn shared(config: &Config) -> client_aws::SdkConfig {
    Box::pin(client_aws::load(config.cloud.endpoint.as_deref())).await
}

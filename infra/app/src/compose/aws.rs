//! What a team in the cloud is put together from: DynamoDB, S3 and SQS.
//!
//! The futures of AWS clients are large and deep, so they are boxed: else every caller's would be, up to `main`.

use super::BadStart;
use crate::config::Config;
use blob_s3::S3Blobs;
use ports::{Blobs, Wake, store::StoreError};
use queue_sqs::SqsWake;
use std::sync::Arc;
use store_dynamodb::{DynamoStore, Options};

/// # Errors
/// What the store answers: no such table, not allowed, of a newer program, not reachable.
pub async fn store(config: &Config, table: &str) -> Result<DynamoStore, StoreError> {
    let endpoint = config.cloud.endpoint.clone();
    let place = store_dynamodb::Place {
        region: None,
        endpoint,
    };
    let client = Box::pin(store_dynamodb::connect(place)).await;
    Box::pin(DynamoStore::open(client, table, Options::default())).await
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
    let endpoint = config.cloud.endpoint.clone();
    let place = blob_s3::Place {
        region: None,
        endpoint,
    };
    Ok(Arc::new(S3Blobs::new(
        Box::pin(blob_s3::connect(place)).await,
        bucket,
    )))
}

/// Lanes that have a queue are woken wherever their worker is, others in this process (`bells`).
pub async fn wake(config: &Config, bells: Arc<dyn Wake>) -> Arc<SqsWake> {
    let endpoint = config.cloud.endpoint.clone();
    let place = queue_sqs::Place {
        region: None,
        endpoint,
    };
    let queues = config.cloud.queues.0.clone();
    Arc::new(SqsWake::new(
        Box::pin(queue_sqs::connect(place)).await,
        queues,
        bells,
    ))
}

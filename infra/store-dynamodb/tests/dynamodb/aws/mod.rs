//! All of these take an emulator: `cargo xtask test` starts one and says where in `COUNTERSIGN_TEST_AWS`. Where there is none,
//! xtask leaves this module out by its name, and says so.

mod contract;
mod faults;
mod proxy;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
    types::TimeToLiveSpecification,
};
use std::time::Duration;
use store_dynamodb::{DynamoStore, Options};
use testkit::contract::Broken;
use uuid::Uuid;

fn emulator() -> Result<String, Broken> {
    std::env::var("COUNTERSIGN_TEST_AWS")
        .map_err(|_| "COUNTERSIGN_TEST_AWS names no emulator: `cargo xtask test` starts one".into())
}

/// A client that reaches nothing but this address, and does not wait long between attempts.
fn client(endpoint: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(endpoint)
        .http_client(client_aws::https())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(6)
                .with_initial_backoff(Duration::from_millis(1)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(Duration::from_secs(60))
                .build(),
        )
        .build();
    Client::from_conf(config)
}

/// Copies begin soon: nobody's request takes long here.
fn options() -> Options {
    Options {
        look_every: Duration::from_millis(20),
        settle: Duration::from_millis(200),
        ..Options::default()
    }
}

/// An empty table with a name of its own.
async fn table(client: &Client) -> Result<String, Broken> {
    let table = format!("test-{}", Uuid::now_v7());
    DynamoStore::create(client, &table).await?;
    // The cases' clock begins in 1970. DynamoDB keeps items that expired more than five years ago; ministack 1.5.33 drops them.
    let keep = TimeToLiveSpecification::builder()
        .attribute_name("expires")
        .enabled(false)
        .build()?;
    client
        .update_time_to_live()
        .table_name(&table)
        .time_to_live_specification(keep)
        .send()
        .await?;
    Ok(table)
}

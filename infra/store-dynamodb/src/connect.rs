//! The client: attempts and time-outs as the store promises them.

use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
};
use client_aws::SdkConfig;
use std::time::Duration;

/// A request with all its attempts.
pub const LONGEST_REQUEST: Duration = Duration::from_secs(8);
const ATTEMPT: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
/// With pauses that double and are shortened at random: the SDK's own way with throttling and lost connections.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A client that gives up after [`LONGEST_REQUEST`].
#[must_use]
pub fn connect(shared: &SdkConfig) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(LONGEST_REQUEST)
        .build();
    let config = Builder::from(shared)
        .retry_config(retries)
        .timeout_config(timeouts);
    Client::from_conf(config.build())
}

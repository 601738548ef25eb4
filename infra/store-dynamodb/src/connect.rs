//! The client: region and credentials as every AWS program finds them, attempts and time-outs as the store promises them.

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::Client;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use std::time::Duration;

/// A request with all its attempts.
pub const LONGEST_REQUEST: Duration = Duration::from_secs(8);
const ATTEMPT: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
/// With pauses that double and are shortened at random: the SDK's own way with throttling and lost connections.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Which DynamoDB; what is `None` is found as the AWS programs find it (environment, profile, role of the machine).
#[derive(Clone, Default, Debug)]
pub struct Place {
    pub region: Option<String>,
    /// An emulator's.
    pub endpoint: Option<String>,
}

/// A client that gives up after [`LONGEST_REQUEST`].
pub async fn connect(place: Place) -> Client {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_PAUSE),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(LONGEST_REQUEST)
                .build(),
        );
    if let Some(region) = place.region {
        config = config.region(Region::new(region));
    }
    if let Some(endpoint) = place.endpoint {
        config = config.endpoint_url(endpoint);
    }
    Client::new(&config.load().await)
}

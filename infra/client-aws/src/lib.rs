//! What all AWS clients of a process share: how requests travel, and where region and credentials come from. Each adapter makes its
//! client from it, with attempts and time-outs of its own.

use aws_config::BehaviorVersion;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::{error::Error, sync::LazyLock};

pub use aws_config::SdkConfig;

/// Connections, and the machine's certificate authorities, which take a cold start milliseconds to read: once for a process.
static HTTPS: LazyLock<SharedHttpClient> = LazyLock::new(|| {
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
});

/// Region and credentials as every AWS program finds them (environment, profile, role of the machine). The endpoint is an emulator's.
pub async fn load(endpoint: Option<&str>) -> SdkConfig {
    let mut config = aws_config::defaults(BehaviorVersion::latest()).http_client(https());
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    config.load().await
}

/// Those who configure everything else themselves take this one as well.
#[must_use]
pub fn https() -> SharedHttpClient {
    HTTPS.clone()
}

/// What an error says with its causes, without their insides.
#[must_use]
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |&error| error.source());
    let all: Vec<String> = all.map(ToString::to_string).collect();
    all.join(": ").chars().take(300).collect()
}

//! Secrets of cloud functions, from AWS Secrets Manager. Each secret is a JSON object of variables and their values, like those of an
//! environment; it is read once, when the process starts, and nothing is ever written.

use aws_config::{BehaviorVersion, Region, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures::future::try_join_all;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, error::Error, time::Duration};

#[cfg(test)]
mod tests;

/// A request with its repetitions: a start waits for it.
const REQUEST: Duration = Duration::from_secs(8);

/// Which Secrets Manager; what is `None` is found as the AWS programs find it (environment, profile, role of the machine).
#[derive(Clone, Default, Debug)]
pub struct Place {
    pub region: Option<String>,
    /// An emulator's.
    pub endpoint: Option<String>,
}

/// A sentence's part: what is wrong with which secret and what to do. No value is in it.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum ReadError {
    #[error("there is no secret {0}: correct the name, or make it")]
    Missing(String),
    #[error(
        "these AWS credentials may not read the secret {0}: allow secretsmanager:GetSecretValue on it"
    )]
    NotAllowed(String),
    #[error("the secret {0} must be a JSON object of variables and their values, which are texts")]
    Malformed(String),
    #[error("the secret {0} cannot be read: {1}")]
    Unavailable(String, String),
}

/// A client for [`read`].
pub async fn connect(place: Place) -> Client {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(TimeoutConfig::builder().operation_timeout(REQUEST).build());
    if let Some(region) = place.region {
        config = config.region(Region::new(region));
    }
    if let Some(endpoint) = place.endpoint {
        config = config.endpoint_url(endpoint);
    }
    Client::new(&config.load().await)
}

/// Variables with their values; of one that is in several secrets, the value of the last.
///
/// # Errors
/// [`ReadError`] of the first that can't be read: without a key nothing works as it should.
pub async fn read(
    client: &Client,
    names: &[String],
) -> Result<BTreeMap<String, SecretString>, ReadError> {
    let read = try_join_all(names.iter().map(|name| one(client, name))).await?;
    let mut values = BTreeMap::new();
    for (name, secret) in names.iter().zip(read) {
        for (variable, value) in secret {
            let Value::String(value) = value else {
                return Err(ReadError::Malformed(name.clone()));
            };
            values.insert(variable, SecretString::from(value));
        }
    }
    Ok(values)
}

async fn one(client: &Client, name: &str) -> Result<Map<String, Value>, ReadError> {
    let asked = client.get_secret_value().secret_id(name).send().await;
    let text = asked.map_err(|error| failed(name, &error))?.secret_string;
    let object = serde_json::from_str(&text.unwrap_or_default());
    object.map_err(|_| ReadError::Malformed(name.to_owned()))
}

fn failed<R: std::fmt::Debug + 'static>(
    name: &str,
    error: &SdkError<GetSecretValueError, R>,
) -> ReadError {
    let name = name.to_owned();
    match error.code() {
        Some("ResourceNotFoundException") => ReadError::Missing(name),
        Some("AccessDeniedException") => ReadError::NotAllowed(name),
        Some(code) => {
            let said = error.message().unwrap_or_default();
            ReadError::Unavailable(name, format!("{code}: {said}"))
        }
        None => ReadError::Unavailable(name, causes(error)),
    }
}

/// What an error says with its causes, without their insides.
fn causes(error: &(dyn Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |&error| error.source());
    let all: Vec<String> = all.map(ToString::to_string).collect();
    all.join(": ").chars().take(300).collect()
}

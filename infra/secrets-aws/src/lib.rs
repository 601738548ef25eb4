//! Secrets of cloud functions, from AWS Secrets Manager. Each secret is a JSON object of variables and their values, like those of an
//! environment; it is read once, when the process starts, and nothing is ever written.

use aws_sdk_secretsmanager::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use client_aws::{SdkConfig, causes};
use futures::future::try_join_all;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, time::Duration};

#[cfg(test)]
mod tests;

/// A request with its repetitions: a start waits for it.
const REQUEST: Duration = Duration::from_secs(8);

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
#[must_use]
pub fn connect(shared: &SdkConfig) -> Client {
    let longest = TimeoutConfig::builder().operation_timeout(REQUEST);
    let config = Builder::from(shared).timeout_config(longest.build());
    Client::from_conf(config.build())
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

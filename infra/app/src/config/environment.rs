//! Secrets that the environment gives: `COUNTERSIGN_SECRET_GITHUB=…` is the secret `GITHUB`.

use super::{ConfigError, Environment, Origin};
use ports::secrets::{Secret, Secrets, SecretsError, check_name};
use secrecy::SecretString;

const PREFIX: &str = "COUNTERSIGN_SECRET_";

/// What the process was started with. It can't be changed from here.
pub struct EnvironmentSecrets(pub Vec<Secret>);

#[async_trait::async_trait]
impl Secrets for EnvironmentSecrets {
    async fn all(&self) -> Result<Vec<Secret>, SecretsError> {
        Ok(self.0.clone())
    }

    async fn set(&self, _: Secret) -> Result<(), SecretsError> {
        Err(SecretsError::ReadOnly)
    }

    async fn remove(&self, _: &str) -> Result<bool, SecretsError> {
        Err(SecretsError::ReadOnly)
    }
}

/// The environment's, by name; an empty one is none.
pub(super) fn secrets(environment: &Environment) -> Result<Vec<Secret>, ConfigError> {
    let named = environment
        .iter()
        .filter_map(|(variable, value)| Some((variable, variable.strip_prefix(PREFIX)?, value)));
    named
        .filter(|(_, _, value)| !value.trim().is_empty())
        .map(|(variable, name, value)| {
            check_name(name).map_err(|error| ConfigError::Invalid {
                key: variable.clone(),
                origin: Origin::Environment,
                why: format!("cannot be named like this: {error}"),
            })?;
            Ok(Secret {
                name: name.to_owned(),
                value: SecretString::from(value.clone()),
            })
        })
        .collect()
}

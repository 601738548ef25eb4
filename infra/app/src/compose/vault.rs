//! Secrets that a vault keeps for the processes of a cloud: `COUNTERSIGN_SECRETS` names some in AWS Secrets Manager, each a JSON object of
//! variables and their values. They are laid beneath the environment before the configuration is read, once, at the start.

use super::BadStart;
use crate::config::{Environment, Places};
use std::collections::BTreeMap;

const NAMES: &str = "COUNTERSIGN_SECRETS";

/// The same places, with what the vault has for them.
///
/// # Errors
/// [`BadStart`] when a secret can't be read: nothing would work as it should.
pub async fn unlocked(places: Places) -> Result<Places, BadStart> {
    let names: Vec<String> = places
        .environment
        .get(NAMES)
        .into_iter()
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return Ok(places);
    }
    let values = read(&names, &places.environment).await?;
    Ok(Places {
        environment: beneath(places.environment, values),
        ..places
    })
}

/// What the environment sets wins; what it sets to nothing is not set.
fn beneath(environment: Environment, values: BTreeMap<String, String>) -> Environment {
    let set = environment
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty());
    values.into_iter().chain(set).collect()
}

#[cfg(feature = "aws")]
async fn read(
    names: &[String],
    environment: &Environment,
) -> Result<BTreeMap<String, String>, BadStart> {
    use secrecy::ExposeSecret;
    let endpoint = environment.get("AWS_ENDPOINT_URL").map(String::as_str);
    // AWS clients' futures are deep.
    let shared = Box::pin(client_aws::load(endpoint)).await;
    let client = secrets_aws::connect(&shared);
    let values = Box::pin(secrets_aws::read(&client, names))
        .await
        .map_err(|error| BadStart(format!("{NAMES} cannot be used: {error}.")))?;
    let plain =
        |(name, value): (String, secrecy::SecretString)| (name, value.expose_secret().to_owned());
    Ok(values.into_iter().map(plain).collect())
}

#[cfg(not(feature = "aws"))]
async fn read(_: &[String], _: &Environment) -> Result<BTreeMap<String, String>, BadStart> {
    Err(BadStart(format!(
        "{NAMES} names secrets in AWS, which this program was not built for: leave it out, or build one that knows them with \
         `cargo build --release -p app --features aws`."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_lies_above_what_the_vault_has() {
        let of = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(own).collect()
        };
        let environment = of(&[("A", "here"), ("B", " ")]);
        let laid = beneath(
            environment,
            of(&[("A", "vault"), ("B", "vault"), ("C", "vault")]),
        );
        assert_eq!(laid, of(&[("A", "here"), ("B", "vault"), ("C", "vault")]));
    }
}

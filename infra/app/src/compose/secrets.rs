//! The file of secrets: read before anything is kept, and again when somebody changed it.

use super::{
    BadStart,
    database::{self, Opened, unusable},
    directory, team,
};
use crate::{config::Config, redacted::Redaction};
use domain::agent::Agent;
use handlers::Home;
use ports::{
    Chance, Secret, Secrets, Store,
    repo::{self, Stored},
    store::StoreError,
};
use secrecy::SecretString;
use secrets_file::FileSecrets;
use std::{os::unix::fs::MetadataExt, path::PathBuf, time::Duration};
use tokio_util::sync::CancellationToken;

const FILE: &str = "secrets.json";
/// How long a running process may not know of a secret that was just set.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[must_use]
pub fn path(config: &Config) -> PathBuf {
    config.home.join(FILE)
}

/// The file, if there is a key for it.
///
/// # Errors
/// [`BadStart`] when there is a file and no key: what is in it could not be hidden.
pub fn file(config: &Config) -> Result<Option<FileSecrets>, BadStart> {
    let path = path(config);
    match &config.secrets_key {
        Some(key) => Ok(Some(FileSecrets::new(path, key.clone()))),
        None if !path.exists() => Ok(None),
        None => Err(BadStart(format!(
            "The file of secrets {} needs its key: set COUNTERSIGN_SECRETS_KEY to the one that it was made with, or move the file away.",
            path.display()
        ))),
    }
}

/// From here on this process hides what is in the file, and the audit's key.
///
/// # Errors
/// [`BadStart`] when the file can't be opened, and for a secret that can't be redacted ([`refuse`]).
pub async fn hide(config: &Config, chance: &dyn Chance) -> Result<(), BadStart> {
    let audit = directory::audit_key(config, chance)?;
    let value = SecretString::from(String::from_utf8_lossy(&audit).into_owned());
    let name = "audit_key".to_owned();
    config.redaction.set("audit", vec![Secret { name, value }]);
    hide_file(config).await?;
    for name in config.redaction.too_short() {
        tracing::warn!(name, "a secret of fewer than 8 characters is not redacted");
    }
    Ok(())
}

/// Hides what is in the file. Answers how many there are.
///
/// # Errors
/// [`BadStart`]: it can't be read, or not safely; and for a secret that can't be redacted ([`refuse`]).
pub async fn hide_file(config: &Config) -> Result<usize, BadStart> {
    let mut count = 0;
    if let Some(file) = file(config)? {
        let secrets = file.all().await;
        let secrets = secrets.map_err(|error| bad(config, &error))?;
        count = secrets.len();
        config.redaction.set("file", secrets);
    }
    refuse(&config.redaction, &built_in())?;
    Ok(count)
}

/// Refuses a secret that stands in a word of the program's records, or in one of these names.
///
/// # Errors
/// [`BadStart`], which says why and doesn't repeat it.
pub fn refuse(redaction: &Redaction, names: &[String]) -> Result<(), BadStart> {
    match redaction.in_a_word(names) {
        None => Ok(()),
        Some(name) => Err(BadStart(format!(
            "The secret “{name}” cannot be used: its value stands in a word that records are read by, a field's, a tool's or an agent's name for example. \
             With [secret:{name}] in its place they could not be read again. Choose another value; `countersign secrets list` shows where this one comes from."
        ))),
    }
}

/// Names that the program comes with: of tools, presets and agents. A catalog that can't be read is told of elsewhere.
fn built_in() -> Vec<String> {
    let tools = handlers::tool::all().specs(true).into_iter();
    let presets = catalog::policies().into_iter().flatten();
    let agents = catalog::agents().into_iter().flatten();
    tools
        .map(|tool| tool.name)
        .chain(presets.map(|preset| preset.name))
        .chain(agents.map(|agent| agent.name))
        .collect()
}

/// Refuses a secret before it is kept, also for the names of the team's agents, if there is a team yet.
///
/// # Errors
/// [`BadStart`], also when the database can't be used.
pub async fn refuse_new(config: &Config, secret: Secret) -> Result<(), BadStart> {
    let new = Redaction::default();
    new.set("new", vec![secret]);
    refuse(&new, &built_in())?;
    let names = async {
        match database::schema(config).await? {
            None => Ok(Vec::new()),
            Some(_) => agents(Opened::open(config).await?.store()).await,
        }
    };
    let names = names.await.map_err(|error| unusable(&error))?;
    refuse(&new, &names)
}

/// Refuses a secret that stands in an agent's name.
///
/// # Errors
/// [`BadStart`], also when the database can't be used.
pub async fn refuse_names(config: &Config, home: &Home) -> Result<(), BadStart> {
    let names = agents(&*home.store).await;
    refuse(&config.redaction, &names.map_err(|error| unusable(&error))?)
}

/// Names of all agents, the first (which is the id) and the present one.
///
/// # Errors
/// What the store answers.
pub async fn agents(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let agents = repo::collect::<Agent>(store, repo::all::<Agent>(&team())).await?;
    let names = |agent: Stored<Agent>| [agent.value.id.to_string(), agent.value.name];
    Ok(agents.into_iter().flat_map(names).collect())
}

/// A sentence about what is wrong with the file.
#[must_use]
pub fn bad(config: &Config, error: &ports::secrets::SecretsError) -> BadStart {
    let path = path(config);
    BadStart(format!(
        "The file of secrets {} cannot be used: {error}.",
        path.display()
    ))
}

/// Hides what is set while this process runs, until `stop`.
pub async fn follow(config: &Config, stop: CancellationToken) {
    let path = path(config);
    // A change replaces the file.
    let stamp = || {
        std::fs::metadata(&path)
            .ok()
            .map(|file| (file.ino(), file.mtime_nsec(), file.len()))
    };
    let mut known = stamp();
    let mut look = tokio::time::interval(LOOK_AGAIN);
    while stop.run_until_cancelled(look.tick()).await.is_some() {
        let now = stamp();
        if now == known {
            continue;
        }
        known = now;
        let Ok(Some(file)) = file(config) else {
            tracing::warn!(
                "there is a file of secrets now, and no COUNTERSIGN_SECRETS_KEY to read it: set it and start again"
            );
            continue;
        };
        match file.all().await {
            Ok(secrets) => config.redaction.set("file", secrets),
            Err(error) => {
                tracing::warn!(%error, "the changed file of secrets cannot be read; those known before stay hidden")
            }
        }
    }
}

//! The file of secrets: read before anything is kept, and again when somebody changed it.

use super::{BadStart, directory};
use crate::config::Config;
use ports::{Chance, Secret, Secrets};
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
/// [`BadStart`] when the file can't be opened.
pub async fn hide(config: &Config, chance: &dyn Chance) -> Result<(), BadStart> {
    let audit = directory::audit_key(config, chance)?;
    let value = SecretString::from(String::from_utf8_lossy(&audit).into_owned());
    let name = "audit_key".to_owned();
    config.redaction.set("audit", vec![Secret { name, value }]);
    if let Some(file) = file(config)? {
        let secrets = file.all().await;
        let secrets = secrets.map_err(|error| bad(config, &error))?;
        config.redaction.set("file", secrets);
    }
    for name in config.redaction.too_short() {
        tracing::warn!(name, "a secret of fewer than 8 characters is not redacted");
    }
    Ok(())
}

/// How many there are in the file, for `doctor`.
///
/// # Errors
/// [`BadStart`]: it can't be read, or not safely.
pub async fn count(config: &Config) -> Result<usize, BadStart> {
    match file(config)? {
        Some(file) => Ok(file.all().await.map_err(|error| bad(config, &error))?.len()),
        None => Ok(0),
    }
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

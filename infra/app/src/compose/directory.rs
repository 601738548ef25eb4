//! The data directory: made for this user alone, tried before anything relies on it; and the key that is kept beside the
//! database, not in it.

use super::BadStart;
use crate::config::Config;
use ports::Chance;
use secrecy::ExposeSecret;
use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

const KEY_FILE: &str = "audit.key";

/// Makes the directory and the (empty) database file, where it is one, if they are missing.
///
/// # Errors
/// [`BadStart`] when this user can't write there.
pub fn prepare(config: &Config) -> Result<(), BadStart> {
    let home = &config.home;
    // Commands of a process that is root run as somebody else, who must get through to the workspaces, and can list nothing.
    let mode = if rustix::process::geteuid().is_root() {
        0o711
    } else {
        0o700
    };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(home)
        .map_err(|error| not_writable(home, &error))?;
    writable(home)?;
    let Some(database) = config.database.file().filter(|file| !file.exists()) else {
        return Ok(());
    };
    if let Some(parent) = database.parent().filter(|parent| !parent.exists()) {
        return Err(BadStart(format!(
            "The database's directory {} does not exist: make it, or set COUNTERSIGN_DATABASE_URL to another place.",
            parent.display()
        )));
    }
    // Everything that people and agents say is in it. SQLite gives its companions the same mode.
    match create(database) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(BadStart(format!(
            "The database {} cannot be made ({error}): make its directory writable, or set COUNTERSIGN_DATABASE_URL to another place.",
            database.display()
        ))),
    }
}

fn create(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Whether files can be made in the data directory. Modes and owners don't tell everything (read-only mounts, quotas), an
/// attempt does.
///
/// # Errors
/// [`BadStart`] when not.
pub fn writable(home: &Path) -> Result<(), BadStart> {
    let path = home.join(format!(".writable.{}", std::process::id()));
    let tried = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path);
    let tried = tried.and_then(|mut file| file.write_all(b"x"));
    let removed = std::fs::remove_file(&path);
    tried
        .and(removed)
        .map_err(|error| not_writable(home, &error))
}

fn not_writable(home: &Path, error: &io::Error) -> BadStart {
    if matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ) {
        return BadStart(format!(
            "The disk with the data directory {} is full: make room there; nothing that was answered is lost.",
            home.display()
        ));
    }
    BadStart(format!(
        "The data directory {} is not writable ({error}): make it so for this user, or set COUNTERSIGN_HOME to another directory.",
        home.display()
    ))
}

/// The key of the audit's seals: the configured one, else one that is made here once.
///
/// # Errors
/// [`BadStart`] when it can be neither read nor made.
pub fn audit_key(config: &Config, chance: &dyn Chance) -> Result<Arc<[u8]>, BadStart> {
    if let Some(key) = &config.audit_key {
        return Ok(key.expose_secret().as_bytes().into());
    }
    if config.database.is_cloud() {
        return Err(BadStart(
            "Many processes share a team in the cloud and its audit's key, so none can make it: set COUNTERSIGN_AUDIT_KEY, best in a secret of COUNTERSIGN_SECRETS."
                .to_owned(),
        ));
    }
    let path = config.home.join(KEY_FILE);
    let failed = |error: io::Error| {
        BadStart(format!(
            "The audit's key {} cannot be used ({error}): make it readable for this user, or set COUNTERSIGN_AUDIT_KEY.",
            path.display()
        ))
    };
    if !path.exists() {
        make_key(&config.home, &path, &chance.secret()).map_err(failed)?;
    }
    let key = std::fs::read_to_string(&path).map_err(failed)?;
    match key.trim() {
        "" => Err(failed(io::Error::new(
            ErrorKind::InvalidData,
            "it is empty",
        ))),
        key => Ok(key.as_bytes().into()),
    }
}

/// Whether there is a key, without making one.
#[must_use]
pub fn has_audit_key(config: &Config) -> bool {
    let in_file = !config.database.is_cloud() && config.home.join(KEY_FILE).exists();
    config.audit_key.is_some() || in_file
}

/// Appears whole or not at all; of several processes that start at once, one is first.
fn make_key(home: &Path, path: &Path, secret: &str) -> io::Result<()> {
    let draft = home.join(format!(".{KEY_FILE}.{}", std::process::id()));
    let _ = std::fs::remove_file(&draft);
    let mut file = create(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    let _ = std::fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

//! Who lives: each process that may work holds a lock on a file of its name, which the system frees however it dies. So whoever
//! starts after it knows for certain that it is dead, and takes over what it had under way without waiting for its leases' end.
//!
//! Only beside a SQLite file. Its write-ahead log is memory that processes share, so all that have it open are on this machine
//! and see each other's locks; on a server's database they may be anywhere.

use super::{
    BadStart,
    database::{Opened, unusable},
};
use crate::config::Config;
use ports::Chance;
use rustix::fs::{FlockOperation, flock};
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use store_sqlite::SqliteStore;

/// What the directory with the files is called, after the database.
const SUFFIX: &str = "-workers";

/// That this process lives, as long as this does.
#[derive(Debug)]
pub struct Presence {
    name: String,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    path: PathBuf,
    _lock: File,
}

impl Presence {
    /// Gives this process a name. Where it can't be shown (a full disk, a server's database), nobody takes it for dead, and only time
    /// ends its leases.
    #[must_use]
    pub fn announce(config: &Config, chance: &dyn Chance) -> Self {
        let name = name(chance);
        let held = directory(config).and_then(|directory| match hold(&directory, &name) {
            Ok(held) => Some(held),
            Err(error) => {
                tracing::debug!(%error, "what this process has under way waits for its leases' end if it dies");
                None
            }
        });
        Self { name, held }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            let _ = fs::remove_file(&held.path);
        }
    }
}

/// Another one each time, which begins with the process's number for people.
#[must_use]
pub fn name(chance: &dyn Chance) -> String {
    format!("{}@{}", std::process::id(), chance.id())
}

/// Ends the leases of those that died.
///
/// # Errors
/// [`BadStart`] when the database does not take it.
pub async fn succeed(config: &Config, opened: &Opened) -> Result<(), BadStart> {
    let (Some(directory), Opened::Sqlite(store)) = (directory(config), opened) else {
        return Ok(());
    };
    bury(&directory, store)
        .await
        .map_err(|error| unusable(&error))
}

async fn bury(directory: &Path, store: &SqliteStore) -> Result<(), ports::store::StoreError> {
    for (name, grave) in dead(directory) {
        let ended = store.end_leases(&name).await?;
        tracing::info!(name, ended, "took over from a process that died");
        // Not before: who dies here leaves it to the next one.
        let _ = fs::remove_file(&grave.path);
    }
    Ok(())
}

/// Those whose file nobody holds. It is held now, so of several that look one takes over.
fn dead(directory: &Path) -> Vec<(String, Held)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let dead = entries.filter_map(|entry| {
        let path = entry.path();
        let lock = OpenOptions::new().write(true).open(&path).ok()?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
        let name = entry.file_name().into_string().ok()?;
        Some((name, Held { path, _lock: lock }))
    });
    dead.collect()
}

/// Between its making and its lock somebody may find the file and take it away. Then this process has no lease yet, and is not
/// taken for dead later.
fn hold(directory: &Path, name: &str) -> io::Result<Held> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let path = directory.join(name);
    let lock = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    flock(&lock, FlockOperation::LockExclusive)?;
    Ok(Held { path, _lock: lock })
}

/// Beside the database, which may be elsewhere than the data directory.
fn directory(config: &Config) -> Option<PathBuf> {
    let database = config.database.file()?;
    let mut name = OsString::from(database.file_name()?);
    name.push(SUFFIX);
    Some(database.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dead: &[(String, Held)]) -> Vec<&str> {
        dead.iter().map(|(name, _)| &**name).collect()
    }

    #[test]
    fn who_lives_is_not_dead_and_who_is_buried_once_is_gone() {
        let place = tempfile::tempdir().unwrap();
        let (alive, died) = (
            hold(place.path(), "1@alive").unwrap(),
            hold(place.path(), "2@died").unwrap(),
        );
        assert_eq!(dead(place.path()).len(), 0);
        // As the system does it: the file stays, the lock goes.
        drop(died);
        let found = dead(place.path());
        assert_eq!(names(&found), ["2@died"]);
        assert_eq!(dead(place.path()).len(), 0, "somebody takes over already");
        drop(found);
        assert_eq!(
            names(&dead(place.path())),
            ["2@died"],
            "who died of it left it"
        );
        drop(alive);
    }

    #[test]
    fn a_place_that_takes_no_file_is_no_failure() {
        assert!(hold(Path::new("/proc/nowhere"), "1@a").is_err());
        assert!(dead(Path::new("/proc/nowhere")).is_empty());
    }
}

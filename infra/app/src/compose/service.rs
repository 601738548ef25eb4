//! Whether a `countersign up` lives on this data directory: it holds a lock for its life, which the system frees however it dies.
//! A command that ends in a minute leaves runs to it, so that its end interrupts nobody's work.

use super::BadStart;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

const FILE: &str = "up.lock";

/// Held as long as the service lives; several may.
#[derive(Debug)]
pub struct Alive(#[allow(dead_code)] File);

/// Says that this process is a service.
///
/// # Errors
/// [`BadStart`] when the data directory takes no lock.
pub fn live(home: &Path) -> Result<Alive, BadStart> {
    // Who only looks holds the lock for a moment, so waiting for it is short.
    let locked = open(home).and_then(|file| {
        flock(&file, FlockOperation::LockShared)?;
        Ok(file)
    });
    locked.map(Alive).map_err(|error| {
        BadStart(format!(
            "{} cannot be locked ({error}): make the data directory writable for this user, on a disk that knows locks.",
            home.join(FILE).display()
        ))
    })
}

/// Whether some process is a service here. What cannot be found out is a no: work is rather done here than by nobody.
#[must_use]
pub fn lives(home: &Path) -> bool {
    let Ok(file) = open(home) else { return false };
    let free = flock(&file, FlockOperation::NonBlockingLockExclusive);
    matches!(free, Err(rustix::io::Errno::WOULDBLOCK))
}

fn open(home: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(home.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_live_until_the_last_has_gone() {
        let home = tempfile::tempdir().unwrap();
        assert!(!lives(home.path()));
        let (one, two) = (live(home.path()).unwrap(), live(home.path()).unwrap());
        assert!(lives(home.path()));
        drop(one);
        assert!(lives(home.path()));
        drop(two);
        assert!(!lives(home.path()));
    }

    #[test]
    fn a_place_that_takes_no_lock_is_named() {
        let error = live(Path::new("/nowhere/data")).unwrap_err().0;
        assert!(
            error.contains("/nowhere/data/up.lock cannot be locked"),
            "{error}"
        );
        assert!(!lives(Path::new("/nowhere/data")));
    }
}

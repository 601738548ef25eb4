//! Blobs as files: the bytes with digest `ab12…` are in `<directory>/ab/ab12…`.
//!
//! A file appears under its name in one step, with all its bytes on the disk, so a crash leaves a blob or nothing (and perhaps
//! an unfinished file below `incoming`, which nobody reads). The name says what the content must be: nothing is ever
//! overwritten, and damage is noticed when it is read.
//!
//! Beside the directory stands the file `<directory>.kept` since the first blob. A directory that is empty or not there with such a file is a
//! disk that is not mounted: nothing is missing for good, and nothing is kept in its place. Without the file no blob was ever kept.

#[cfg(test)]
mod tests;

use domain::Digest;
use ports::blob::{BlobError, Blobs};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A directory of blobs. Any number of processes may use it at once.
#[derive(Clone, Debug)]
pub struct FsBlobs {
    directory: PathBuf,
}

impl FsBlobs {
    /// The directory is created with the first blob, for this user only.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.as_str();
        self.directory
            .join(name.get(..2).unwrap_or(name))
            .join(name)
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of_bytes(bytes);
        let path = self.path(&digest);
        // One that is there but damaged is written again: whoever has the bytes can heal it.
        if fs::read(&path).is_ok_and(|there| Digest::of_bytes(there) == digest) {
            return Ok(digest);
        }
        self.here()?;
        let incoming = self.directory.join("incoming");
        create_directory(&incoming)?;
        // After the directory, so that a process that dies between the two leaves no mark of blobs that never were.
        let mark = self.mark();
        if !mark.exists() {
            fs::write(mark, [])?;
        }
        if let Some(parent) = path.parent()
            && create_directory(parent)?
        {
            sync(&self.directory)?;
        }
        let (temporary, file) = temporary(&incoming)?;
        let written = finish(file, bytes, &temporary, &path);
        if written.is_err() {
            // What failed is what the caller wants to hear; an unfinished file that stays is only untidy.
            let _ = fs::remove_file(&temporary);
        }
        written.map(|()| digest)
    }

    fn fetch(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        if !is_well_formed(digest) {
            return Err(BlobError::Missing(digest.clone()));
        }
        let path = self.path(digest);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => match self.here() {
                Ok(()) => BlobError::Missing(digest.clone()),
                Err(away) => self.failed(&away),
            },
            _ => BlobError::Io(format!("{}: {error}", path.display())),
        })?;
        if Digest::of_bytes(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(BlobError::Damaged(digest.clone()))
        }
    }

    /// Fails where blobs were kept and nothing at all is left of them, not even a directory: they are somewhere else, and may be back tomorrow.
    fn here(&self) -> io::Result<()> {
        let mark = self.mark();
        // Before the directory: of the two the mark is made last, so what is seen without anything beside it is no beginning.
        if !mark.exists() {
            return Ok(());
        }
        let is_empty = |mut there: fs::ReadDir| there.next().is_none();
        let nothing = match fs::read_dir(&self.directory) {
            Ok(there) => is_empty(there),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if nothing {
            let why = format!(
                "nothing is there: mount what holds it (or remove {}, if it is gone for good)",
                mark.display()
            );
            return Err(io::Error::other(why));
        }
        Ok(())
    }

    fn mark(&self) -> PathBuf {
        let mut name = self.directory.clone().into_os_string();
        name.push(".kept");
        name.into()
    }

    fn remove(&self, digest: &Digest) -> io::Result<()> {
        if !is_well_formed(digest) {
            return Ok(());
        }
        match fs::remove_file(self.path(digest)) {
            // What is away would be there again tomorrow.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.here(),
            removed => removed,
        }
    }

    fn failed(&self, error: &io::Error) -> BlobError {
        let directory = self.directory.display();
        BlobError::Io(match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("the disk with {directory} is full")
            }
            io::ErrorKind::PermissionDenied => {
                format!("{directory} cannot be written: permission denied")
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                format!("{directory} is on a read-only file system")
            }
            _ => format!("{directory}: {error}"),
        })
    }
}

#[async_trait::async_trait]
impl Blobs for FsBlobs {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let (this, bytes) = (self.clone(), bytes.to_vec());
        blocking(move || this.keep(&bytes).map_err(|error| this.failed(&error))).await
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let (this, digest) = (self.clone(), digest.clone());
        blocking(move || this.fetch(&digest)).await
    }

    async fn delete(&self, digest: &Digest) -> Result<(), BlobError> {
        let (this, digest) = (self.clone(), digest.clone());
        blocking(move || this.remove(&digest).map_err(|error| this.failed(&error))).await
    }
}

/// A digest may come from a record that somebody has edited; it must not become a path to anywhere.
fn is_well_formed(digest: &Digest) -> bool {
    let hexadecimal = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digest.as_str().len() == 64 && digest.as_str().bytes().all(hexadecimal)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| BlobError::Io(error.to_string()))?
}

/// Answers whether it is new.
fn create_directory(path: &Path) -> io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    Ok(true)
}

fn temporary(incoming: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let name = format!(
            "{}-{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        let path = incoming.join(name);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Ok(file) => return Ok((path, file)),
            // Left over from a process that had our number and died.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn finish(mut file: File, bytes: &[u8], temporary: &Path, path: &Path) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    path.parent().map_or(Ok(()), sync)
}

/// Makes the names in a directory outlive a power cut.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

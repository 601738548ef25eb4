//! A file that appears under its name in one step, with everything in it, and never takes another's place.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Unfinished, beside where it will be, for this user only. Dropped, it goes.
pub struct Draft {
    file: File,
    unfinished: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl Draft {
    /// # Errors
    /// `AlreadyExists` when something has that name; what the directory says.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().ok_or(ErrorKind::InvalidFilename)?);
        name.push(format!(".{}.part", std::process::id()));
        let unfinished = path.with_file_name(name);
        let open = |options: &mut OpenOptions| {
            options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)
        };
        let file = match open(&mut OpenOptions::new()) {
            // Left over from a process that had our number and died.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                std::fs::remove_file(&unfinished)?;
                open(&mut OpenOptions::new())?
            }
            other => other?,
        };
        Ok(Self {
            file,
            unfinished,
            path: path.to_owned(),
            kept: false,
        })
    }

    /// Gives it its name, when it is on the disk.
    ///
    /// # Errors
    /// `AlreadyExists` when somebody else took the name meanwhile.
    pub fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        renameat_with(
            CWD,
            &self.unfinished,
            CWD,
            &self.path,
            RenameFlags::NOREPLACE,
        )?;
        self.kept = true;
        let parent = self
            .path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // What failed before is what the caller wants to hear.
            let _ = std::fs::remove_file(&self.unfinished);
        }
    }
}

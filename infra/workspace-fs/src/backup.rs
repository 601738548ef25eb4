//! All session workspaces as a sequence of pieces, for a backup: directories, files with their bytes, links.
//!
//! Files are copied as they are found: a command that runs meanwhile may be half done. Links are kept as they are and never
//! followed, neither when they are read nor when they are made again. Names that are not UTF-8, devices, pipes, sockets, and what
//! can't be read are left out and counted.

use crate::{
    FsWorkspaces,
    beneath::{Clean, Root, kind, open_entry, refused},
    failed,
    walk::{Visited, walk},
};
use ports::workspace::WorkspaceError;
use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid},
    io::Errno,
};
use std::{
    fs::File,
    io::{Read, Write},
    path::PathBuf,
};

/// Bytes of one piece at most.
const PIECE: usize = 256 * 1024;
/// Lies between the sessions while they are being made, so that an import that broke off can begin again.
const MARK: &str = ".importing";

/// Paths begin with the session's directory. A file is followed by its bytes, in any number of pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    Directory {
        path: &'a str,
        mode: u32,
    },
    File {
        path: &'a str,
        mode: u32,
        /// When it was changed, in nanoseconds since 1970: the manifest of a workspace has it for large files.
        modified: i64,
    },
    Bytes(&'a [u8]),
    Link {
        path: &'a str,
        target: &'a str,
    },
}

impl FsWorkspaces {
    /// Gives each piece to `put`, until that fails; answers how many things were left out.
    ///
    /// # Errors
    /// What `put` answered, or that the directory can't be read.
    pub fn export<E: From<WorkspaceError>>(
        &self,
        mut put: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let root = match Root::open(&self.root) {
            // No session had a file yet.
            Err(WorkspaceError::Missing(_)) => return Ok(0),
            other => other?,
        };
        let (mut left_out, mut stopped) = (0, None);
        let cut = walk(&root, &Clean::new(".")?, true, &mut |visited| match piece(
            &visited, &mut put,
        ) {
            Ok(true) => true,
            Ok(false) => {
                left_out += u64::from(visited.path != MARK.as_bytes());
                true
            }
            Err(error) => {
                stopped = Some(error);
                false
            }
        })?;
        match stopped {
            Some(error) => Err(error),
            None => Ok(left_out + u64::from(cut)),
        }
    }

    /// Begins to make the workspaces of a backup.
    ///
    /// # Errors
    /// When there are workspaces, or the directory can't be made.
    pub fn import(&self) -> Result<Import, WorkspaceError> {
        let io = |error: std::io::Error| failed(&self.root, &error);
        let mark = self.root.join(MARK);
        self.make_root()?;
        if mark.exists() {
            for entry in std::fs::read_dir(&self.root).map_err(io)? {
                let path = entry.map_err(io)?.path();
                let directory = path.is_dir() && !path.is_symlink();
                let removed = match directory {
                    true => std::fs::remove_dir_all(&path),
                    false if path == mark => Ok(()),
                    false => std::fs::remove_file(&path),
                };
                removed.map_err(io)?;
            }
        } else if std::fs::read_dir(&self.root).map_err(io)?.next().is_some() {
            return Err(WorkspaceError::Io(format!(
                "{} is not empty: move it away, or import into another data directory",
                self.root.display()
            )));
        }
        File::create(&mark).map_err(io)?;
        Ok(Import {
            root: Root::open(&self.root)?,
            mark,
            owner: self.owner,
            file: None,
            closed: Vec::new(),
        })
    }
}

/// `false`: it can't be kept.
fn piece<E: From<WorkspaceError>>(
    visited: &Visited<'_>,
    put: &mut impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<bool, E> {
    let Ok(path) = std::str::from_utf8(visited.path) else {
        return Ok(false);
    };
    if path == MARK {
        return Ok(false);
    }
    let stat = &visited.stat;
    let mode = stat.st_mode & 0o777;
    match kind(stat) {
        FileType::Directory => put(Piece::Directory { path, mode })?,
        FileType::RegularFile => {
            let Ok(file) = visited.open() else {
                return Ok(false);
            };
            let seconds = i128::from(stat.st_mtime) * 1_000_000_000;
            let modified = i64::try_from(seconds + i128::from(stat.st_mtime_nsec)).unwrap_or(0);
            put(Piece::File {
                path,
                mode,
                modified,
            })?;
            content(File::from(file), path, put)?;
        }
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(visited.directory, visited.name, Vec::new());
            match target.as_ref().map(|target| target.to_str()) {
                Ok(Ok(target)) => put(Piece::Link { path, target })?,
                _ => return Ok(false),
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn content<E: From<WorkspaceError>>(
    mut file: File,
    path: &str,
    put: &mut impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = vec![0; PIECE];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => put(Piece::Bytes(&buffer[..read]))?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(WorkspaceError::Io(format!("“{path}”: {error}")).into()),
        }
    }
}

/// Makes the workspaces of a backup, piece by piece.
pub struct Import {
    root: Root,
    mark: PathBuf,
    owner: Option<u32>,
    file: Option<Made>,
    /// Directories that their owner can't write into, with their modes: closed when everything is in them.
    closed: Vec<(String, u32)>,
}

struct Made {
    file: File,
    path: String,
    modified: i64,
}

impl Import {
    /// # Errors
    /// When it can't be made: no space, a path that leads elsewhere, something in its place.
    pub fn put(&mut self, piece: Piece<'_>) -> Result<(), WorkspaceError> {
        if let Piece::Bytes(bytes) = piece {
            let made = self.file.as_mut().ok_or_else(|| {
                WorkspaceError::Io("bytes came that belong to no file".to_owned())
            })?;
            let written = made.file.write_all(bytes);
            return written.map_err(|e| failed(made.path.as_ref(), &e));
        }
        self.end_file()?;
        match piece {
            Piece::Directory { path, mode } => self.directory(path, mode),
            Piece::File {
                path,
                mode,
                modified,
            } => self.begin_file(path, mode, modified),
            Piece::Link { path, target } => {
                let (parent, name) = self.parent(path)?;
                rustix::fs::symlinkat(target, &parent, &name).map_err(|e| refused(e, path))
            }
            Piece::Bytes(_) => Ok(()),
        }
    }

    /// Everything is on the disk after this; the mark stays until [`Complete::unmark`].
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn finish(mut self) -> Result<Complete, WorkspaceError> {
        self.end_file()?;
        for (path, mode) in self.closed.iter().rev() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY;
            let directory = self.root.open_beneath(&Clean::new(path)?, flags)?;
            let mode = Mode::from_raw_mode(*mode);
            rustix::fs::fchmod(&directory, mode).map_err(|e| refused(e, path))?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let all = self.root.open_beneath(&Clean::new(".")?, flags)?;
        rustix::fs::syncfs(&all).map_err(|e| refused(e, "."))?;
        Ok(Complete { mark: self.mark })
    }

    fn directory(&mut self, path: &str, mode: u32) -> Result<(), WorkspaceError> {
        let (parent, name) = self.parent(path)?;
        rustix::fs::mkdirat(&parent, &name, Mode::from_raw_mode(0o700))
            .map_err(|e| refused(e, path))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let made =
            open_entry(parent.as_fd(), name.as_bytes(), flags).map_err(|e| refused(e, path))?;
        self.give(&made, path)?;
        if mode & 0o700 != 0o700 {
            self.closed.push((path.to_owned(), mode));
            return Ok(());
        }
        rustix::fs::fchmod(&made, Mode::from_raw_mode(mode)).map_err(|e| refused(e, path))
    }

    fn begin_file(&mut self, path: &str, mode: u32, modified: i64) -> Result<(), WorkspaceError> {
        let (parent, name) = self.parent(path)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode & 0o777);
        let made = rustix::fs::openat(&parent, &name, flags, Mode::from_raw_mode(0o600))
            .map_err(|e| refused(e, path))?;
        self.give(&made, path)?;
        rustix::fs::fchmod(&made, mode).map_err(|e| refused(e, path))?;
        self.file = Some(Made {
            file: File::from(made),
            path: path.to_owned(),
            modified,
        });
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), WorkspaceError> {
        let Some(made) = self.file.take() else {
            return Ok(());
        };
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: made.modified.div_euclid(1_000_000_000),
                tv_nsec: made.modified.rem_euclid(1_000_000_000),
            },
        };
        rustix::fs::futimens(&made.file, &times).map_err(|e| refused(e, &made.path))
    }

    /// The directory of a path, opened without following a link, and the name in it.
    fn parent(&self, path: &str) -> Result<(OwnedFd, String), WorkspaceError> {
        let clean = Clean::new(path)?;
        let Some((parent, name)) = clean.split() else {
            return Err(WorkspaceError::IsDirectory(path.to_owned()));
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut directory = self.root.open_beneath(&Clean::new(".")?, flags)?;
        for part in parent.as_str().split('/').filter(|part| *part != ".") {
            directory = open_entry(directory.as_fd(), part.as_bytes(), flags)
                .map_err(|e| refused(e, path))?;
        }
        Ok((directory, name.to_owned()))
    }

    fn give(&self, made: &OwnedFd, path: &str) -> Result<(), WorkspaceError> {
        let Some(uid) = self.owner else {
            return Ok(());
        };
        let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(uid)));
        let given: Result<(), Errno> = rustix::fs::fchown(made, owner.0, owner.1);
        given.map_err(|e| refused(e, path))
    }
}

/// Workspaces that are all there and wait for what belongs to them.
#[must_use]
pub struct Complete {
    mark: PathBuf,
}

impl Complete {
    /// They are in use from now on: another import leaves them alone.
    ///
    /// # Errors
    /// When the mark can't be removed.
    pub fn unmark(self) -> Result<(), WorkspaceError> {
        std::fs::remove_file(&self.mark).map_err(|e| failed(&self.mark, &e))
    }
}

#[cfg(test)]
mod tests;

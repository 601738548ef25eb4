//! Writing one file so that whoever looks, at any time and after any crash, finds the old text or the new one.

use crate::beneath::{Clean, Root, kind, open_entry, refused, stat_entry};
use ports::workspace::{WRITE_LIMIT, WorkspaceError};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{Access, AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid},
    io::Errno,
};
use std::{
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The mode of a file that was not there before; the process's umask applies.
const NEW_FILE: u32 = 0o666;
const NEW_DIRECTORY: u32 = 0o777;

pub fn write(root: &Root, path: &str, text: &str) -> Result<(), WorkspaceError> {
    let clean = Clean::new(path)?;
    if clean.is_root() || path.ends_with('/') {
        return Err(WorkspaceError::IsDirectory(clean.as_str().to_owned()));
    }
    let bytes = text.len() as u64;
    if bytes > WRITE_LIMIT {
        return Err(WorkspaceError::TooLarge {
            path: clean.as_str().to_owned(),
            bytes,
            limit: WRITE_LIMIT,
        });
    }
    let owner = Owner::of(root)?;
    let (target, old) = target(root, clean)?;
    let Some((parent, name)) = target.split() else {
        return Err(WorkspaceError::IsDirectory(target.as_str().to_owned()));
    };
    let directory = parents(root, &parent, &owner)?;
    if old.is_some() {
        // Replacing needs only the directory's permission; a file that says "read only" is left alone all the same.
        rustix::fs::accessat(&directory, name, Access::WRITE_OK, AtFlags::EACCESS)
            .map_err(|e| refused(e, target.as_str()))?;
    }
    replace(&directory, name, text, &owner, old.as_ref()).map_err(|error| {
        match error.raw_os_error() {
            Some(code) => refused(Errno::from_raw_os_error(code), target.as_str()),
            None => WorkspaceError::Io(error.to_string()),
        }
    })
}

/// Who must own what is new: root writes for the sandbox's user, everybody else for himself.
struct Owner(Option<(Uid, Gid)>);

impl Owner {
    fn of(root: &Root) -> Result<Self, WorkspaceError> {
        let stat = root.stat()?;
        let chown = rustix::process::geteuid().is_root() && (stat.st_uid, stat.st_gid) != (0, 0);
        Ok(Self(chown.then(|| {
            (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid))
        })))
    }

    fn give(&self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        let Some((uid, gid)) = self.0 else {
            return Ok(());
        };
        rustix::fs::fchown(fd, Some(uid), Some(gid))
    }
}

/// The file that is to be replaced, with what it was. A link is followed, so that reading and writing mean the same file.
fn target(root: &Root, path: Clean) -> Result<(Clean, Option<Stat>), WorkspaceError> {
    let file = match root.open_beneath(&path, OFlags::PATH) {
        Ok(file) => file,
        Err(WorkspaceError::Missing(_)) => return Ok((absent(root, path)?, None)),
        // A file where a directory should be: `parents` says which.
        Err(WorkspaceError::NotDirectory(_)) => return Ok((path, None)),
        Err(other) => return Err(other),
    };
    let stat = rustix::fs::fstat(&file).map_err(|e| refused(e, path.as_str()))?;
    match kind(&stat) {
        FileType::RegularFile => Ok((root.real_path(file.as_fd(), &path)?, Some(stat))),
        FileType::Directory => Err(WorkspaceError::IsDirectory(path.as_str().to_owned())),
        _ => Err(WorkspaceError::Special(path.as_str().to_owned())),
    }
}

/// A link that leads to nothing inside is refused: replacing the link is as little what was asked for as creating its target.
fn absent(root: &Root, path: Clean) -> Result<Clean, WorkspaceError> {
    if let Some((parent, name)) = path.split()
        && let Ok(directory) = root.open_beneath(&parent, OFlags::PATH | OFlags::DIRECTORY)
        && stat_entry(directory.as_fd(), name.as_bytes())
            .is_ok_and(|stat| kind(&stat) == FileType::Symlink)
    {
        return Err(WorkspaceError::Io(format!(
            "“{}” is a link to something that does not exist",
            path.as_str()
        )));
    }
    Ok(path)
}

/// Opens a directory, creating what is missing on the way to it.
fn parents(root: &Root, path: &Clean, owner: &Owner) -> Result<OwnedFd, WorkspaceError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let Some((above, name)) = path.split() else {
        return root.open_beneath(path, flags);
    };
    match root.open_beneath(path, flags) {
        Err(WorkspaceError::Missing(_)) => {}
        // One level up it may be another component that is no directory; ask there before blaming this one.
        Err(WorkspaceError::NotDirectory(path)) => {
            parents(root, &above, owner)?;
            return Err(WorkspaceError::NotDirectory(path));
        }
        other => return other,
    }
    let above = parents(root, &above, owner)?;
    match rustix::fs::mkdirat(&above, name, Mode::from_raw_mode(NEW_DIRECTORY)) {
        Ok(()) => {
            let made = open_entry(above.as_fd(), name.as_bytes(), flags)
                .map_err(|e| refused(e, path.as_str()))?;
            owner
                .give(made.as_fd())
                .map_err(|e| refused(e, path.as_str()))?;
        }
        Err(Errno::EXIST) => {}
        Err(error) => return Err(refused(error, path.as_str())),
    }
    root.open_beneath(path, flags)
}

fn replace(
    directory: &OwnedFd,
    name: &str,
    text: &str,
    owner: &Owner,
    old: Option<&Stat>,
) -> std::io::Result<()> {
    let (temporary, file) = temporary(directory)?;
    let written = (|| {
        owner.give(file.as_fd())?;
        if let Some(old) = old {
            // Permission bits only: set-user-id must not survive a change of content.
            rustix::fs::fchmod(&file, Mode::from_raw_mode(old.st_mode & 0o777))?;
        }
        let mut file = std::fs::File::from(file);
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        rustix::fs::renameat(directory, &temporary, directory, name)?;
        Ok(())
    })();
    if written.is_err() {
        // What failed is what the caller wants to hear; a temporary file that stays is only untidy.
        let _ = rustix::fs::unlinkat(directory, &temporary, AtFlags::empty());
        return written;
    }
    // Without this the new name may be lost by a power cut although its bytes are not.
    rustix::fs::fsync(directory)?;
    Ok(())
}

fn temporary(directory: &OwnedFd) -> std::io::Result<(String, OwnedFd)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let name = format!(
            ".countersign-{}-{}.tmp",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        match rustix::fs::openat(directory, &name, flags, Mode::from_raw_mode(NEW_FILE)) {
            Ok(file) => return Ok((name, file)),
            // Left over from a process that had our number and died.
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

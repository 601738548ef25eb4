//! Opening what a path means, beneath a root, in one step that nobody can get in between.

use ports::workspace::WorkspaceError;
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat},
    io::Errno,
};
use std::path::Path;

/// `openat2` answers EAGAIN when something was renamed while it resolved a `..` of a link; somebody who renames all the time must
/// not keep us here for ever.
const RENAME_RETRIES: usize = 128;

/// The open root of a workspace.
pub struct Root {
    fd: OwnedFd,
}

impl Root {
    pub fn open(path: &Path) -> Result<Self, WorkspaceError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| refused(e, &path.display().to_string()))?;
        Ok(Self { fd })
    }

    pub fn stat(&self) -> Result<Stat, WorkspaceError> {
        rustix::fs::fstat(&self.fd).map_err(|e| refused(e, "."))
    }

    /// Opens `path` with `flags`. Never waits for the other end of a pipe, never makes a terminal ours.
    pub fn open_beneath(&self, path: &Clean, flags: OFlags) -> Result<OwnedFd, WorkspaceError> {
        open(
            self.fd.as_fd(),
            path.as_bytes(),
            flags,
            ResolveFlags::empty(),
        )
        .map_err(|e| refused(e, path.as_str()))
    }

    /// Where an open file really is, relative to the root and free of links. The answer may be outdated when it arrives, so it
    /// is only good for being opened beneath the root again.
    pub fn real_path(&self, file: BorrowedFd<'_>, path: &Clean) -> Result<Clean, WorkspaceError> {
        let (root, file) = (named(self.fd.as_fd())?, named(file)?);
        let inside = file
            .strip_prefix(&root)
            .map_err(|_| WorkspaceError::Outside(path.as_str().to_owned()))?;
        let inside = inside.to_str().ok_or_else(|| {
            WorkspaceError::Io(format!(
                "“{}” leads to a name that is not UTF-8",
                path.as_str()
            ))
        })?;
        Clean::new(inside)
    }
}

fn named(fd: BorrowedFd<'_>) -> Result<std::path::PathBuf, WorkspaceError> {
    use rustix::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
        .map_err(|e| WorkspaceError::Io(format!("/proc: {e}")))
}

/// Opens one name in a directory that is open already, following no link at all.
pub fn open_entry(directory: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    open(
        directory,
        name,
        flags | OFlags::NOFOLLOW,
        ResolveFlags::NO_SYMLINKS,
    )
}

fn open(
    directory: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    more: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    // O_PATH refuses flags that make no sense with it.
    let flags = if flags.contains(OFlags::PATH) {
        flags
    } else {
        flags | OFlags::NONBLOCK | OFlags::NOCTTY
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | more;
    for _ in 0..RENAME_RETRIES {
        match rustix::fs::openat2(directory, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

/// Without following a link.
pub fn stat_entry(directory: BorrowedFd<'_>, name: &[u8]) -> Result<Stat, Errno> {
    rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
}

pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// What the kernel said, in the port's words.
pub fn refused(errno: Errno, path: &str) -> WorkspaceError {
    let path = path.to_owned();
    match errno {
        Errno::NOENT => WorkspaceError::Missing(path),
        Errno::XDEV => WorkspaceError::Outside(path),
        Errno::ISDIR => WorkspaceError::IsDirectory(path),
        Errno::NOTDIR => WorkspaceError::NotDirectory(path),
        Errno::ACCESS | Errno::PERM | Errno::ROFS => WorkspaceError::Forbidden(path),
        Errno::NXIO | Errno::NODEV => WorkspaceError::Special(path),
        Errno::NOSPC | Errno::DQUOT => WorkspaceError::DiskFull,
        Errno::LOOP => WorkspaceError::Io(format!("“{path}” is a link that leads in a circle")),
        Errno::AGAIN => WorkspaceError::Io(format!("“{path}” is being renamed all the time")),
        Errno::NAMETOOLONG => WorkspaceError::Io(format!(
            "the name “{}…” is too long",
            path.chars().take(60).collect::<String>()
        )),
        Errno::NOSYS => WorkspaceError::Io(
            "this kernel has no openat2: Linux 5.6 or newer is needed".to_owned(),
        ),
        other => WorkspaceError::Io(format!("“{path}”: {other}")),
    }
}

/// A relative path without `.`, `..`, doubled slashes and NUL; `.` for the root itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clean(String);

impl Clean {
    /// # Errors
    /// `Outside` for an absolute path and for any `..`: permission rules compare paths as text, so `a/../b` must not be a second
    /// spelling of `b`. `Missing` for a NUL, which no file's name can hold.
    pub fn new(path: &str) -> Result<Self, WorkspaceError> {
        if path.contains('\0') {
            return Err(WorkspaceError::Missing(path.replace('\0', "\\0")));
        }
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return Err(WorkspaceError::Outside(path.to_owned()));
        }
        let parts: Vec<&str> = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        Ok(Self(if parts.is_empty() {
            ".".to_owned()
        } else {
            parts.join("/")
        }))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    /// The directory and the name in it; none for the root.
    pub fn split(&self) -> Option<(Clean, &str)> {
        if self.is_root() {
            return None;
        }
        match self.0.rsplit_once('/') {
            Some((parent, name)) => Some((Self(parent.to_owned()), name)),
            None => Some((Self(".".to_owned()), &self.0)),
        }
    }
}

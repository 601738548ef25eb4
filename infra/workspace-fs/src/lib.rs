//! The files of a session on this machine's disk.
//!
//! Every path that a model names is resolved by the kernel, beneath the workspace's root (`openat2` with `RESOLVE_BENEATH`), in
//! the same call that opens it. There is deliberately no "check, then open": while we check, a command in the sandbox may swap
//! a directory for a link. Links inside the workspace that stay inside are followed; all others are answered with
//! [`WorkspaceError::Outside`].
//!
//! [`beneath`] opens, [`read`] and [`write`] are single files, [`walk`] is what needs the whole tree, [`backup`] all trees at once.

pub mod backup;
mod beneath;
mod read;
mod walk;
mod write;

#[cfg(test)]
mod tests;

use domain::{Digest, id::SessionId};
use ports::workspace::{Entry, FileText, Found, Workspace, WorkspaceError, Workspaces};
use std::{
    io,
    os::unix::fs::{DirBuilderExt, chown},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Hands each session a directory of its own, or all of them the one directory that the person named.
#[derive(Clone, Debug)]
pub struct FsWorkspaces {
    root: PathBuf,
    own: Option<PathBuf>,
    owner: Option<u32>,
}

impl FsWorkspaces {
    /// Sessions get directories below `root`, which is created when the first is opened. With `own` (`--workspace DIR`) every
    /// session gets that directory instead; it must exist, and neither its owner nor its mode is ever changed.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, own: Option<PathBuf>) -> Self {
        Self {
            root: root.into(),
            own,
            owner: None,
        }
    }

    /// Started as root, commands run as another user (see `sandbox-bwrap`): session directories are given to that user id, and
    /// what is written into them later gets the same owner. Without effect for a process that is not root.
    #[must_use]
    pub fn owned_by(mut self, uid: Option<u32>) -> Self {
        self.owner = uid.filter(|_| rustix::process::geteuid().is_root());
        self
    }

    fn make_root(&self) -> Result<(), WorkspaceError> {
        // 0711: the sandbox's user must get through to its own session, and sees no other session's name.
        let mode = if self.owner.is_some() { 0o711 } else { 0o700 };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(&self.root)
            .map_err(|e| failed(&self.root, &e))
    }

    fn session_directory(&self, session: &SessionId) -> Result<PathBuf, WorkspaceError> {
        self.make_root()?;
        let directory = self.root.join(directory_name(session));
        match std::fs::DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
            other => other.map_err(|e| failed(&directory, &e))?,
        }
        // Also for one that was there: a crash may have come between the two calls.
        if let Some(uid) = self.owner {
            chown(&directory, Some(uid), Some(uid)).map_err(|e| failed(&directory, &e))?;
        }
        Ok(directory)
    }
}

#[async_trait::async_trait]
impl Workspaces for FsWorkspaces {
    async fn open(
        &self,
        session: &SessionId,
        own: Option<&str>,
    ) -> Result<Arc<dyn Workspace>, WorkspaceError> {
        let (this, session) = (self.clone(), session.clone());
        let own = own.map(PathBuf::from).or_else(|| self.own.clone());
        let root = blocking(move || match own {
            Some(own) => own.canonicalize().map_err(|e| failed(&own, &e)),
            None => this
                .session_directory(&session)?
                .canonicalize()
                .map_err(|e| failed(&this.root, &e)),
        })
        .await?;
        Ok(Arc::new(FsWorkspace::new(root)?))
    }
}

/// A readable, harmless name. The digest keeps apart what the replaced characters would make equal.
fn directory_name(session: &SessionId) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '-'
        }
    };
    let readable: String = session.as_str().chars().map(safe).take(64).collect();
    format!("{readable}-{}", Digest::of_bytes(session.as_str()).short())
}

fn failed(path: &Path, error: &io::Error) -> WorkspaceError {
    let shown = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound => WorkspaceError::Missing(shown),
        io::ErrorKind::PermissionDenied => WorkspaceError::Forbidden(shown),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            WorkspaceError::NotDirectory(shown)
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => WorkspaceError::DiskFull,
        _ => WorkspaceError::Io(format!("{shown}: {error}")),
    }
}

/// One directory and what is beneath it.
#[derive(Clone, Debug)]
pub struct FsWorkspace {
    root: PathBuf,
}

impl FsWorkspace {
    /// # Errors
    /// When `root` is not a directory that can be opened.
    pub fn new(root: impl Into<PathBuf>) -> Result<Self, WorkspaceError> {
        let root = root.into();
        beneath::Root::open(&root)?;
        Ok(Self { root })
    }

    /// Opened anew for each operation: the directory may have been replaced (a restored snapshot) since the last one.
    async fn with_root<T: Send + 'static>(
        &self,
        work: impl FnOnce(&beneath::Root) -> Result<T, WorkspaceError> + Send + 'static,
    ) -> Result<T, WorkspaceError> {
        let root = self.root.clone();
        blocking(move || work(&beneath::Root::open(&root)?)).await
    }
}

#[async_trait::async_trait]
impl Workspace for FsWorkspace {
    fn root(&self) -> PathBuf {
        self.root.clone()
    }

    async fn list(
        &self,
        path: &str,
        recursive: bool,
    ) -> Result<(Vec<Entry>, bool), WorkspaceError> {
        let path = path.to_owned();
        self.with_root(move |root| walk::list(root, &path, recursive))
            .await
    }

    async fn read(&self, path: &str) -> Result<FileText, WorkspaceError> {
        let path = path.to_owned();
        self.with_root(move |root| read::read(root, &path)).await
    }

    async fn write(&self, path: &str, text: &str) -> Result<(), WorkspaceError> {
        let (path, text) = (path.to_owned(), text.to_owned());
        self.with_root(move |root| write::write(root, &path, &text))
            .await
    }

    async fn search(&self, needle: &str, glob: &str) -> Result<(Vec<Found>, bool), WorkspaceError> {
        let (needle, glob) = (needle.to_owned(), glob.to_owned());
        self.with_root(move |root| walk::search(root, &needle, &glob))
            .await
    }

    async fn manifest(&self) -> Result<Digest, WorkspaceError> {
        self.with_root(walk::manifest).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WorkspaceError> + Send + 'static,
) -> Result<T, WorkspaceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| WorkspaceError::Io(error.to_string()))?
}

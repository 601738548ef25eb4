//! A directory that is gone when nobody needs it: a workspace to probe with, a command's temporary files.

use crate::{Entry, Identity};
use ports::sandbox::{Exec, SandboxError};
use std::{
    fs, io,
    os::unix::{
        fs::{DirBuilderExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

static COUNTER: AtomicU64 = AtomicU64::new(0);

pub struct Scratch {
    path: PathBuf,
    identity: Option<Identity>,
}

impl Scratch {
    /// Of whom commands run as, and for him only. It is in `/tmp`, the one place that any user can get to.
    ///
    /// # Errors
    /// [`SandboxError::Setup`] when it cannot be made.
    pub fn new(identity: Option<Identity>) -> Result<Self, SandboxError> {
        let name = format!(
            "countersign-{}-{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new("/tmp").join(name);
        make(&path, identity)
            .map_err(|e| SandboxError::Setup(format!("{}: {e}", path.display())))?;
        Ok(Self { path, identity })
    }

    /// The workspace of a command that names none, for as long as this is kept.
    ///
    /// # Errors
    /// As [`Scratch::new`]; and [`SandboxError::Unavailable`] where this process is root and `uid` is nobody.
    pub fn where_none(exec: &mut Exec, uid: Option<u32>) -> Result<Option<Self>, SandboxError> {
        if !exec.workspace.as_os_str().is_empty() {
            return Ok(None);
        }
        let scratch = Self::new(Identity::to_become(uid)?)?;
        exec.workspace = scratch.path().to_owned();
        Ok(Some(scratch))
    }

    /// Puts files into the directory `inputs` of it, and answers that directory. Only before a command was let into it.
    ///
    /// # Errors
    /// [`SandboxError::Setup`] when one cannot be written.
    pub fn with_inputs(
        &self,
        files: &[(String, std::sync::Arc<[u8]>)],
    ) -> Result<PathBuf, SandboxError> {
        let inputs = self.path.join("inputs");
        let write = |path: &str, content: &[u8]| -> io::Result<()> {
            let path = inputs.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&inputs))?;
            fs::write(path, content)
        };
        for (path, content) in files {
            write(path, content).map_err(|e| SandboxError::Setup(format!("{path}: {e}")))?;
        }
        Ok(inputs)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn make(path: &Path, identity: Option<Identity>) -> io::Result<()> {
    let create = || fs::DirBuilder::new().mode(0o700).create(path);
    match create() {
        // Of a process that had our number and was killed.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            remove(path, identity);
            create()?;
        }
        other => other?,
    }
    match identity {
        Some(Identity { uid, gid }) => chown(path, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

/// As the user whose it is: what a command has left there must not be walked by root. And by a program that takes trees of any
/// depth.
fn remove(path: &Path, identity: Option<Identity>) {
    let entry = Entry {
        identity,
        ..Entry::default()
    };
    let mut rm = Command::new("/bin/rm");
    rm.args(["-rf", "--"])
        .arg(path)
        .env_clear()
        .current_dir("/");
    rm.stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: `enter` is made for this place.
    unsafe { rm.pre_exec(move || entry.enter()) };
    let removed = rm.status().is_ok_and(|status| status.success());
    if !removed {
        tracing::warn!(path = %path.display(), "a command's temporary files cannot be removed");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nearly always there is nothing left in it.
        if fs::remove_dir(&self.path).is_err() {
            remove(&self.path, self.identity);
        }
    }
}

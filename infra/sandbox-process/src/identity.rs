//! Whom a command runs as.

use ports::sandbox::SandboxError;
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
}

impl Identity {
    /// Whom this process must become before it starts a sandbox; none when it is an ordinary user already.
    ///
    /// # Errors
    /// [`SandboxError::Unavailable`] for root without somebody to become: inside of a user namespace root is still the host's
    /// root for files such as `/proc/sys/kernel/core_pattern`.
    pub fn to_become(uid: Option<u32>) -> Result<Option<Self>, SandboxError> {
        if !rustix::process::geteuid().is_root() && !rustix::process::getuid().is_root() {
            return Ok(None);
        }
        match uid {
            Some(uid) if uid != 0 => Ok(Some(Self { uid, gid: uid })),
            _ => Err(SandboxError::Unavailable(
                "started as root, and no unprivileged user id is configured for commands: configure one, or start Countersign \
                 as an ordinary user"
                    .to_owned(),
            )),
        }
    }

    /// Answers why this identity could not work in the directory. `reach` is false when its path needs not be walked.
    ///
    /// # Errors
    /// [`SandboxError::Unavailable`] with what to change.
    pub fn check_workspace(&self, workspace: &Path, reach: bool) -> Result<(), SandboxError> {
        let unavailable = |text: String| Err(SandboxError::Unavailable(text));
        let ancestors: Vec<&Path> = if reach {
            workspace.ancestors().skip(1).collect()
        } else {
            Vec::new()
        };
        for directory in ancestors.into_iter().rev() {
            if !self.may(directory, 0o1) {
                return unavailable(format!(
                    "commands run as user {uid}, who cannot get through {shown} to the workspace {workspace}: move the data \
                     directory (COUNTERSIGN_HOME) to a place such as /var/lib/countersign, or `chmod o+x {shown}`",
                    uid = self.uid,
                    shown = directory.display(),
                    workspace = workspace.display(),
                ));
            }
        }
        if !self.may(workspace, 0o3) {
            return unavailable(format!(
                "commands run as user {uid}, who may not write in the workspace {shown}: `chown -R {uid} {shown}`, or start \
                 Countersign as the directory's owner",
                uid = self.uid,
                shown = workspace.display(),
            ));
        }
        Ok(())
    }

    /// By mode and owner only; what access lists add or take is found by the command itself.
    fn may(&self, path: &Path, wanted: u32) -> bool {
        let Ok(stat) = std::fs::metadata(path) else {
            return true;
        };
        let mode = stat.permissions().mode();
        let granted = if stat.uid() == self.uid {
            mode >> 6
        } else if stat.gid() == self.gid {
            mode >> 3
        } else {
            mode
        };
        granted & wanted == wanted
    }
}

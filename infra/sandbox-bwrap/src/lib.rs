//! Commands in [bubblewrap](https://github.com/containers/bubblewrap): namespaces of their own for users, processes, mounts,
//! network and the rest, so that nothing of this machine is there but its programs (read only) and the workspace.
//!
//! [`arguments`] says what the command sees, [`start`] how it gets there (from root down to a user of no rights, with nothing
//! inherited), [`explain`] what a person can do where it does not work. The limits and the end of a whole tree are in
//! `sandbox-process`.

mod arguments;
mod explain;
mod start;

#[cfg(test)]
mod tests;

use ports::sandbox::{Ended, Exec, Grants, SandboxError};
use sandbox_process::{Identity, Spawner, Started, Walled, Walls, cgroup::Cgroups};
use start::{Ground, Status};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// A name that is looked for in `/usr/local/bin`, `/usr/bin` and `/bin`, or a path.
    pub program: PathBuf,
    /// Whom commands run as when this process is root; without one root is refused. Workspaces must belong to that user
    /// (`workspace-fs` gives them to him).
    pub uid: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            program: "bwrap".into(),
            uid: Some(sandbox_process::DEFAULT_UID),
        }
    }
}

pub type BwrapSandbox = Walled<Bubblewrap>;

/// Cheap; what can be had here is found out by the first probe or run.
///
/// # Errors
/// When the system has no thread left.
pub fn sandbox(options: Options) -> Result<BwrapSandbox, SandboxError> {
    let spawner = Spawner::new("bwrap-spawner").map_err(|e| SandboxError::Setup(e.to_string()))?;
    Ok(Walled(Bubblewrap {
        options,
        spawner,
        ground: Arc::default(),
    }))
}

pub struct Bubblewrap {
    options: Options,
    spawner: Spawner,
    ground: Arc<OnceLock<Ground>>,
}

#[async_trait::async_trait]
impl Walls for Bubblewrap {
    type Status = Status;

    const NAME: &'static str = "bubblewrap";
    const VERSION: &'static str = "bubblewrap/1";
    const TRIAL: &'static str = "test \"$(id -u)\" -ne 0 && : > inside && echo ready";

    fn uid(&self) -> Option<u32> {
        self.options.uid
    }

    async fn start(
        &self,
        exec: &Exec,
        grants: Option<Grants>,
    ) -> Result<Started<Status>, SandboxError> {
        let identity = Identity::to_become(self.options.uid)?;
        let program = explain::program(&self.options.program)?;
        let (ground, exec) = (Arc::clone(&self.ground), exec.clone());
        self.spawner
            .run(move || {
                let ground = ground.get_or_init(|| Ground::find(identity));
                start::start(&program, &exec, grants.as_ref(), ground)
            })
            .await?
    }

    fn ended(status: Status, output: &[u8]) -> Result<Ended, SandboxError> {
        match status.exit_code() {
            Some(code) => Ok(by_shell_convention(code)),
            // bubblewrap tells no exit code when the command never began; what it said instead is in the output.
            None => Err(explain::failed(&String::from_utf8_lossy(output))),
        }
    }

    fn degraded(&self) -> Vec<String> {
        let ground = self.ground.get();
        let cgroups = ground
            .map(|ground| ground.cgroups.clone())
            .unwrap_or_default();
        degraded(&cgroups, rustix::process::geteuid().is_root())
    }
}

fn degraded(cgroups: &Cgroups, root: bool) -> Vec<String> {
    if cgroups.limit_memory() {
        return Vec::new();
    }
    let remedy = if root {
        "mount /sys/fs/cgroup writable"
    } else {
        "start with `systemd-run --user --scope -p Delegate=yes`"
    };
    vec![format!(
        "memory is measured ten times a second instead of limited by the kernel: no cgroup can be written ({remedy})"
    )]
}

/// bubblewrap tells a death by signal n as 128 + n, like a shell, and so does a shell whose child dies. 31 is the last signal
/// with a meaning of its own; above it are exit codes such as git's 128 and ssh's 255.
fn by_shell_convention(code: i32) -> Ended {
    match code - 128 {
        signal @ 1..=31 => Ended::Signal(signal),
        _ => Ended::Exit(code),
    }
}

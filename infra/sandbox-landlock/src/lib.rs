//! Commands behind [Landlock](https://landlock.io), seccomp and rlimits: for places where user namespaces are forbidden, such as most
//! containers.
//!
//! The command lives on this machine like any other process, but the kernel refuses it every file that [`walls`] does not name,
//! every socket, and every signal to a process outside. Nothing can hide what is there, so this tier is weaker than
//! bubblewrap; [`degraded`] says in what. A supervisor (see `sandbox-process`) ends the whole tree.

mod degraded;
mod start;
mod walls;

#[cfg(test)]
mod tests;

use ports::sandbox::{Ended, Exec, Grants, SandboxError};
use sandbox_process::{Identity, Spawner, Started, Walled, Walls, cgroup::Cgroups, supervise};
use start::Status;
use std::{
    os::unix::process::ExitStatusExt,
    sync::{Arc, OnceLock},
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whom commands run as when this process is root; without one root is refused. Workspaces must belong to that user
    /// (`workspace-fs` gives them to him).
    pub uid: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            uid: Some(sandbox_process::DEFAULT_UID),
        }
    }
}

pub type LandlockSandbox = Walled<Landlock>;

/// Cheap; what can be had here is found out by the first probe or run.
///
/// # Errors
/// When the system has no thread left.
pub fn sandbox(options: Options) -> Result<LandlockSandbox, SandboxError> {
    let spawner =
        Spawner::new("landlock-spawner").map_err(|e| SandboxError::Setup(e.to_string()))?;
    Ok(Walled(Landlock {
        options,
        spawner,
        cgroups: Arc::default(),
    }))
}

pub struct Landlock {
    options: Options,
    spawner: Spawner,
    cgroups: Arc<OnceLock<Cgroups>>,
}

#[async_trait::async_trait]
impl Walls for Landlock {
    type Status = Status;

    const NAME: &'static str = "landlock";
    const VERSION: &'static str = "landlock/1";
    /// `/` can be listed by everybody else.
    const TRIAL: &'static str =
        "test \"$(id -u)\" -ne 0 && : > inside && ! ls / >/dev/null 2>&1 && echo ready";

    fn uid(&self) -> Option<u32> {
        self.options.uid
    }

    async fn start(
        &self,
        exec: &Exec,
        grants: Option<Grants>,
    ) -> Result<Started<Status>, SandboxError> {
        let identity = Identity::to_become(self.options.uid)?;
        walls::check(walls::version(), identity.is_some())?;
        supervise::check()?;
        let (cgroups, exec) = (Arc::clone(&self.cgroups), exec.clone());
        self.spawner
            .run(move || {
                let cgroups = cgroups.get_or_init(Cgroups::find);
                start::start(&exec, grants.as_ref(), identity, cgroups)
            })
            .await?
    }

    fn ended(status: Status, output: &[u8]) -> Result<Ended, SandboxError> {
        let Some(status) = status.read() else {
            let said = String::from_utf8_lossy(output);
            return Err(SandboxError::Setup(format!(
                "the supervisor ended without a word: {said}"
            )));
        };
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => Ended::Exit(code),
            (None, Some(signal)) => Ended::Signal(signal),
            (None, None) => Ended::Signal(0),
        })
    }

    fn degraded(&self) -> Vec<String> {
        let cgroups = self.cgroups.get().cloned().unwrap_or_default();
        let other_user = Identity::to_become(self.options.uid).is_ok_and(|it| it.is_some());
        degraded::degraded(walls::version(), other_user, &cgroups)
    }
}

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

use domain::Digest;
use ports::sandbox::{
    Cancel, Ended, Exec, ExecResult, Grants, Limits, Sandbox, SandboxError, Serve, Serving, Tier,
};
use sandbox_process::{Identity, Output, Scratch, Spawner, cgroup::Cgroups, supervise, watch};
use start::Started;
use std::{
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Changes with every change of the walls: an approval given for the old ones is none for the new ones.
const WALLS: &str = "landlock/1";
const PROBE_WALL: Duration = Duration::from_secs(20);

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

pub struct LandlockSandbox {
    options: Options,
    spawner: Spawner,
    cgroups: Arc<OnceLock<Cgroups>>,
}

impl LandlockSandbox {
    /// Cheap; what can be had here is found out by the first probe or run.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn new(options: Options) -> Result<Self, SandboxError> {
        let spawner =
            Spawner::new("landlock-spawner").map_err(|e| SandboxError::Setup(e.to_string()))?;
        Ok(Self {
            options,
            spawner,
            cgroups: Arc::default(),
        })
    }

    /// With grants it is a server, which is talked to.
    async fn start(&self, exec: &Exec, grants: Option<Grants>) -> Result<Started, SandboxError> {
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
}

#[async_trait::async_trait]
impl Sandbox for LandlockSandbox {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        let identity = Identity::to_become(self.options.uid)?;
        let workspace = Scratch::new(identity)?;
        let limits = Limits {
            wall: PROBE_WALL,
            ..Limits::default()
        };
        // That it works, and that the walls stand: `/` can be listed by everybody else.
        let command =
            "test \"$(id -u)\" -ne 0 && : > inside && ! ls / >/dev/null 2>&1 && echo ready";
        let exec = Exec {
            command: command.to_owned(),
            workspace: workspace.path().to_owned(),
            files: Vec::new(),
            read_only: false,
            limits,
        };
        let result = self.run(exec, Cancel::default()).await?;
        if result.ended == Ended::Exit(0) && result.output == b"ready\n" {
            let cgroups = self.cgroups.get().cloned().unwrap_or_default();
            let degraded = degraded::degraded(walls::version(), identity.is_some(), &cgroups);
            return Ok(Tier {
                name: "landlock",
                degraded,
            });
        }
        let said = String::from_utf8_lossy(&result.output).trim().to_owned();
        Err(SandboxError::Unavailable(format!(
            "a test command behind Landlock ended with {:?} and said “{said}”",
            result.ended
        )))
    }

    async fn run(&self, mut exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError> {
        if cancel.is_raised() {
            return Ok(ExecResult {
                ended: Ended::Cancelled,
                output: Vec::new(),
                output_bytes: 0,
            });
        }
        let _empty = Scratch::where_none(&mut exec, self.options.uid)?;
        let started = self.start(&exec, None).await?;
        end(started, exec.limits, cancel).await
    }

    async fn serve(&self, serve: Serve, cancel: Cancel) -> Result<Serving, SandboxError> {
        let mut started = self.start(&serve.exec, Some(serve.grants)).await?;
        let (stdin, stdout) = started
            .talk
            .take()
            .ok_or_else(|| SandboxError::Setup("the server has no pipes".to_owned()))?;
        let ended = Box::pin(end(started, serve.exec.limits, cancel));
        Ok(Serving {
            stdin,
            stdout,
            ended,
        })
    }

    fn digest(&self, limits: &Limits) -> Digest {
        let walls = (WALLS, "no network", limits);
        Digest::of(&walls).unwrap_or_else(|_| Digest::of_bytes(format!("{walls:?}")))
    }
}

/// Waits for its end.
async fn end(started: Started, limits: Limits, cancel: Cancel) -> Result<ExecResult, SandboxError> {
    let failed = |error: std::io::Error| {
        SandboxError::Setup(format!("the command can no longer be watched: {error}"))
    };
    let output = Output::new(started.output, limits.output).map_err(failed)?;
    let watched = watch(started.tree, output, &limits, &cancel)
        .await
        .map_err(failed)?;
    let ended = match (watched.stopped, started.status.read()) {
        (Some(stopped), _) => stopped,
        (None, Some(status)) => ended(status),
        (None, None) => {
            let said = String::from_utf8_lossy(&watched.output).into_owned();
            return Err(SandboxError::Setup(format!(
                "the supervisor ended without a word: {said}"
            )));
        }
    };
    Ok(ExecResult {
        ended,
        output: watched.output,
        output_bytes: watched.output_bytes,
    })
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exit(code),
        (None, Some(signal)) => Ended::Signal(signal),
        (None, None) => Ended::Signal(0),
    }
}

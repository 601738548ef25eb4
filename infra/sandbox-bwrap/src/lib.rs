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

use domain::Digest;
use ports::sandbox::{
    Cancel, Ended, Exec, ExecResult, Grants, Limits, Sandbox, SandboxError, Serve, Serving, Tier,
};
use sandbox_process::{Identity, Output, Scratch, Spawner, cgroup::Cgroups, watch};
use start::{Ground, Started};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Changes with every change of the walls: an approval given for the old ones is none for the new ones.
const WALLS: &str = "bubblewrap/1";
/// Probing a healthy system takes some 20 ms.
const PROBE_WALL: Duration = Duration::from_secs(20);

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

pub struct BwrapSandbox {
    options: Options,
    spawner: Spawner,
    ground: Arc<OnceLock<Ground>>,
}

impl BwrapSandbox {
    /// Cheap; what can be had here is found out by the first probe or run.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn new(options: Options) -> Result<Self, SandboxError> {
        let spawner =
            Spawner::new("bwrap-spawner").map_err(|e| SandboxError::Setup(e.to_string()))?;
        Ok(Self {
            options,
            spawner,
            ground: Arc::default(),
        })
    }

    /// With grants it is a server, which is talked to.
    async fn start(&self, exec: &Exec, grants: Option<Grants>) -> Result<Started, SandboxError> {
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

    /// What is weaker than it could be. After the first start.
    fn degraded(&self) -> Vec<String> {
        let cgroups = self
            .ground
            .get()
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

#[async_trait::async_trait]
impl Sandbox for BwrapSandbox {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        let identity = Identity::to_become(self.options.uid)?;
        let workspace = Scratch::new(identity)?;
        let limits = Limits {
            wall: PROBE_WALL,
            ..Limits::default()
        };
        let command = "test \"$(id -u)\" -ne 0 && : > inside && echo ready".to_owned();
        let exec = Exec {
            command,
            workspace: workspace.path().to_owned(),
            files: Vec::new(),
            read_only: false,
            limits,
        };
        let result = self.run(exec, Cancel::default()).await?;
        if result.ended == Ended::Exit(0)
            && result.output == b"ready\n"
            && workspace.path().join("inside").exists()
        {
            return Ok(Tier {
                name: "bubblewrap",
                degraded: self.degraded(),
            });
        }
        let said = String::from_utf8_lossy(&result.output).trim().to_owned();
        Err(SandboxError::Unavailable(format!(
            "a test command in bubblewrap ended with {:?} and said “{said}”",
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
    let ended = match watched.stopped {
        Some(stopped) => stopped,
        None => match started.status.exit_code() {
            Some(code) => by_shell_convention(code),
            // bubblewrap tells no exit code when the command never began; what it said instead is in the output.
            None => return Err(explain::failed(&String::from_utf8_lossy(&watched.output))),
        },
    };
    Ok(ExecResult {
        ended,
        output: watched.output,
        output_bytes: watched.output_bytes,
    })
}

/// bubblewrap tells a death by signal n as 128 + n, like a shell, and so does a shell whose child dies. 31 is the last signal
/// with a meaning of its own; above it are exit codes such as git's 128 and ssh's 255.
fn by_shell_convention(code: i32) -> Ended {
    match code - 128 {
        signal @ 1..=31 => Ended::Signal(signal),
        _ => Ended::Exit(code),
    }
}

//! A sandbox is walls around a tree of processes. The walls are a tier's own; what happens to a command behind them is not.

use crate::{Identity, Output, Scratch, Tree, watch};
use domain::Digest;
use ports::sandbox::{
    Cancel, Ended, Exec, ExecResult, Grants, Limits, Sandbox, SandboxError, Serve, Serving, Tier,
};
use rustix::fd::OwnedFd;
use std::{io, time::Duration};

/// Probing a healthy system takes some 20 ms.
const PROBE_WALL: Duration = Duration::from_secs(20);

/// What a tier of sandboxes is made of.
#[async_trait::async_trait]
pub trait Walls: Send + Sync {
    /// What tells how a command ended by itself.
    type Status: Send;

    /// The tier's, for people.
    const NAME: &'static str;
    /// Changes with every change of the walls: an approval given for the old ones is none for the new ones.
    const VERSION: &'static str;
    /// A command that writes a file `inside` and says `ready` if the walls stand.
    const TRIAL: &'static str;

    /// Whom commands run as when this process is root.
    fn uid(&self) -> Option<u32>;

    /// Starts a command; with grants it is a server, which is talked to.
    ///
    /// # Errors
    /// When this machine does not have what the walls need, or the command cannot be started.
    async fn start(
        &self,
        exec: &Exec,
        grants: Option<Grants>,
    ) -> Result<Started<Self::Status>, SandboxError>;

    /// How a command ended that nobody stopped; it left this output.
    ///
    /// # Errors
    /// When it never began.
    fn ended(status: Self::Status, output: &[u8]) -> Result<Ended, SandboxError>;

    /// What is weaker than it could be, for people to weigh. After the first start.
    fn degraded(&self) -> Vec<String>;
}

/// A running command.
pub struct Started<S> {
    pub tree: Tree,
    pub output: OwnedFd,
    pub status: S,
    /// Our ends of a server's stdin and stdout.
    pub talk: Option<(OwnedFd, OwnedFd)>,
}

/// The sandbox behind such walls.
pub struct Walled<W>(pub W);

#[async_trait::async_trait]
impl<W: Walls + 'static> Sandbox for Walled<W> {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        let workspace = Scratch::new(Identity::to_become(self.0.uid())?)?;
        let exec = Exec {
            command: W::TRIAL.to_owned(),
            workspace: workspace.path().to_owned(),
            files: Vec::new(),
            read_only: false,
            limits: Limits {
                wall: PROBE_WALL,
                ..Limits::default()
            },
        };
        let result = self.run(exec, Cancel::default()).await?;
        if result.ended == Ended::Exit(0)
            && result.output == b"ready\n"
            && workspace.path().join("inside").exists()
        {
            return Ok(Tier {
                name: W::NAME,
                degraded: self.0.degraded(),
            });
        }
        let said = String::from_utf8_lossy(&result.output).trim().to_owned();
        Err(SandboxError::Unavailable(format!(
            "a test command behind {} ended with {:?} and said “{said}”",
            W::NAME,
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
        let _empty = Scratch::where_none(&mut exec, self.0.uid())?;
        check(&exec)?;
        let started = self.0.start(&exec, None).await?;
        end::<W>(started, exec.limits, cancel).await
    }

    async fn serve(&self, serve: Serve, cancel: Cancel) -> Result<Serving, SandboxError> {
        check(&serve.exec)?;
        let mut started = self.0.start(&serve.exec, Some(serve.grants)).await?;
        let (stdin, stdout) = started
            .talk
            .take()
            .ok_or_else(|| SandboxError::Setup("the server has no pipes".to_owned()))?;
        let ended = Box::pin(end::<W>(started, serve.exec.limits, cancel));
        Ok(Serving {
            stdin,
            stdout,
            ended,
        })
    }

    fn digest(&self, limits: &Limits) -> Digest {
        let walls = (W::VERSION, "no network", limits);
        Digest::of(&walls).unwrap_or_else(|_| Digest::of_bytes(format!("{walls:?}")))
    }
}

fn check(exec: &Exec) -> Result<(), SandboxError> {
    if exec.command.contains('\0') {
        return Err(SandboxError::Setup(
            "a command cannot contain NUL".to_owned(),
        ));
    }
    if !exec.workspace.is_dir() {
        let shown = exec.workspace.display();
        return Err(SandboxError::Setup(format!(
            "the workspace {shown} is not there"
        )));
    }
    Ok(())
}

/// Waits for its end.
async fn end<W: Walls>(
    started: Started<W::Status>,
    limits: Limits,
    cancel: Cancel,
) -> Result<ExecResult, SandboxError> {
    let failed = |error: io::Error| {
        SandboxError::Setup(format!("the command can no longer be watched: {error}"))
    };
    let output = Output::new(started.output, limits.output).map_err(failed)?;
    let watched = watch(started.tree, output, &limits, &cancel)
        .await
        .map_err(failed)?;
    let ended = match watched.stopped {
        Some(stopped) => stopped,
        None => W::ended(started.status, &watched.output)?,
    };
    Ok(ExecResult {
        ended,
        output: watched.output,
        output_bytes: watched.output_bytes,
    })
}

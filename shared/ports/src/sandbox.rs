//! A place where a command can do no harm: it sees the workspace and the system's programs, no network and no secret. A server that
//! is talked to may be granted more ([`Grants`]).

use domain::Digest;
use futures::future::BoxFuture;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{os::fd::OwnedFd, path::PathBuf, sync::Arc, time::Duration};

/// One command line, run by `sh -c` in the workspace.
#[derive(Clone, Debug)]
pub struct Exec {
    pub command: String,
    /// The directory that appears as `/workspace`, the only place that can be written (besides `/tmp`). An empty path: one of its own,
    /// which is empty and gone afterwards.
    pub workspace: PathBuf,
    /// Files that are put beside it for this command alone, by their path in the directory that `$INPUTS` names.
    pub files: Vec<(String, Arc<[u8]>)>,
    /// The workspace cannot be written either; behind Landlock modes and times of its files still can.
    pub read_only: bool,
    pub limits: Limits,
}

/// A program that is talked to through its stdin and stdout for as long as it lives, such as a tool server.
#[derive(Clone, Debug)]
pub struct Serve {
    /// Of its limits, `output` is for stderr; `wall` is how long it may live.
    pub exec: Exec,
    pub grants: Grants,
}

/// What a command does not have.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// All of this machine's network, its own services included.
    pub network: bool,
    /// Further directories, under their own paths, that can be read and have programs.
    pub readable: Vec<PathBuf>,
    /// Variables of its environment; other processes of this machine and command lines don't show them.
    pub environment: Vec<(String, SecretString)>,
}

/// A program that was started. Its pipes end with it.
pub struct Serving {
    pub stdin: OwnedFd,
    pub stdout: OwnedFd,
    /// How it ended and what it said on stderr, when no process of it is left. Dropped before, it ends the whole tree.
    pub ended: BoxFuture<'static, Result<ExecResult, SandboxError>>,
}

/// All are hard: when one is passed the whole process tree dies.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Limits {
    pub wall: Duration,
    /// Memory in bytes.
    pub memory: u64,
    pub processes: u32,
    /// Bytes of stdout and stderr together that are kept; what comes after is counted and dropped, and past
    /// `output * 64` the command is stopped.
    pub output: u64,
}

impl Default for Limits {
    /// Enough for a test suite of a small project; an agent's tool call may ask for less.
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(120),
            memory: 2 << 30,
            processes: 256,
            output: 256 << 10,
        }
    }
}

/// What a command did.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ExecResult {
    pub ended: Ended,
    /// stdout and stderr as they came, interleaved, the first part of at most `Limits::output` bytes.
    pub output: Vec<u8>,
    /// Bytes that were written in all.
    pub output_bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Exit(i32),
    Signal(i32),
    TimedOut,
    OutOfMemory,
    TooMuchOutput,
    Cancelled,
}

/// How strong the walls are, for `doctor` and the first three lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tier {
    /// `bubblewrap`, `landlock`.
    pub name: &'static str,
    /// What is weaker than it could be here and why; empty when nothing is.
    pub degraded: Vec<String>,
}

#[derive(thiserror::Error, Debug)]
pub enum SandboxError {
    /// Nothing ran. The text says what to install or change.
    #[error("no sandbox here: {0}")]
    Unavailable(String),
    #[error("the sandbox failed before the command started: {0}")]
    Setup(String),
    /// Nothing ran: without the secret it would not be the command that was approved.
    #[error("the command holds a secret, so it was not run")]
    HoldsSecret,
}

/// Raised by the caller to stop a running command; the tree dies and `Ended::Cancelled` is answered.
pub type Cancel = flag::CancelFlag;

#[async_trait::async_trait]
pub trait Sandbox: Send + Sync {
    /// Really runs `true` in a sandbox. What it answers holds for [`Sandbox::run`] as well; never a guess from `--version`.
    async fn probe(&self) -> Result<Tier, SandboxError>;

    async fn run(&self, exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError>;

    /// Starts a program behind the same walls, but for what it is granted. It works while nobody polls [`Serving::ended`], but its
    /// limits and the cancel are only heard by who does.
    async fn serve(&self, serve: Serve, cancel: Cancel) -> Result<Serving, SandboxError>;

    /// What of the sandbox belongs to an approval's digest: tier, limits and network grants.
    fn digest(&self, limits: &Limits) -> Digest;
}

/// A flag that can be raised once and waited for, without a runtime's types in a port.
mod flag {
    use futures::{
        channel::oneshot,
        future::{FutureExt, Shared},
    };
    use std::sync::{Arc, Mutex};

    #[derive(Clone)]
    pub struct CancelFlag {
        raise: Arc<Mutex<Option<oneshot::Sender<()>>>>,
        raised: Shared<futures::future::BoxFuture<'static, ()>>,
    }

    impl Default for CancelFlag {
        fn default() -> Self {
            let (raise, raised) = oneshot::channel::<()>();
            Self {
                raise: Arc::new(Mutex::new(Some(raise))),
                raised: raised.map(|_| ()).boxed().shared(),
            }
        }
    }

    impl CancelFlag {
        pub fn raise(&self) {
            if let Ok(mut raise) = self.raise.lock()
                && let Some(raise) = raise.take()
            {
                let _ = raise.send(());
            }
        }

        /// Waits until somebody raises it; for ever if nobody does.
        pub async fn raised(&self) {
            self.raised.clone().await;
        }

        #[must_use]
        pub fn is_raised(&self) -> bool {
            self.raise
                .lock()
                .map(|raise| raise.is_none())
                .unwrap_or(true)
        }
    }
}

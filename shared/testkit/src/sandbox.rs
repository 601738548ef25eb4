//! A sandbox that runs nothing: it counts, answers what a test says, and can be held.

use crate::scripted_model::Gate;
use async_trait::async_trait;
use domain::Digest;
use ports::{
    Sandbox,
    sandbox::{Cancel, Ended, Exec, ExecResult, Limits, SandboxError, Serve, Serving, Tier},
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::watch;

type Script = Arc<dyn Fn(&Exec) -> ExecResult + Send + Sync>;

/// Answers every command with exit status 0 and `ran: <command>`, unless told otherwise.
pub struct ScriptedSandbox {
    script: Mutex<Script>,
    gate: Mutex<Option<Gate>>,
    /// Commands in the order in which they were started: each is an effect that happened.
    started: Mutex<Vec<String>>,
    arrived: watch::Sender<usize>,
    ended: AtomicUsize,
    unavailable: Mutex<Option<String>>,
}

impl Default for ScriptedSandbox {
    fn default() -> Self {
        let script: Script = Arc::new(|exec| exited(0, format!("ran: {}", exec.command)));
        Self {
            script: Mutex::new(script),
            gate: Mutex::default(),
            started: Mutex::default(),
            arrived: watch::Sender::new(0),
            ended: AtomicUsize::new(0),
            unavailable: Mutex::default(),
        }
    }
}

/// A command that ended by itself.
#[must_use]
pub fn exited(status: i32, output: impl Into<Vec<u8>>) -> ExecResult {
    let output = output.into();
    ExecResult {
        ended: Ended::Exit(status),
        output_bytes: output.len() as u64,
        output,
    }
}

impl ScriptedSandbox {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on commands do this. It may change a workspace, as a command would.
    pub fn answer(&self, script: impl Fn(&Exec) -> ExecResult + Send + Sync + 'static) {
        *lock(&self.script) = Arc::new(script);
    }

    /// Commands that start from now on wait for the gate (or a cancel) after they were counted.
    pub fn hold(&self, gate: &Gate) {
        *lock(&self.gate) = Some(gate.clone());
    }

    /// From now on nothing runs.
    pub fn break_down(&self, why: &str) {
        *lock(&self.unavailable) = Some(why.to_owned());
    }

    /// Commands that were started.
    #[must_use]
    pub fn started(&self) -> Vec<String> {
        lock(&self.started).clone()
    }

    /// How many of them came to an end and were answered.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// Waits until `count` commands were started in all.
    pub async fn wait_for_started(&self, count: usize) {
        let mut arrived = self.arrived.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = arrived.wait_for(|arrived| *arrived >= count).await;
    }
}

#[async_trait]
impl Sandbox for ScriptedSandbox {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        match lock(&self.unavailable).clone() {
            Some(why) => Err(SandboxError::Unavailable(why)),
            None => Ok(Tier {
                name: "scripted",
                degraded: Vec::new(),
            }),
        }
    }

    async fn run(&self, exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError> {
        self.probe().await?;
        let count = {
            let mut started = lock(&self.started);
            started.push(exec.command.clone());
            started.len()
        };
        self.arrived.send_replace(count);
        let gate = lock(&self.gate).clone();
        if let Some(gate) = gate {
            tokio::select! {
                () = gate.opened() => {}
                () = cancel.raised() => {
                    self.ended.fetch_add(1, Ordering::SeqCst);
                    return Ok(ExecResult { ended: Ended::Cancelled, output: Vec::new(), output_bytes: 0 });
                }
            }
        }
        let script = lock(&self.script).clone();
        let result = script(&exec);
        self.ended.fetch_add(1, Ordering::SeqCst);
        Ok(result)
    }

    /// What is talked to is a program, and there is none in here.
    async fn serve(&self, _: Serve, _: Cancel) -> Result<Serving, SandboxError> {
        Err(SandboxError::Unavailable(
            "nothing is served in a script".to_owned(),
        ))
    }

    fn digest(&self, limits: &Limits) -> Digest {
        Digest::of(&("scripted", limits)).unwrap_or_else(|_| Digest::of_bytes("scripted"))
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

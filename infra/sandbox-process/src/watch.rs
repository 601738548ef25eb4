//! Waiting for a command's end: reads its output, holds the limits that the kernel does not hold, hears the cancel.

use crate::{Tree, tree_memory};
use ports::sandbox::{Cancel, Ended, Limits};
use rustix::fd::OwnedFd;
use std::{io, process::ExitStatus, time::Duration};
use tokio::{io::AsyncReadExt, net::unix::pipe};

/// Output beyond the kept part is counted up to this many times the limit, then the command is stopped.
const OUTPUT_FACTOR: u64 = 64;
/// How often memory is looked at.
const MEMORY_TICK: Duration = Duration::from_millis(100);

/// stdout and stderr of a command through one pipe, of which the first part is kept.
pub struct Output {
    pipe: pipe::Receiver,
    limit: u64,
    kept: Vec<u8>,
    count: u64,
    buffer: Vec<u8>,
    open: bool,
}

impl Output {
    /// # Errors
    /// When it is no pipe, or the runtime has no place for it.
    pub fn new(pipe: OwnedFd, limit: u64) -> io::Result<Self> {
        let pipe = pipe::Receiver::from_owned_fd(pipe)?;
        Ok(Self {
            pipe,
            limit,
            kept: Vec::new(),
            count: 0,
            buffer: vec![0; 64 << 10],
            open: true,
        })
    }

    /// Cancel safe: what was read has been taken in.
    async fn some(&mut self) -> io::Result<()> {
        let read = self.pipe.read(&mut self.buffer).await?;
        self.take(read);
        Ok(())
    }

    fn take(&mut self, read: usize) {
        self.open = read > 0;
        let free = usize::try_from(self.limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&self.buffer[..read.min(free)]);
        self.count += read as u64;
    }

    /// What is in the pipe when nobody is left to write more.
    fn rest(&mut self) {
        while self.open {
            match self.pipe.try_read(&mut self.buffer) {
                Ok(read) => self.take(read),
                Err(_) => return,
            }
        }
    }

    fn too_much(&self) -> bool {
        self.count > self.limit.saturating_mul(OUTPUT_FACTOR)
    }
}

/// How it was.
pub struct Watched {
    /// Why it was stopped; none when it ended by itself.
    pub stopped: Option<Ended>,
    pub leader: ExitStatus,
    pub output: Vec<u8>,
    pub output_bytes: u64,
}

/// Returns when no process is left. Dropping the future ends them as well, a moment later.
///
/// # Errors
/// When the tree or its output can no longer be watched; it is ended then.
pub async fn watch(
    mut tree: Tree,
    mut output: Output,
    limits: &Limits,
    cancel: &Cancel,
) -> io::Result<Watched> {
    let mut stopped = None;
    let wall = tokio::time::sleep(limits.wall);
    tokio::pin!(wall);
    let mut tick = tokio::time::interval(MEMORY_TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let leader = loop {
        let running = stopped.is_none();
        let reason = tokio::select! {
            // The end first: what is over was not too late. Output last: a flood must not hide the time.
            biased;
            gone = tree.gone() => break gone?,
            () = cancel.raised(), if running => Some(Ended::Cancelled),
            () = &mut wall, if running => Some(Ended::TimedOut),
            _ = tick.tick(), if running => over_memory(&tree, limits).await.then_some(Ended::OutOfMemory),
            read = output.some(), if output.open => {
                read?;
                output.too_much().then_some(Ended::TooMuchOutput)
            }
        };
        if let (Some(reason), true) = (reason, running) {
            stopped = Some(reason);
            tree.stop();
        }
    };
    output.rest();
    if stopped.is_none() && tree.out_of_memory().is_some_and(|kills| kills > 0) {
        stopped = Some(Ended::OutOfMemory);
    }
    tree.forget();
    Ok(Watched {
        stopped,
        leader,
        output: output.kept,
        output_bytes: output.count,
    })
}

/// With a cgroup the kernel has killed the greedy process already, and the rest must follow; without one we look ourselves.
async fn over_memory(tree: &Tree, limits: &Limits) -> bool {
    if let Some(kills) = tree.out_of_memory() {
        return kills > 0;
    }
    let Some(leader) = tree.leader() else {
        return false;
    };
    let used = tokio::task::spawn_blocking(move || tree_memory(leader))
        .await
        .unwrap_or(0);
    used > limits.memory
}

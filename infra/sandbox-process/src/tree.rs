//! A running command with everything that it started.

use crate::cgroup::Cgroup;
use rustix::{
    event::{PollFd, PollFlags},
    fd::OwnedFd,
    process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{
    io,
    os::fd::AsRawFd,
    process::{Child, ExitStatus},
};
use tokio::io::{Interest, unix::AsyncFd};

/// How the tree is told to end.
pub enum Stop {
    /// The leader is killed, and so is the first process of the pid namespace: the kernel ends all others with it.
    Kill { init: OwnedFd },
    /// The leader is a supervisor (see [`crate::supervise`]) and does it.
    Ask,
}

/// Dropped before its end, it is ended in the background.
pub struct Tree {
    running: Option<Running>,
}

struct Running {
    leader: Child,
    leader_fd: OwnedFd,
    stop: Stop,
    cgroup: Option<Cgroup>,
    /// Dropped when no process is left.
    keep: Option<Box<dyn Send + Sync>>,
}

impl Tree {
    /// # Errors
    /// When the leader cannot be watched; it has been killed then.
    pub fn new(mut leader: Child, stop: Stop, cgroup: Option<Cgroup>) -> io::Result<Self> {
        let pid = rustix::process::Pid::from_child(&leader);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(leader_fd) => Ok(Self {
                running: Some(Running {
                    leader,
                    leader_fd,
                    stop,
                    cgroup,
                    keep: None,
                }),
            }),
            Err(error) => {
                leader.kill()?;
                leader.wait()?;
                Err(error.into())
            }
        }
    }

    /// Holds on to something that the command uses until no process of it is left.
    #[must_use]
    pub fn keeping(mut self, what: impl Send + Sync + 'static) -> Self {
        if let Some(running) = &mut self.running {
            running.keep = Some(Box::new(what));
        }
        self
    }

    /// Tells it to end; [`Tree::gone`] says when it has.
    pub fn stop(&self) {
        if let Some(running) = &self.running {
            running.stop();
        }
    }

    /// How often the kernel has killed one of its processes for want of memory; none where it does not count.
    #[must_use]
    pub fn out_of_memory(&self) -> Option<u64> {
        self.running.as_ref()?.cgroup.as_ref()?.out_of_memory()
    }

    #[must_use]
    pub fn leader(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.leader.id())
    }

    /// Waits until no process of it is left. Cancel safe.
    ///
    /// # Errors
    /// When the kernel refuses to tell.
    pub async fn gone(&mut self) -> io::Result<ExitStatus> {
        let Some(running) = &mut self.running else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if let Stop::Kill { init } = &running.stop {
            // Only then is a pid namespace empty.
            ended(init).await?;
        }
        ended(&running.leader_fd).await?;
        running.leader.wait()
    }

    /// After [`Tree::gone`].
    pub fn forget(mut self) {
        self.running = None;
    }
}

/// A pidfd can be read from when its process is dead.
async fn ended(process: &OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor is borrowed for as long as it is registered.
    let process =
        unsafe { AsyncFd::register_with_interest(process.as_raw_fd(), Interest::READABLE) }
            .map_err(io::Error::from)?;
    process.readable().await.map(|_| ())
}

impl Running {
    fn stop(&self) {
        match &self.stop {
            Stop::Kill { init } => {
                let _ = pidfd_send_signal(init, Signal::KILL);
                let _ = pidfd_send_signal(&self.leader_fd, Signal::KILL);
            }
            Stop::Ask => {
                if let Some(cgroup) = &self.cgroup {
                    cgroup.kill();
                }
                let _ = pidfd_send_signal(&self.leader_fd, Signal::TERM);
            }
        }
    }

    fn wait(mut self) {
        let init = match &self.stop {
            Stop::Kill { init } => Some(init),
            Stop::Ask => None,
        };
        for process in init.into_iter().chain([&self.leader_fd]) {
            let mut waited = [PollFd::new(process, PollFlags::IN)];
            while rustix::event::poll(&mut waited, None) == Err(rustix::io::Errno::INTR) {}
        }
        // Its cgroup and what it kept go with `self`, after the last process.
        let _ = self.leader.wait();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            // The dead must be taken by somebody; whoever dropped us must not wait for them.
            let reaper = std::thread::Builder::new().name("sandbox-reaper".to_owned());
            if let Err(error) = reaper.spawn(move || running.wait()) {
                tracing::warn!(%error, "no thread to wait for a command's end");
            }
        }
    }
}

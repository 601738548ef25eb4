//! One command as one tree of processes: how it is started, limited, watched, and ended to the last grandchild.
//!
//! What the sandbox tiers share and what has nothing to do with their kind of wall. [`Spawner`] starts processes from a thread
//! that outlives them, [`Entry`] is what a child does to itself between `fork` and `exec`, [`Tree`] is the running command,
//! and [`watch`] waits for its end while it reads the output and holds the limits. [`Walled`] is the sandbox that all of this makes of a tier's
//! [`Walls`]. [`cgroup`] holds memory and process counts
//! where the kernel lets us, [`seccomp`] refuses system calls that no build or test needs.

pub mod cgroup;
pub mod entry;
pub mod identity;
mod memory;
mod pipes;
mod scratch;
pub mod seccomp;
mod spawner;
pub mod supervise;
mod tree;
mod walls;
mod watch;

#[cfg(test)]
mod tests;

pub use entry::Entry;
pub use identity::Identity;
pub use memory::{tasks_of, tree_memory};
pub use pipes::pipes;
pub use scratch::Scratch;
pub use spawner::Spawner;
pub use tree::{Stop, Tree};
pub use walls::{Started, Walled, Walls};
pub use watch::{Output, Watched, watch};

/// The user that commands run as when Countersign is started as root. Above the ranges that Debian, systemd and containers
/// assign by themselves (adduser 1000–59999, systemd 60001–65519 except this gap of unused numbers), and not `nobody`, whom
/// other services run as.
pub const DEFAULT_UID: u32 = 64321;
/// The largest file that a command may write, in bytes.
pub const FILE_SIZE: u64 = 4 << 30;
/// Open files of a process.
pub const OPEN_FILES: u64 = 4096;

/// Limits that hold for each process by itself.
#[must_use]
pub fn process_limits() -> Vec<(u32, u64)> {
    vec![
        // 1 and not 0: with 0 the kernel still starts the host's core dump program when `core_pattern` is a pipe.
        (libc::RLIMIT_CORE, 1),
        (libc::RLIMIT_FSIZE, FILE_SIZE),
        (libc::RLIMIT_NOFILE, OPEN_FILES),
    ]
}

//! A process between us and the command that sees to it that nothing of the command outlives it, where there is no pid namespace
//! to do so. The kernel gives it every orphan below it (`PR_SET_CHILD_SUBREAPER`), so a grandchild that has left its session and
//! its parent is still its child in the end, and is killed. It is a fork of ours that never runs another program; it ends when
//! nothing is left below it.
//!
//! It stays root where we are: then no command can do anything to it. Elsewhere Landlock (from its 6th version on) keeps
//! commands from sending signals to it.

use crate::entry::close_range;
use ports::sandbox::SandboxError;
use std::{os::fd::RawFd, path::Path};

/// Whether a supervisor could find its children here.
///
/// # Errors
/// [`SandboxError::Unavailable`] on a kernel that does not list them.
pub fn check() -> Result<(), SandboxError> {
    if Path::new("/proc/thread-self/children").exists() {
        return Ok(());
    }
    Err(SandboxError::Unavailable(
        "this kernel does not list a process's children in /proc (CONFIG_PROC_CHILDREN), so a command could not be ended to \
         its last process: install bubblewrap"
            .to_owned(),
    ))
}

/// Forks. The child returns 0 and goes on; the parent stays in here as the supervisor until the end. Negative on failure.
///
/// # Safety
/// Only between `fork` and `exec`.
pub(crate) unsafe fn split(status: RawFd) -> libc::c_int {
    // SAFETY: system calls on plain values and locals only.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        let mut before = std::mem::zeroed::<libc::sigset_t>();
        let mut signals = std::mem::zeroed::<libc::sigset_t>();
        // All of them, before anybody could send one: none may be lost, and none may end us before the last child. SIGPIPE
        // comes when nobody listens any more to how the command ended.
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const all, &raw mut before);
        libc::sigemptyset(&raw mut signals);
        libc::sigaddset(&raw mut signals, libc::SIGCHLD);
        libc::sigaddset(&raw mut signals, libc::SIGTERM);
        if libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0
            || libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) != 0
        {
            return -1;
        }
        // A raw fork: libc's would run handlers that take locks.
        match fork() {
            0 => {
                libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
                0
            }
            command if command > 0 => supervise(command, status, &signals),
            failed => failed,
        }
    }
}

unsafe fn fork() -> libc::c_int {
    // SAFETY: without CLONE_VM the child has its own memory; null pointers are not written to.
    unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::c_int }
}

unsafe fn supervise(command: libc::pid_t, status: RawFd, signals: &libc::sigset_t) -> ! {
    // SAFETY: system calls on plain values and locals only.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, c"sandbox-watch".as_ptr());
        // Nothing of the parent's must be held open by us: not the command's output, nor other commands' pipes.
        libc::dup2(status, 3);
        for fd in 0..3 {
            libc::close(fd);
        }
        libc::fcntl(3, libc::F_DUPFD, 0); // becomes 0, the lowest that is free
        let _ = close_range(0);
        loop {
            // Before waiting: the command may have ended before the signals were looked at.
            reap(command);
            if libc::sigwaitinfo(signals, std::ptr::null_mut()) == libc::SIGTERM {
                end_all(command);
            }
        }
    }
}

/// Takes the dead. With the command's own death the others' time is over as well.
unsafe fn reap(command: libc::pid_t) {
    // SAFETY: as in `supervise`.
    unsafe {
        loop {
            let mut status = 0;
            let dead = libc::waitpid(-1, &raw mut status, libc::WNOHANG);
            if dead == command {
                libc::write(0, (&raw const status).cast(), size_of::<libc::c_int>());
                end_all(command);
            }
            if dead <= 0 {
                return;
            }
        }
    }
}

/// Kills children until there are none: each death may hand us more of them.
unsafe fn end_all(command: libc::pid_t) -> ! {
    // SAFETY: as in `supervise`.
    unsafe {
        loop {
            kill_children();
            let mut status = 0;
            // Blocks until one is dead; what it leaves is found in the next round.
            let dead = libc::waitpid(-1, &raw mut status, 0);
            if dead == command {
                libc::write(0, (&raw const status).cast(), size_of::<libc::c_int>());
            }
            if dead < 0 {
                libc::_exit(0);
            }
        }
    }
}

unsafe fn kill_children() {
    // SAFETY: a static string and a local buffer.
    unsafe {
        let file = libc::open(c"/proc/thread-self/children".as_ptr(), libc::O_RDONLY);
        if file < 0 {
            return;
        }
        let mut buffer = [0_u8; 4096];
        let mut pid = 0;
        loop {
            let read = libc::read(file, buffer.as_mut_ptr().cast(), buffer.len());
            for byte in buffer.iter().take(usize::try_from(read).unwrap_or(0)) {
                if byte.is_ascii_digit() {
                    pid = pid * 10 + libc::pid_t::from(byte - b'0');
                } else if pid > 0 {
                    libc::kill(pid, libc::SIGKILL);
                    pid = 0;
                }
            }
            if read <= 0 {
                break;
            }
        }
        libc::close(file);
    }
}

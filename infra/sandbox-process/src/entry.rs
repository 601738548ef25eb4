//! What a child does to itself between `fork` and `exec`: join its cgroups, take its limits, give up root, pass on no
//! descriptor but the named ones. The order matters: root is needed for the first and given up before anything else is run.
//!
//! Everything here runs in a copy of a process with many threads, where any lock may be held for ever by a thread that was not
//! copied. So it only makes system calls: no allocation, no formatting, no logging.

use crate::{Identity, supervise};
use std::{ffi::CString, io, os::fd::RawFd};

/// Prepared by the parent, done by the child.
#[derive(Default)]
pub struct Entry {
    /// Open `cgroup.procs` files.
    pub cgroups: Vec<RawFd>,
    /// `RLIMIT_*` and the value for both the soft and the hard limit, in the unit of the limit.
    pub limits: Vec<(u32, u64)>,
    /// Bound to a place that anybody can reach, in a mount namespace of the child's own: source and target.
    pub mount: Option<(CString, CString)>,
    pub identity: Option<Identity>,
    /// Become the working directory before root is given up.
    pub directory: Option<RawFd>,
    /// Stay open over `exec`; all others above stderr are closed by it.
    pub pass: Vec<RawFd>,
    /// Leave a process between that ends the whole tree, and tells here how the command ended.
    pub supervise: Option<RawFd>,
    /// A Landlock ruleset to be bound by, and a seccomp filter.
    pub ruleset: Option<RawFd>,
    pub filter: Vec<libc::sock_filter>,
}

impl Entry {
    /// # Errors
    /// The step's errno. Its name is written to stderr, the only way out for words.
    ///
    /// # Safety
    /// Only between `fork` and `exec`.
    pub unsafe fn enter(&self) -> io::Result<()> {
        // A session of its own: no controlling terminal, and a Ctrl-C at ours does not reach it.
        // SAFETY: setsid takes nothing. It fails only for a group leader, which a fresh child is not.
        step(b"setsid", unsafe { libc::setsid() })?;
        if let Some(status) = self.supervise {
            // SAFETY: we are between fork and exec.
            step(b"supervise", unsafe { supervise::split(status) })?;
        }
        self.join()?;
        self.limit()?;
        self.reach()?;
        self.close()?;
        self.become_nobody()?;
        self.restrict()
    }

    fn join(&self) -> io::Result<()> {
        for procs in &self.cgroups {
            // SAFETY: the buffer is static; "0" means the writer.
            step(
                b"join the cgroup",
                unsafe { libc::write(*procs, b"0".as_ptr().cast(), 1) } as libc::c_int,
            )?;
        }
        // When the machine runs out of memory, a command goes before the program that watches it. Best effort.
        // SAFETY: static strings.
        unsafe {
            let file = libc::open(
                c"/proc/self/oom_score_adj".as_ptr(),
                libc::O_WRONLY | libc::O_CLOEXEC,
            );
            if file >= 0 {
                libc::write(file, b"500".as_ptr().cast(), 3);
                libc::close(file);
            }
        }
        Ok(())
    }

    fn limit(&self) -> io::Result<()> {
        for &(resource, value) in &self.limits {
            // SAFETY: plain values and a local.
            unsafe {
                let mut now = std::mem::zeroed::<libc::rlimit>();
                step(b"getrlimit", libc::getrlimit(resource, &raw mut now))?;
                // Nobody may raise his hard limit, root in a container neither.
                let value = value.min(now.rlim_max);
                let new = libc::rlimit {
                    rlim_cur: value,
                    rlim_max: value,
                };
                step(b"setrlimit", libc::setrlimit(resource, &raw const new))?;
            }
        }
        Ok(())
    }

    fn reach(&self) -> io::Result<()> {
        if let Some((source, target)) = &self.mount {
            // SAFETY: the strings live as long as self.
            unsafe { bind(source, target) }?;
        }
        match self.directory {
            // SAFETY: a plain descriptor.
            Some(directory) => step(b"go to the workspace", unsafe { libc::fchdir(directory) }),
            None => Ok(()),
        }
    }

    /// Marks instead of closing: the descriptor by which the parent learns of a failed exec is among them.
    fn close(&self) -> io::Result<()> {
        close_range(libc::CLOSE_RANGE_CLOEXEC)?;
        for fd in &self.pass {
            // SAFETY: a plain descriptor.
            step(b"pass a descriptor", unsafe {
                libc::fcntl(*fd, libc::F_SETFD, 0)
            })?;
        }
        Ok(())
    }

    fn become_nobody(&self) -> io::Result<()> {
        let Some(Identity { uid, gid }) = self.identity else {
            return Ok(());
        };
        // SAFETY: plain values. Raw calls, because libc's own ask all threads to follow, and the child has only this one.
        unsafe {
            step(
                b"setgroups",
                libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>())
                    as libc::c_int,
            )?;
            step(
                b"setresgid",
                libc::syscall(libc::SYS_setresgid, gid, gid, gid) as libc::c_int,
            )?;
            step(
                b"setresuid",
                libc::syscall(libc::SYS_setresuid, uid, uid, uid) as libc::c_int,
            )?;
            // Without a way back, or not at all.
            if libc::syscall(libc::SYS_setresuid, 0, 0, 0) == 0 {
                return step(b"give up root", -1);
            }
        }
        Ok(())
    }

    fn restrict(&self) -> io::Result<()> {
        if self.ruleset.is_none() && self.filter.is_empty() {
            return Ok(());
        }
        // SAFETY: plain values; the filter lives as long as self.
        unsafe {
            step(
                b"no_new_privs",
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            )?;
            if let Some(ruleset) = self.ruleset {
                step(
                    b"landlock",
                    libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) as libc::c_int,
                )?;
            }
            if !self.filter.is_empty() {
                let program = libc::sock_fprog {
                    len: self.filter.len() as u16,
                    filter: self.filter.as_ptr().cast_mut(),
                };
                let mode = libc::SECCOMP_SET_MODE_FILTER;
                step(
                    b"seccomp",
                    libc::syscall(libc::SYS_seccomp, mode, 0, &raw const program) as libc::c_int,
                )?;
            }
        }
        Ok(())
    }
}

/// Puts `source` at `target` for this process and its children only.
unsafe fn bind(source: &CString, target: &CString) -> io::Result<()> {
    let none = std::ptr::null();
    // SAFETY: the caller's strings, and none where the kernel reads none.
    unsafe {
        step(b"unshare the mounts", libc::unshare(libc::CLONE_NEWNS))?;
        let private = libc::MS_REC | libc::MS_PRIVATE;
        step(
            b"make the mounts private",
            libc::mount(none, c"/".as_ptr(), none, private, none.cast()),
        )?;
        step(
            b"bind the workspace",
            libc::mount(
                source.as_ptr(),
                target.as_ptr(),
                none,
                libc::MS_BIND,
                none.cast(),
            ),
        )
    }
}

/// On all descriptors above stderr.
pub(crate) fn close_range(flags: libc::c_uint) -> io::Result<()> {
    // SAFETY: closing what this single-threaded copy of the process holds takes nothing from the original.
    if unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags) } == 0 {
        return Ok(());
    }
    // Before Linux 5.11: one by one, as far as there can be any.
    // SAFETY: plain values and a local.
    unsafe {
        let mut most = std::mem::zeroed::<libc::rlimit>();
        step(
            b"getrlimit",
            libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut most),
        )?;
        for fd in 3..libc::c_int::try_from(most.rlim_cur)
            .unwrap_or(1 << 20)
            .min(1 << 20)
        {
            if flags & libc::CLOSE_RANGE_CLOEXEC == 0 {
                libc::close(fd);
            } else {
                libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
    Ok(())
}

fn step(name: &'static [u8], result: libc::c_int) -> io::Result<()> {
    if result >= 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // SAFETY: a static buffer. Nothing can be done where even this fails.
    unsafe { libc::write(2, name.as_ptr().cast(), name.len()) };
    Err(error)
}

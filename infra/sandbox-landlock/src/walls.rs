//! Which files a command can open, and for what. All others are refused by the kernel, whatever their mode says.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, Scope, path_beneath_rules,
};
use ports::sandbox::{Exec, Grants, SandboxError};
use rustix::fd::OwnedFd;
use std::{io, path::Path};

/// The newest rules that we know how to grant; an older kernel takes what it knows of them (see [`check`]).
const NEWEST: ABI = ABI::V6;
/// From this version on the kernel refuses to cut a file short that may only be read.
const TRUNCATE: u32 = 3;
/// From this version on signals stay inside.
pub const SIGNALS: u32 = 6;

const PROGRAMS: [&str; 7] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];

/// How programs find libraries, names, alternatives and the time zone. No keys.
const READABLE: [&str; 21] = [
    "/etc/alternatives",
    "/etc/group",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    // The machine's size. Nothing about processes: their command lines may hold anything.
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup/cgroup.controllers",
];

const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// The kernel's version of Landlock; 0 when it has none or it is switched off.
pub fn version() -> u32 {
    const VERSION: libc::c_uint = 1;
    // SAFETY: without attributes, this flag only asks.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            VERSION,
        )
    };
    u32::try_from(version).unwrap_or(0)
}

/// Whether the walls would hold with this version.
///
/// # Errors
/// [`SandboxError::Unavailable`] with what to do.
pub fn check(version: u32, other_user: bool) -> Result<(), SandboxError> {
    let unavailable = |text: &str| Err(SandboxError::Unavailable(text.to_owned()));
    if version == 0 {
        return unavailable(
            "this kernel has no Landlock, or it is switched off: use Linux 6.2 or newer with `landlock` in the kernel \
             parameter `lsm=`, or install bubblewrap",
        );
    }
    // Before, a command could empty its user's files anywhere. As a user of its own it has none.
    if version < TRUNCATE && !other_user {
        return unavailable(
            "this kernel's Landlock is too old to keep files from being emptied: use Linux 6.2 or newer, or install \
             bubblewrap",
        );
    }
    Ok(())
}

/// For `landlock_restrict_self`.
pub fn ruleset(exec: &Exec, grants: Option<&Grants>, temporary: &Path) -> io::Result<OwnedFd> {
    let none = Grants::default();
    let made = make(exec, grants.unwrap_or(&none), temporary).map_err(io::Error::other)?;
    made.ok_or_else(|| io::Error::other("the kernel has no Landlock"))
}

fn make(exec: &Exec, grants: &Grants, temporary: &Path) -> Result<Option<OwnedFd>, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let device: BitFlags<AccessFs> =
        AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    let workspace = match exec.read_only {
        true => AccessFs::from_read(NEWEST),
        false => all,
    };
    let mut ruleset = Ruleset::default().handle_access(all)?;
    let names: &[&str] = match grants.network {
        true => &["/etc/resolv.conf"],
        false => {
            ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
            &[]
        }
    };
    let ruleset = ruleset
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(PROGRAMS, AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(READABLE, read))?
        .add_rules(path_beneath_rules(DEVICES, device))?
        .add_rules(path_beneath_rules(names, read))?
        .add_rules(path_beneath_rules(
            &grants.readable,
            AccessFs::from_read(NEWEST),
        ))?
        .add_rules(path_beneath_rules([&exec.workspace], workspace))?
        .add_rules(path_beneath_rules([temporary], all))?;
    Ok(ruleset.into())
}

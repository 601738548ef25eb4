//! What a command in bubblewrap sees, as bubblewrap's arguments. This set held against every way out that was tried.

use ports::sandbox::Grants;
use secrecy::ExposeSecret;
use std::{
    os::{fd::RawFd, unix::ffi::OsStrExt},
    path::Path,
};

/// Inside, the user is the first ordinary one of a fresh system, whoever he is outside.
const UID: &str = "1000";
/// Bytes; also counted as memory where a cgroup counts.
const TMP_SIZE: u64 = 512 << 20;
const SHM_SIZE: u64 = 64 << 20;
const RUN_SIZE: u64 = 16 << 20;

/// Files that are written for it. With a network, names are also asked for.
pub fn files(network: bool) -> [(&'static str, &'static str); 4] {
    [
        (
            "/etc/passwd",
            "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:1000:1000:agent:/tmp:/bin/sh\n\
             nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        ),
        ("/etc/group", "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n"),
        ("/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
        (
            "/etc/nsswitch.conf",
            match network {
                true => "passwd: files\ngroup: files\nhosts: files dns\n",
                false => "passwd: files\ngroup: files\nhosts: files\n",
            },
        ),
    ]
}

/// All that a command gets of an environment. Its home is thrown away after it: what belongs to the work belongs in the
/// workspace, and a home there would litter it with caches.
const ENVIRONMENT: [(&str, &str); 6] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("HOME", "/tmp"),
    ("USER", "agent"),
    ("LANG", "C.UTF-8"),
    ("TERM", "dumb"),
    ("TMPDIR", "/tmp"),
];

/// The host's programs: a link on a system with a merged /usr, a directory on others.
const PROGRAMS: [&str; 6] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// Of the host's `/etc`: how programs find their libraries, alternatives and time zone. No accounts, no keys, no hosts.
const ETC: [&str; 8] = [
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
];

/// Where the files of a command are, and the variable that says so.
pub const INPUTS: &str = "/inputs";
/// What of this machine is seen inside, besides its programs.
pub struct Seen<'a> {
    pub workspace: &'a Path,
    pub read_only: bool,
    pub grants: &'a Grants,
}

/// Descriptors that bubblewrap reads from.
pub struct Descriptors {
    pub seccomp: RawFd,
    pub status: RawFd,
    pub gate: RawFd,
    /// With the path that its content gets.
    pub files: Vec<(RawFd, String)>,
}

/// For `--args`, each with a NUL behind it. Not on the command line, where everybody on the machine could read them.
pub fn arguments(seen: &Seen<'_>, descriptors: &Descriptors) -> Vec<u8> {
    let grants = seen.grants;
    let mut all = Arguments::default();
    namespaces(&mut all, grants.network);
    for (name, value) in ENVIRONMENT {
        all.add(&["--setenv", name, value]);
    }
    for (name, value) in &grants.environment {
        all.add(&["--setenv", name, value.expose_secret()]);
    }
    programs(&mut all);
    for path in ETC {
        all.add(&["--ro-bind-try", path, path]);
    }
    for (fd, path) in &descriptors.files {
        all.add(&["--perms", "0444", "--file", &fd.to_string(), path]);
        if path.starts_with(INPUTS) {
            all.add(&["--setenv", "INPUTS", INPUTS]);
        }
    }
    all.add(&["--proc", "/proc", "--dev", "/dev"]);
    for (path, size) in [
        ("/dev/shm", SHM_SIZE),
        ("/run", RUN_SIZE),
        ("/tmp", TMP_SIZE),
    ] {
        all.add(&["--size", &size.to_string(), "--tmpfs", path]);
    }
    all.add(&[
        "--chmod",
        "1777",
        "/tmp",
        "--chmod",
        "1777",
        "/dev/shm",
        "--remount-ro",
        "/dev",
    ]);
    if grants.network {
        all.add(&["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]);
    }
    for directory in &grants.readable {
        all.add(&["--ro-bind"]);
        all.bytes(directory.as_os_str().as_bytes());
        all.bytes(directory.as_os_str().as_bytes());
    }
    all.add(&[if seen.read_only {
        "--ro-bind"
    } else {
        "--bind"
    }]);
    all.bytes(seen.workspace.as_os_str().as_bytes());
    all.add(&["/workspace", "--remount-ro", "/", "--chdir", "/workspace"]);
    all.add(&["--seccomp", &descriptors.seccomp.to_string()]);
    all.add(&["--json-status-fd", &descriptors.status.to_string()]);
    all.add(&["--block-fd", &descriptors.gate.to_string()]);
    all.0
}

fn namespaces(all: &mut Arguments, network: bool) {
    for namespace in ["user", "pid", "ipc", "uts", "cgroup-try"] {
        all.add(&[&format!("--unshare-{namespace}")]);
    }
    if !network {
        all.add(&["--unshare-net"]);
    }
    all.add(&[
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
    ]);
    all.add(&[
        "--uid",
        UID,
        "--gid",
        UID,
        "--hostname",
        "sandbox",
        "--clearenv",
    ]);
}

fn programs(all: &mut Arguments) {
    all.add(&["--ro-bind", "/usr", "/usr"]);
    for path in PROGRAMS {
        match std::fs::read_link(path) {
            Ok(target) => all.add(&["--symlink", &target.to_string_lossy(), path]),
            Err(_) => all.add(&["--ro-bind-try", path, path]),
        }
    }
}

#[derive(Default)]
struct Arguments(Vec<u8>);

impl Arguments {
    fn add(&mut self, arguments: &[&str]) {
        for argument in arguments {
            self.bytes(argument.as_bytes());
        }
    }

    fn bytes(&mut self, argument: &[u8]) {
        self.0.extend_from_slice(argument);
        self.0.push(0);
    }
}

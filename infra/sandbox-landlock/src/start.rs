//! Starting a command behind its walls, with a supervisor above it.

use crate::walls;
use ports::sandbox::{Exec, Grants, SandboxError};
use rustix::{
    fd::OwnedFd,
    fs::{Mode, OFlags},
    pipe::{PipeFlags, pipe_with},
};
use sandbox_process::{
    Entry, Identity, Scratch, Started, Stop, Tree,
    cgroup::{Cgroup, Cgroups},
    pipes, process_limits,
    seccomp::{Sockets, filter},
    tasks_of,
};
use secrecy::ExposeSecret;
use std::{
    fs::File,
    io::{self, Read},
    os::{
        fd::AsRawFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Command, ExitStatus},
};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How the command ended, as the supervisor tells it.
pub struct Status(File);

impl Status {
    /// After the end.
    pub fn read(mut self) -> Option<ExitStatus> {
        let mut raw = [0; size_of::<libc::c_int>()];
        self.0.read_exact(&mut raw).ok()?;
        Some(ExitStatus::from_raw(i32::from_ne_bytes(raw)))
    }
}

pub fn start(
    exec: &Exec,
    grants: Option<&Grants>,
    identity: Option<Identity>,
    cgroups: &Cgroups,
) -> Result<Started<Status>, SandboxError> {
    if let Some(identity) = identity {
        identity.check_workspace(&exec.workspace, true)?;
    }
    let temporary = Scratch::new(identity)?;
    if !exec.files.is_empty() {
        temporary.with_inputs(&exec.files)?;
    }
    begin((exec, grants), identity, cgroups, temporary).map_err(|error| match error.kind() {
        io::ErrorKind::ArgumentListTooLong => {
            SandboxError::Setup("the command is too long: the system takes 128 KiB".to_owned())
        }
        _ => SandboxError::Setup(error.to_string()),
    })
}

fn begin(
    (exec, grants): (&Exec, Option<&Grants>),
    identity: Option<Identity>,
    cgroups: &Cgroups,
    temporary: Scratch,
) -> io::Result<Started<Status>> {
    let (output, output_in) = pipe_with(PipeFlags::CLOEXEC)?;
    let (status, status_in) = pipe_with(PipeFlags::CLOEXEC)?;
    let directory = rustix::fs::open(
        &exec.workspace,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let network = grants.is_some_and(|grants| grants.network);
    let ruleset = walls::ruleset(exec, grants, temporary.path())?;
    let cgroup = cgroups.create(exec.limits.memory, exec.limits.processes)?;
    let mut limits = process_limits();
    if !cgroups.limit_processes() {
        let uid = identity.map_or_else(
            || rustix::process::getuid().as_raw(),
            |identity| identity.uid,
        );
        limits.push((
            libc::RLIMIT_NPROC,
            tasks_of(uid) + u64::from(exec.limits.processes),
        ));
    }
    let entry = Entry {
        cgroups: cgroup.as_ref().map(Cgroup::joins).unwrap_or_default(),
        limits,
        identity,
        directory: Some(directory.as_raw_fd()),
        supervise: Some(status_in.as_raw_fd()),
        ruleset: Some(ruleset.as_raw_fd()),
        filter: filter(if network {
            Sockets::Internet
        } else {
            Sockets::Refused
        }),
        ..Entry::default()
    };
    let mut command = shell(&exec.command, temporary.path());
    for (name, value) in grants.iter().flat_map(|grants| &grants.environment) {
        command.env(name, value.expose_secret());
    }
    let talk = pipes(&mut command, output_in, grants.is_some())?;
    // SAFETY: `enter` is made for this place.
    unsafe { command.pre_exec(move || entry.enter()) };
    let leader = command.spawn();
    drop((command, status_in));
    let leader = leader.map_err(|error| failed_step(error, &output))?;
    let tree = Tree::new(leader, Stop::Ask, cgroup)?.keeping(temporary);
    Ok(Started {
        tree,
        output,
        status: Status(status.into()),
        talk,
    })
}

/// `sh -c`, with nothing of our environment.
fn shell(line: &str, temporary: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line).env_clear();
    command.envs([
        ("PATH", PATH),
        ("LANG", "C.UTF-8"),
        ("TERM", "dumb"),
        ("USER", "agent"),
    ]);
    command.env("HOME", temporary).env("TMPDIR", temporary);
    command.env("INPUTS", temporary.join("inputs"));
    command
}

/// The child is gone and has left the name of the step that failed, if it got that far.
fn failed_step(error: io::Error, output: &OwnedFd) -> io::Error {
    let mut step = [0; 64];
    match rustix::io::read(output, &mut step) {
        Ok(read) if read > 0 => {
            let step = String::from_utf8_lossy(&step[..read]);
            io::Error::new(
                error.kind(),
                format!("the command cannot be started: {step}: {error}"),
            )
        }
        _ => error,
    }
}

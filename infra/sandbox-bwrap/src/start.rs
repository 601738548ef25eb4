//! Starting bubblewrap so that the command begins only when we hold its whole tree.
//!
//! bubblewrap forks the first process of the new pid namespace and tells us its number; that process waits at a gate until we
//! have a handle on it. From then on nothing can run that we cannot end. All of this happens on the spawner's thread.

use crate::{
    arguments::{self, Descriptors, Seen, arguments},
    explain,
};
use ports::sandbox::{Exec, Grants, SandboxError};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
    fs::MemfdFlags,
    pipe::{PipeFlags, pipe_with},
    process::{Pid, PidfdFlags, pidfd_open},
};
use sandbox_process::{
    Entry, Identity, Started, Stop, Tree,
    cgroup::{Cgroup, Cgroups},
    pipes, process_limits,
    seccomp::{Sockets, bytes, filter},
};
use std::{
    ffi::CString,
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    path::Path,
    process::{Child, Command, Stdio},
};

/// bubblewrap takes some milliseconds; a machine that is that slow is stuck.
const START_WALL: Timespec = Timespec {
    tv_sec: 20,
    tv_nsec: 0,
};
/// Where a workspace can be shown to another user whatever directories are above it: exists by the file system standard, is
/// open to all, and is of no use inside.
const MEETING_PLACES: [&str; 3] = ["/mnt", "/media", "/srv"];

/// What this machine lets us do.
pub struct Ground {
    pub identity: Option<Identity>,
    pub cgroups: Cgroups,
    /// As root with the right to mount: the user that we become need not be able to walk the workspace's path.
    pub meeting_place: Option<&'static str>,
}

impl Ground {
    pub fn find(identity: Option<Identity>) -> Self {
        let may_mount = |place: &&&str| {
            let mount = || Some((CString::new("/usr").ok()?, CString::new(**place).ok()?));
            let entry = Entry {
                mount: mount(),
                ..Entry::default()
            };
            Path::new(place).is_dir()
                && command(Path::new("/bin/true"), entry)
                    .status()
                    .is_ok_and(|status| status.success())
        };
        let meeting_place = identity.and_then(|_| MEETING_PLACES.iter().find(may_mount).copied());
        Self {
            identity,
            cgroups: Cgroups::find(),
            meeting_place,
        }
    }
}

/// What bubblewrap tells about itself, in lines of JSON.
pub struct Status(File);

impl Status {
    /// After the end. None when the command never began.
    pub fn exit_code(mut self) -> Option<i32> {
        let mut text = String::new();
        self.0.read_to_string(&mut text).ok()?;
        i32::try_from(number(&text, "exit-code")?).ok()
    }

    /// Waits for the number of the namespace's first process; none when bubblewrap has given up.
    fn first_process(&mut self) -> io::Result<Option<Pid>> {
        let mut text = String::new();
        loop {
            if let Some(pid) = number(&text, "child-pid") {
                return Ok(i32::try_from(pid).ok().and_then(Pid::from_raw));
            }
            let mut waited = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut waited, Some(&START_WALL)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            let mut buffer = [0; 512];
            match self.0.read(&mut buffer)? {
                0 => return Ok(None),
                read => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            }
        }
    }
}

fn number(lines: &str, name: &str) -> Option<i64> {
    // The object with the process number is spread over lines; later ones are one line each.
    let documents = serde_json::Deserializer::from_str(lines).into_iter::<serde_json::Value>();
    documents
        .map_while(Result::ok)
        .find_map(|document| document.get(name)?.as_i64())
}

pub fn start(
    program: &Path,
    exec: &Exec,
    grants: Option<&Grants>,
    ground: &Ground,
) -> Result<Started<Status>, SandboxError> {
    if let Some(identity) = ground.identity {
        identity.check_workspace(&exec.workspace, ground.meeting_place.is_none())?;
    }
    begin(program, exec, grants, ground).map_err(|failure| match failure {
        Failure::Refused(error) => error,
        Failure::Io(error) if error.kind() == io::ErrorKind::ArgumentListTooLong => {
            SandboxError::Setup("the command is too long: the system takes 128 KiB".to_owned())
        }
        Failure::Io(error) => SandboxError::Setup(error.to_string()),
    })
}

pub enum Failure {
    Refused(SandboxError),
    Io(io::Error),
}

impl<E: Into<io::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Io(error.into())
    }
}

fn begin(
    program: &Path,
    exec: &Exec,
    grants: Option<&Grants>,
    ground: &Ground,
) -> Result<Started<Status>, Failure> {
    let none = Grants::default();
    let seen = Seen {
        workspace: ground
            .meeting_place
            .map_or(exec.workspace.as_path(), Path::new),
        read_only: exec.read_only,
        grants: grants.unwrap_or(&none),
    };
    let inside = Inside::new(&seen, exec)?;
    let (output, output_in) = pipe_with(PipeFlags::CLOEXEC)?;
    let cgroup = ground
        .cgroups
        .create(exec.limits.memory, exec.limits.processes)?;
    let workspace = || CString::new(exec.workspace.as_os_str().as_bytes()).ok();
    let entry = Entry {
        cgroups: cgroup.as_ref().map(Cgroup::joins).unwrap_or_default(),
        limits: process_limits(),
        mount: ground
            .meeting_place
            .and_then(|place| Some((workspace()?, CString::new(place).ok()?))),
        identity: ground.identity,
        pass: inside.pass.iter().map(AsRawFd::as_raw_fd).collect(),
        ..Entry::default()
    };
    let mut command = command(program, entry);
    command.args([
        "--args",
        &inside.arguments.to_string(),
        "--",
        "/bin/sh",
        "-c",
    ]);
    command
        .arg(counted(exec.limits.processes))
        .arg(&exec.command);
    let talk = pipes(&mut command, output_in, grants.is_some())?;
    let leader = command.spawn();
    // Our copies of the ends that the child has go with these.
    drop((command, inside.pass));
    let leader =
        leader.map_err(|error| Failure::Refused(explain::spawn(&error, output_of(&output))))?;
    let (tree, status) = hold(leader, inside.status, cgroup, &output)?;
    File::from(inside.gate).write_all(b"x")?;
    Ok(Started {
        tree,
        output,
        status,
        talk,
    })
}

/// The descriptors that bubblewrap gets, and our ends of those that are pipes.
struct Inside {
    pass: Vec<OwnedFd>,
    /// Number of the one to read arguments from.
    arguments: i32,
    status: Status,
    gate: OwnedFd,
}

impl Inside {
    fn new(seen: &Seen<'_>, exec: &Exec) -> io::Result<Self> {
        let (status, status_in) = pipe_with(PipeFlags::CLOEXEC)?;
        let (gate_out, gate) = pipe_with(PipeFlags::CLOEXEC)?;
        let sockets = match seen.grants.network {
            // Abstract local sockets belong to the network's namespace, which is the machine's then.
            true => Sockets::Internet,
            false => Sockets::Contained,
        };
        let seccomp = memory_file(&bytes(&filter(sockets)))?;
        let mut descriptors = Descriptors {
            seccomp: seccomp.as_raw_fd(),
            status: status_in.as_raw_fd(),
            gate: gate_out.as_raw_fd(),
            files: Vec::new(),
        };
        let mut pass = vec![seccomp, status_in, gate_out];
        for (path, text) in arguments::files(seen.grants.network) {
            let file = memory_file(text.as_bytes())?;
            descriptors.files.push((file.as_raw_fd(), path.to_owned()));
            pass.push(file);
        }
        for (path, content) in &exec.files {
            let file = memory_file(content)?;
            let path = format!("{}/{path}", arguments::INPUTS);
            descriptors.files.push((file.as_raw_fd(), path));
            pass.push(file);
        }
        let arguments = memory_file(&arguments(seen, &descriptors))?;
        let number = arguments.as_raw_fd();
        pass.push(arguments);
        Ok(Self {
            pass,
            arguments: number,
            status: Status(status.into()),
            gate,
        })
    }
}

/// The script around the command: the process limit must be set inside of the user namespace. There it counts the processes
/// of this sandbox; outside it would count all of the user's. dash calls it -p, bash -u.
fn counted(processes: u32) -> String {
    // One more for the first process of the namespace, which is bubblewrap's.
    let limit = processes.saturating_add(1);
    format!(
        "ulimit -u {limit} 2>/dev/null || ulimit -p {limit} 2>/dev/null; exec /bin/sh -c \"$0\""
    )
}

/// Gets a handle on the first process while it waits at the gate.
fn hold(
    mut leader: Child,
    mut status: Status,
    cgroup: Option<Cgroup>,
    output: &OwnedFd,
) -> Result<(Tree, Status), Failure> {
    let init = match status.first_process() {
        Ok(Some(pid)) => pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from),
        Ok(None) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) => Err(error),
    };
    match init {
        Ok(init) => Ok((Tree::new(leader, Stop::Kill { init }, cgroup)?, status)),
        Err(error) => {
            leader.kill()?;
            leader.wait()?;
            let said = output_of(output);
            Err(Failure::Refused(if said.is_empty() {
                SandboxError::Setup(error.to_string())
            } else {
                explain::failed(&said)
            }))
        }
    }
}

/// What is there to be read now, without waiting.
fn output_of(output: &OwnedFd) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let mut ready = [PollFd::new(output, PollFlags::IN)];
        match poll(
            &mut ready,
            Some(&Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            }),
        ) {
            Ok(1) => match rustix::io::read(output, &mut buffer) {
                Ok(read) if read > 0 && text.len() < 64 << 10 => {
                    text.extend_from_slice(&buffer[..read])
                }
                _ => break,
            },
            _ => break,
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// With nothing of our environment, and what the entry says done before it begins.
fn command(program: &Path, entry: Entry) -> Command {
    let mut command = Command::new(program);
    // bubblewrap's processes keep it for as long as they live, readable from inside in /proc/1/environ.
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::null());
    // SAFETY: `enter` is made for this place.
    unsafe { command.pre_exec(move || entry.enter()) };
    command
}

fn memory_file(content: &[u8]) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("sandbox", MemfdFlags::CLOEXEC)?;
    let mut file = File::from(fd);
    file.write_all(content)?;
    io::Seek::rewind(&mut file)?;
    Ok(file.into())
}

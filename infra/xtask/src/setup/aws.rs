//! AWS on this machine: ministack, from Python's packages, on a free port of the loopback, for as long as the value lives.
//!
//! It keeps everything in memory. It is ended by its process id when the value goes, and by the kernel when we are killed. Clients
//! are told its address in so many words, so nothing leaves the machine.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::setup::python::{self, Environment};
use crate::steps::Steps;

const TITLE: &str = "aws emulator";
const PACKAGES: Environment = Environment {
    requirements: "tests/aws/requirements.txt",
    why: "ministack, which is DynamoDB and S3 to the tests",
};
/// It takes about a second; one that took longer has a reason that somebody should look at.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running emulator.
pub struct Emulator {
    process: Child,
    /// Goes with it.
    pub directory: PathBuf,
    pub endpoint: String,
}

/// The interpreter that has the packages. None, and a step marked as skipped or failed, where that can't be.
pub fn packages(project: &Project, steps: &mut Steps) -> Result<Option<PathBuf>> {
    let python = python::environment(project, steps, &PACKAGES)?;
    if python.is_none() {
        steps.skip(TITLE, "its python environment could not be made");
    }
    Ok(python)
}

/// Starts it for tests of stores and blobs.
pub fn emulator(project: &Project, steps: &mut Steps, python: &Path) -> Result<Option<Emulator>> {
    match start(project, python, &[]) {
        Ok(emulator) => {
            steps.pass(TITLE, &format!("at {}", emulator.endpoint));
            Ok(Some(emulator))
        }
        Err(error) => {
            steps.fail(TITLE, &format!("{error:#}"));
            Ok(None)
        }
    }
}

/// A new one, with these settings of its own.
pub fn start(project: &Project, python: &Path, settings: &[(&str, &str)]) -> Result<Emulator> {
    let directory = new_directory()?;
    let log = directory.join("log");
    let started = File::create(&log).map_err(Into::into).and_then(|output| {
        // Somebody else may take the port in between; then it ends at once, and the set-up fails.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let process = command(project, python)
            .current_dir(&directory)
            // Functions are unpacked there.
            .env("TMPDIR", &directory)
            .envs(settings.iter().copied())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            // What it starts itself is told where it is.
            .env("AWS_ENDPOINT_URL", &endpoint)
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start ministack")?;
        let directory = directory.clone();
        let mut emulator = Emulator {
            process,
            directory,
            endpoint,
        };
        emulator.ready(port, &log)?;
        Ok(emulator)
    });
    if started.is_err() {
        fs::remove_dir_all(&directory).ok();
    }
    started
}

/// A program of the environment, for its interpreter: its first line names the place where the environment was made, which is
/// not where it is.
pub fn script(python: &Path, name: &str) -> PathBuf {
    python.with_file_name(name)
}

fn new_directory() -> Result<PathBuf> {
    let mut number = 0;
    loop {
        let name = format!("countersign-aws-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot make {}", directory.display()));
            }
        }
    }
}

/// Ends with us, also when nobody drops anything any more.
fn command(project: &Project, python: &Path) -> Command {
    let mut command = project.clean_command("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(python)
        .arg(script(python, "ministack"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    // A group of its own: what it started ends with it.
    command.stdin(std::process::Stdio::null()).process_group(0);
    command
}

impl Emulator {
    fn ready(&mut self, port: u16, log: &Path) -> Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.process.try_wait()?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(log).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                bail!("ministack does not listen: {}", last.join(" | "));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        Command::new("kill")
            .args(["-KILL", "--", &group])
            .status()
            .ok();
        self.process.wait().ok();
        fs::remove_dir_all(&self.directory).ok();
    }
}

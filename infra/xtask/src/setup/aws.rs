//! AWS on this machine: ministack, from Python's packages, on a free port of the loopback, for as long as the value lives.
//!
//! It keeps everything in memory. It is ended by its process id when the value goes, and by the kernel when we are killed. Clients
//! are told its address in so many words, so nothing leaves the machine.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
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
    directory: PathBuf,
    pub endpoint: String,
}

/// Installs and starts it. None, and a step marked as skipped or failed, where that can't be.
pub fn emulator(project: &Project, steps: &mut Steps) -> Result<Option<Emulator>> {
    let Some(python) = python::environment(project, steps, &PACKAGES)? else {
        steps.skip(TITLE, "its python environment could not be made");
        return Ok(None);
    };
    match start(project, &python) {
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

fn start(project: &Project, python: &Path) -> Result<Emulator> {
    let directory = std::env::temp_dir().join(format!("countersign-aws-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let log = directory.join("log");
    let started = File::create(&log).map_err(Into::into).and_then(|output| {
        // Somebody else may take the port in between; then it ends at once, and the set-up fails.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let process = command(project, python)
            .current_dir(&directory)
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

/// Ends with us, also when nobody drops anything any more. (As a module: the environment was made under another name, which its
/// scripts still have in them.)
fn command(project: &Project, python: &Path) -> Command {
    let mut command = project.clean_command("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(python);
    command.args(["-m", "ministack"]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.stdin(std::process::Stdio::null());
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
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_dir_all(&self.directory).ok();
    }
}

//! `cargo xtask setup`: what the tests need beyond a Rust toolchain and a C compiler, installed on a bare Debian
//! machine. `cargo xtask test` begins with it. What is there already is left alone; what can't be installed for
//! want of rights is said and its tests are left out by name.

mod apt;
pub mod aws;
pub mod mcp;
pub mod postgres;
pub mod python;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::project::Project;
use crate::steps::Steps;

/// What the set-up found or made.
pub struct Ready {
    /// The interpreter with the Telegram check's requirements; none where they are not installed.
    pub python: Option<PathBuf>,
    /// The interpreter with ministack and SAM; none where they are not installed.
    pub aws_python: Option<PathBuf>,
    /// DynamoDB and S3 for as long as this lives; none where they could not be had.
    pub aws: Option<aws::Emulator>,
    /// Tool servers that others wrote; none where they are not installed.
    pub mcp: Option<PathBuf>,
    /// A server that runs for as long as this lives; none where it could not be had.
    pub postgres: Option<postgres::Server>,
}

/// Goes on after a failed part, so that one run says all that is missing.
pub fn run(project: &Project, steps: &mut Steps) -> Result<Ready> {
    rust_components(project, steps);
    nextest(project, steps);
    bubblewrap(steps);
    let python = python::environment(project, steps, &python::TELEGRAM_CHECK)?;
    let aws_python = aws::packages(project, steps)?;
    let aws = match &aws_python {
        Some(python) => aws::emulator(project, steps, python)?,
        None => None,
    };
    let mcp = match &python {
        Some(python) => mcp::servers(project, steps, python)?,
        None => None,
    };
    let postgres = postgres::server(steps, postgres::CARELESS);
    Ok(Ready {
        python,
        aws_python,
        aws,
        mcp,
        postgres,
    })
}

/// A minimal toolchain comes without them.
fn rust_components(project: &Project, steps: &mut Steps) {
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if works("cargo", &[probe, "--version"]) {
            continue;
        }
        steps.run(
            component,
            "part of the toolchain that the checks need",
            project
                .clean_command("rustup")
                .args(["component", "add", component]),
        );
    }
}

fn nextest(project: &Project, steps: &mut Steps) {
    if works("cargo", &["nextest", "--version"]) {
        return steps.pass("cargo-nextest", "present");
    }
    steps.run(
        "cargo-nextest",
        "runs each test in a process of its own; built once, some minutes",
        project
            .clean_command("cargo")
            .args(["install", "cargo-nextest", "--locked"]),
    );
}

fn bubblewrap(steps: &mut Steps) {
    const WHY: &str = "the sandbox whose tests run real commands in it";
    if works("bwrap", &["--version"]) {
        return steps.pass("bubblewrap", "present");
    }
    apt::install(steps, "bubblewrap", WHY);
}

/// True if the command can be started and exits with 0.
fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

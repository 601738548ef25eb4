//! Keeping the fake, and our bot, honest with third-party code: an ordinary aiogram bot must work against the fake, and every
//! request that our bot sends must fit aiogram's models of the Bot API.
//!
//! Both need the Python environment that `cargo xtask test` makes from `tests/telegram_check/requirements.txt`. Where it is
//! missing these checks say so and are skipped.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::{FakeTelegram, RecordedRequest};

/// The interpreter that has aiogram, where `COUNTERSIGN_TEST_PYTHON` names one; else it prints that a check is skipped.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("COUNTERSIGN_TEST_PYTHON")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    if python.is_none() {
        eprintln!(
            "SKIPPED: the check against aiogram needs COUNTERSIGN_TEST_PYTHON; `cargo xtask test` sets it"
        );
    }
    python
}

/// How the aiogram bot gets its updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    Polling,
    Webhook,
}

/// Starts the aiogram bot against `tg`. It is killed when the child is dropped.
///
/// # Errors
/// Where the interpreter can't be started.
pub fn aiogram_bot(python: &Path, tg: &FakeTelegram, intake: Intake) -> std::io::Result<Child> {
    let mut command = Command::new(python);
    command
        .arg(script("echo_bot.py"))
        .args([tg.url(), tg.token()])
        .kill_on_drop(true);
    if intake == Intake::Webhook {
        command.arg("--webhook");
    }
    command.stdin(Stdio::null()).spawn()
}

/// Holds requests against aiogram's models; an empty list is a fault too, since it would check nothing. The error lists what
/// doesn't fit.
///
/// # Errors
/// The faults, a line each.
pub async fn validate(python: &Path, requests: &[RecordedRequest]) -> Result<(), String> {
    let lines: Vec<String> = requests
        .iter()
        .map(|request| {
            serde_json::json!({"method": request.method, "params": request.params}).to_string()
        })
        .collect();
    let output = run_validator(python, lines.join("\n"))
        .await
        .map_err(|error| format!("{}: {error}", python.display()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

async fn run_validator(python: &Path, input: String) -> std::io::Result<std::process::Output> {
    let mut child = Command::new(python)
        .arg(script("validate_requests.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdin = child.stdin.take();
    let feed = async move {
        match stdin {
            // Dropped at the end, which is how the script knows that this was all.
            Some(mut stdin) => stdin.write_all(input.as_bytes()).await,
            None => Ok(()),
        }
    };
    let (fed, output) = tokio::join!(feed, child.wait_with_output());
    fed?;
    output
}

/// Looked up when the test runs, since one target directory may serve several clones; the clone that this was compiled in
/// serves programs that cargo didn't start.
fn script(name: &str) -> PathBuf {
    let running = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let compiled = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let below = |package: PathBuf| package.join("telegram_check").join(name);
    running
        .map(below)
        .filter(|path| path.exists())
        .unwrap_or_else(|| below(compiled))
}

//! Requests to DynamoDB for a run, by process and operation: of a question, and of a question whose answer takes a command that is
//! approved. They are counted between the functions' own binaries and ministack, by a test that fails when they are too many
//! (`infra/lambda/tests/aws/aws/requests.rs`); here it says what it counted.

use anyhow::{Context, Result, ensure};

use super::Args;
use crate::{project::Project, setup::aws, steps::Steps, test};

pub fn measure(project: &Project, _: &Args) -> Result<()> {
    let mut steps = Steps::new();
    let python = aws::packages(project, &mut steps)?.context("there is no ministack")?;
    let emulator = aws::start(project, &python, &[])?;
    ensure!(test::build(project, &mut steps), "the build failed");
    let done = project
        .clean_command("cargo")
        .args(["nextest", "run", "--workspace", "--features", test::CRASH])
        .args(["--no-capture", "-E", "test(a_run_takes_few_requests)"])
        .env("COUNTERSIGN_TEST_AWS", &emulator.endpoint)
        .env("COUNTERSIGN_BIN", test::keep_program(project)?)
        .status()?;
    ensure!(done.success(), "they are more than they should be");
    Ok(())
}

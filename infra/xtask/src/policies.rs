//! `cargo xtask policies`: takes each action away from its role in a deployment on this machine, and shows that it is missed
//! (`tests/flows/policies.rs`). What is not missed has no place in the template.

use anyhow::Result;

use crate::project::Project;
use crate::setup::aws;
use crate::steps::Steps;
use crate::test;

#[derive(clap::Args)]
pub struct Args {
    /// Only this role, e.g. `Webhook`
    #[arg(long)]
    role: Option<String>,
}

pub fn run(args: &Args, project: &Project, steps: &mut Steps) -> Result<()> {
    if aws::packages(project, steps)?.is_none() || !test::build(project, steps) {
        return Ok(());
    }
    let program = test::keep_program(project)?;
    let mut command = project.clean_command("cargo");
    command
        .args(["nextest", "run", "--workspace", "--features", test::CRASH])
        // Its report is the point.
        .args([
            "--profile",
            "crash",
            "--no-capture",
            "--run-ignored",
            "only",
        ])
        .args(["-E", "test(=flows::policies::every_action_is_needed)"])
        .env("COUNTERSIGN_TEST_DEPLOY", test::xtask(&program))
        .env("COUNTERSIGN_BIN", program);
    if let Some(role) = &args.role {
        command.env("COUNTERSIGN_TEST_ROLE", role);
    }
    steps.run("policies", "no role may do what it need not", &mut command);
    Ok(())
}

//! `cargo xtask lint`: the format and clippy's view, both without a single exception; for the deployment's template that of SAM
//! and of cfn-lint.

use std::path::Path;

use anyhow::Result;

use crate::project::Project;
use crate::setup::aws;
use crate::steps::Steps;

/// Runs both, also when the first fails: one wants to see all that is wrong.
pub fn run(project: &Project, steps: &mut Steps) -> Result<()> {
    steps.run(
        "format",
        "one layout for everybody; `cargo fmt --all` repairs it",
        project
            .clean_command("cargo")
            .args(["fmt", "--all", "--check"]),
    );
    steps.run(
        "clippy",
        "no warnings, no unwrap, no panics outside of tests",
        project.clean_command("cargo").args([
            "clippy",
            "--workspace",
            "--all-targets",
            // Benches are code too, though nothing else builds them.
            "--features",
            "xtask/bench",
            "--",
            "-D",
            "warnings",
        ]),
    );
    Ok(())
}

/// `python` is of the environment that has both.
pub fn template(project: &Project, steps: &mut Steps, python: &Path) {
    const TEMPLATE: &str = "template.yaml";
    let tool = |name: &str| {
        let mut command = project.clean_command(python);
        // They ask for a region, and need none.
        command
            .arg(aws::script(python, name))
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("SAM_CLI_TELEMETRY", "0");
        command
    };
    steps.run(
        "template: cfn-lint",
        "what CloudFormation would refuse, it says now",
        tool("cfn-lint").arg(TEMPLATE),
    );
    steps.run(
        "template: sam validate",
        "the same of what SAM adds",
        tool("sam").args(["validate", "--lint", "--template", TEMPLATE]),
    );
}

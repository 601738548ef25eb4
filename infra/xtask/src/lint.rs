//! `cargo xtask lint`: the format and clippy's view, both without a single exception.

use anyhow::Result;

use crate::project::Project;
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

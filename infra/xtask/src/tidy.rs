//! `cargo xtask tidy`: only the tests in `tests/tidy`, which read the tree and enforce the rules that a compiler
//! doesn't know.

use anyhow::Result;

use crate::project::Project;
use crate::steps::Steps;

/// Selects the whole workspace, as `test` does: another selection of packages gives other features, and cargo
/// would build half of the dependencies again.
pub fn run(project: &Project, steps: &mut Steps) -> Result<()> {
    steps.run(
        "tidy",
        "direction of crates, sizes, names, documents",
        project.clean_command("cargo").args([
            "nextest",
            "run",
            "--workspace",
            "--test",
            "all",
            "-E",
            "test(/^tidy::/)",
        ]),
    );
    Ok(())
}

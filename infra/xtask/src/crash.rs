//! `cargo xtask crash`: the machine that tries to break the program (`tests/crash`), for longer than `cargo xtask test` lets it.

use anyhow::Result;

use crate::project::Project;
use crate::setup;
use crate::steps::Steps;
use crate::test;

#[derive(clap::Args)]
pub struct Args {
    /// How often the program is killed, in worlds of 16 kills
    #[arg(long, default_value_t = 1000)]
    kills: u64,
    /// The seed of the first world; the others follow
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Play this one world
    #[arg(long, conflicts_with_all = ["kills", "from"])]
    seed: Option<u64>,
}

pub fn run(args: &Args, project: &Project, steps: &mut Steps) -> Result<()> {
    setup::run(project, steps)?;
    if !test::build(project, steps) {
        return Ok(());
    }
    let program = test::keep_program(project)?;
    let mut command = project.clean_command("cargo");
    command
        .args(["nextest", "run", "--workspace", "--features", test::CRASH])
        // Its summary is the point.
        .args([
            "--profile",
            "crash",
            "--no-capture",
            "-E",
            "test(/^crash::/)",
        ])
        .env("COUNTERSIGN_BIN", program)
        .env("COUNTERSIGN_CRASH_KILLS", args.kills.to_string())
        .env("COUNTERSIGN_CRASH_FROM", args.from.to_string());
    if let Some(seed) = args.seed {
        command.env("COUNTERSIGN_CRASH_SEED", seed.to_string());
    }
    steps.run(
        "crash",
        "nothing is lost and nothing happens twice",
        &mut command,
    );
    Ok(())
}

//! Developer commands: `cargo xtask <command>`. What CI runs is `cargo xtask test`, and nothing that CI does is
//! hidden from a developer's machine. One file per command; a new one adds its file, its line in [`Command`] and
//! its line in [`main`].

mod bench;
mod crash;
mod deploy;
mod lint;
mod policies;
mod postgres;
mod project;
mod setup;
mod steps;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use project::Project;
use steps::Steps;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of Countersign")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that must hold before a change lands: set-up, format, lints, build, all tests
    Test(test::Args),
    /// Install what the tests need on a bare Debian machine (part of `test`)
    Setup,
    /// Format and lints only (part of `test`)
    Lint,
    /// The rules about the source tree only: sizes, names, direction of crates (part of `test`)
    Tidy,
    /// Kill the program again and again, and look whether a promise breaks (a shorter round is part of `test`)
    Crash(crash::Args),
    /// Deploy the template on an AWS that is a process on this machine, until the standard input ends
    DeployLocal(deploy::Args),
    /// Take each action away from the functions' roles, one after another, and show that it is missed (half an hour)
    Policies(policies::Args),
    /// A PostgreSQL server on a free port, until the standard input ends
    Postgres,
    /// Measure, in release mode, beside the peers that the numbers are compared with
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let mut steps = Steps::new();
    let outcome = Project::find().and_then(|project| match Cli::parse().command {
        Command::Test(args) => test::run(&args, &project, &mut steps),
        Command::Setup => setup::run(&project, &mut steps).map(drop),
        Command::Lint => lint::run(&project, &mut steps),
        Command::Tidy => tidy::run(&project, &mut steps),
        Command::Crash(args) => crash::run(&args, &project, &mut steps),
        Command::DeployLocal(args) => deploy::run(&args, &project, &mut steps),
        Command::Policies(args) => policies::run(&args, &project, &mut steps),
        Command::Postgres => postgres::run(&mut steps),
        Command::Bench(args) => bench::run(&args, &project),
    });
    if let Err(error) = outcome {
        steps.fail("xtask", &format!("{error:#}"));
    }
    steps.summary()
}

//! `cargo xtask deploy-local`: the template as it is, on an AWS that is a process on this machine: ministack, which runs the
//! functions as processes and enforces their roles' policies. It does what `infra/deploy/README.md` tells people to do, and stays until
//! its standard input ends (or Ctrl-C); then everything that it started is gone.

mod stack;

use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::setup::aws;
use crate::steps::Steps;
use crate::test;

pub use stack::{FUNCTIONS, Stack, Wanted};

#[derive(clap::Args)]
pub struct Args {
    /// The Bot API whose webhook is set: FakeTelegram's, or a Bot API server on this machine. Without it there is no bot
    #[arg(long, requires = "token")]
    telegram: Option<String>,
    /// The bot's token
    #[arg(long, requires = "telegram")]
    token: Option<String>,
    /// A variable of the functions, NAME=VALUE; any number of them
    #[arg(long = "set")]
    variables: Vec<String>,
    /// A directory with the programs, instead of building them
    #[arg(long)]
    built: Option<PathBuf>,
}

pub fn run(args: &Args, project: &Project, steps: &mut Steps) -> Result<()> {
    let Some(python) = aws::packages(project, steps)? else {
        return Ok(());
    };
    let built = match &args.built {
        Some(directory) => directory.clone(),
        None if build(project, steps) => project.target.join("debug"),
        None => return Ok(()),
    };
    let mut variables = Vec::new();
    for variable in &args.variables {
        let (name, value) = variable
            .split_once('=')
            .with_context(|| format!("--set {variable}: write it as NAME=VALUE"))?;
        variables.push((name.to_owned(), value.to_owned()));
    }
    let wanted = Wanted {
        telegram: args.telegram.clone().zip(args.token.clone()),
        variables,
        built,
    };
    let stack = Stack::deploy(project, python, &wanted)?;
    for (name, value) in stack.operator() {
        println!("export {name}='{value}'");
    }
    println!("ready {}", stack.report());
    std::io::stdout().flush()?;
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing)?;
    Ok(())
}

/// As `cargo xtask test` builds them, so that one doesn't undo the other's work.
fn build(project: &Project, steps: &mut Steps) -> bool {
    steps.run(
        "build",
        "the functions and the program, in the profile that is built fastest",
        project.clean_command("cargo").args([
            "build",
            "--workspace",
            "--bins",
            "--features",
            test::CRASH,
        ]),
    )
}

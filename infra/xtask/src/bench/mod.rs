//! `cargo xtask bench`: measures, in release mode, beside the peers that a number is compared with. One file per
//! benchmark in this folder; a new one adds its `mod` line and its lines in [`BENCHES`]. Dependencies that only a
//! benchmark needs are optional and belong to xtask's feature `bench`.
//!
//! What is compared is measured in turns, several rounds of each in the same run, and the median is printed: a machine
//! that others use too is slow for all of them. What a benchmark prints is what it measured, never what should be.

#[cfg(feature = "bench")]
mod bytes;
#[cfg(feature = "bench")]
mod counting;
#[cfg(feature = "bench")]
mod echo;
#[cfg(feature = "bench")]
mod engine;
#[cfg(feature = "bench")]
mod measure;
#[cfg(feature = "bench")]
mod peer;
#[cfg(feature = "bench")]
mod program;
#[cfg(feature = "bench")]
mod start;
#[cfg(feature = "bench")]
mod steps;

use anyhow::{Result, bail};

use crate::project::Project;

/// What can be measured.
struct Bench {
    name: &'static str,
    about: &'static str,
    /// Measures and prints.
    #[cfg(feature = "bench")]
    measure: fn(&Project, &Args) -> Result<()>,
}

/// All benchmarks, in the order in which they run.
const BENCHES: &[Bench] = &[
    Bench {
        name: "steps",
        about: "no-op steps of 1 and 32 runs at once, synchronous=FULL, beside a raw insert and LangGraph's SqliteSaver",
        #[cfg(feature = "bench")]
        measure: steps::measure,
    },
    Bench {
        name: "bytes",
        about: "bytes written per step of a run with 50 and with 500 steps",
        #[cfg(feature = "bench")]
        measure: bytes::measure,
    },
    Bench {
        name: "echo",
        about: "messages answered through FakeTelegram, beside a bare teloxide bot and aiogram",
        #[cfg(feature = "bench")]
        measure: echo::measure,
    },
    Bench {
        name: "start",
        about: "start to first reply, idle memory, size of the program",
        #[cfg(feature = "bench")]
        measure: start::measure,
    },
];

#[derive(clap::Args)]
pub struct Args {
    /// Names of the benchmarks to run; all of them without
    names: Vec<String>,
    /// Only say which there are
    #[arg(long)]
    list: bool,
    /// Also build the program as it is shipped (profile `dist`; takes minutes) and measure that one
    #[arg(long)]
    dist: bool,
    /// Be a peer of a benchmark: `teloxide` or `raw`, the server's URL, the token
    #[arg(long, hide = true, num_args = 3, value_names = ["PEER", "URL", "TOKEN"])]
    peer: Vec<String>,
}

/// Runs the chosen benchmarks; an unknown name is an error.
pub fn run(args: &Args, project: &Project) -> Result<()> {
    let chosen = choose(&args.names)?;
    if args.list {
        for bench in chosen {
            println!("{:<20} {}", bench.name, bench.about);
        }
        return Ok(());
    }
    perform(&chosen, args, project)
}

fn choose(names: &[String]) -> Result<Vec<&'static Bench>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !BENCHES.iter().any(|bench| bench.name == name.as_str()))
    {
        bail!("there is no benchmark named {unknown}: see `cargo xtask bench --list`");
    }
    Ok(BENCHES
        .iter()
        .filter(|bench| names.is_empty() || names.iter().any(|name| name == bench.name))
        .collect())
}

#[cfg(feature = "bench")]
fn perform(chosen: &[&Bench], args: &Args, project: &Project) -> Result<()> {
    if let [name, url, token] = args.peer.as_slice() {
        return peer::run(name, url, token);
    }
    for bench in chosen {
        println!("\n{}: {}", bench.name, bench.about);
        (bench.measure)(project, args)?;
    }
    Ok(())
}

/// A debug build measures nothing worth knowing: builds xtask again, optimised and with the benchmarks'
/// dependencies, and lets that one measure.
#[cfg(not(feature = "bench"))]
fn perform(_: &[&Bench], args: &Args, project: &Project) -> Result<()> {
    let mut command = project.clean_command("cargo");
    command
        .args(["run", "--release", "--package", "xtask"])
        .args(["--features", "bench", "--", "bench"])
        .args(&args.names);
    if args.dist {
        command.arg("--dist");
    }
    let status = command.status()?;
    if !status.success() {
        bail!("the benchmarks ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_refused() {
        let Err(error) = choose(&["no-such-bench".to_owned()]) else {
            panic!("it must be refused")
        };
        assert!(error.to_string().contains("no-such-bench"));
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = BENCHES.iter().map(|bench| bench.name).collect();
        assert_eq!(names.len(), BENCHES.len());
    }
}

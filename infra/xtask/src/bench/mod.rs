//! `cargo xtask bench`: measures, in release mode, beside the peers that a number is compared with. One file per
//! benchmark in this folder; a new one adds its `mod` line and its lines in [`BENCHES`]. Dependencies that only a
//! benchmark needs are optional and belong to xtask's feature `bench`.
//!
//! What is compared is measured in turns, several rounds of each in the same run, and the median is printed: a machine
//! that others use too is slow for all of them. What a benchmark prints is what it measured, never what should be.

#[cfg(feature = "bench")]
mod bytes;
#[cfg(feature = "bench")]
mod claims;
#[cfg(feature = "bench-search")]
mod corpus;
#[cfg(feature = "bench")]
mod counting;
#[cfg(feature = "bench")]
mod echo;
#[cfg(feature = "bench")]
mod engine;
#[cfg(feature = "bench-search")]
#[cfg_attr(
    not(feature = "bench"),
    expect(dead_code, reason = "the other benchmarks measure more")
)]
mod measure;
#[cfg(feature = "bench")]
mod peer;
#[cfg(feature = "bench-search")]
mod peers;
#[cfg(feature = "bench")]
mod program;
#[cfg(feature = "bench-search")]
mod relevance;
#[cfg(feature = "bench-search")]
mod search;
#[cfg(feature = "bench-search")]
mod searcher;
#[cfg(feature = "bench")]
mod start;
#[cfg(feature = "bench")]
mod steps;

use anyhow::{Result, bail};
use std::path::PathBuf;

use crate::project::Project;

/// What can be measured.
struct Bench {
    name: &'static str,
    about: &'static str,
    /// What of xtask it needs.
    feature: &'static str,
}

/// All benchmarks, in the order in which they run.
const BENCHES: &[Bench] = &[
    Bench {
        name: "steps",
        about: "no-op steps of 1 and 32 runs at once, synchronous=FULL, beside a raw insert and LangGraph's SqliteSaver",
        feature: "bench",
    },
    Bench {
        name: "bytes",
        about: "bytes written per step of a run with 50 and with 500 steps",
        feature: "bench",
    },
    Bench {
        name: "claims",
        about: "claims per second on PostgreSQL with 1, 4 and 16 workers, beside a plain loop with SKIP LOCKED on the same server",
        feature: "bench",
    },
    Bench {
        name: "echo",
        about: "messages answered through FakeTelegram, beside a bare teloxide bot and aiogram",
        feature: "bench",
    },
    Bench {
        name: "start",
        about: "start to first reply, idle memory, size of the program",
        feature: "bench",
    },
    Bench {
        name: "search",
        about: "searches in 80,000 passages of Debian's documentation, beside bm25s and rank-bm25: time, memory, bytes",
        feature: "bench-search",
    },
    Bench {
        name: "relevance",
        about: "nDCG@10, MAP and recall@100 on judged collections (--set DIR), beside rank-bm25, bm25s and SQLite FTS5",
        feature: "bench-search",
    },
];

/// Measures and prints.
#[cfg(feature = "bench-search")]
fn measure(bench: &Bench, project: &Project, args: &Args) -> Result<()> {
    match bench.name {
        #[cfg(feature = "bench")]
        "steps" => steps::measure(project, args),
        #[cfg(feature = "bench")]
        "bytes" => bytes::measure(project, args),
        #[cfg(feature = "bench")]
        "claims" => claims::measure(project, args),
        #[cfg(feature = "bench")]
        "echo" => echo::measure(project, args),
        #[cfg(feature = "bench")]
        "start" => start::measure(project, args),
        "search" => search::measure(project, args),
        "relevance" => relevance::measure(project, args),
        name => bail!("{name} needs xtask's feature {}", bench.feature),
    }
}

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
    /// A judged collection in BEIR's layout, for `relevance`; more than one may be given
    #[arg(long, value_name = "DIR")]
    set: Vec<PathBuf>,
    /// Be the process that searches: the directory of its index
    #[arg(long, hide = true, value_name = "DIR")]
    serve: Option<PathBuf>,
    /// Be a peer of a benchmark: `teloxide` or `raw`, the server's URL, the token
    #[arg(long, hide = true, num_args = 3, value_names = ["PEER", "URL", "TOKEN"])]
    peer: Vec<String>,
}

/// Runs the chosen benchmarks; an unknown name is an error.
pub fn run(args: &Args, project: &Project) -> Result<()> {
    let chosen = choose(&args.names)?;
    if args.list {
        for bench in BENCHES {
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
    // The relevance of nothing in particular can't be measured.
    let chosen = |bench: &&Bench| match names {
        [] => bench.name != "relevance",
        names => names.iter().any(|name| name == bench.name),
    };
    Ok(BENCHES.iter().filter(chosen).collect())
}

#[cfg(feature = "bench-search")]
fn perform(chosen: &[&Bench], args: &Args, project: &Project) -> Result<()> {
    #[cfg(feature = "bench")]
    if let [name, url, token] = args.peer.as_slice() {
        return peer::run(name, url, token);
    }
    for bench in chosen {
        if args.serve.is_none() {
            println!("\n{}: {}", bench.name, bench.about);
        }
        measure(bench, project, args)?;
    }
    Ok(())
}

/// A debug build measures nothing worth knowing: builds xtask again, optimised and with the benchmarks'
/// dependencies, and lets that one measure.
#[cfg(not(feature = "bench-search"))]
fn perform(chosen: &[&Bench], args: &Args, project: &Project) -> Result<()> {
    let features: Vec<_> = chosen.iter().map(|bench| bench.feature).collect();
    let mut command = project.clean_command("cargo");
    command
        .args(["run", "--release", "--package", "xtask"])
        .args(["--features", &features.join(","), "--", "bench"])
        .args(&args.names);
    for set in &args.set {
        command.arg("--set").arg(std::path::absolute(set)?);
    }
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

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
mod functions;
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
mod requests;
#[cfg(feature = "bench-search")]
mod rules;
#[cfg(feature = "bench-search")]
mod search;
#[cfg(feature = "bench-search")]
mod searcher;
#[cfg(feature = "bench")]
mod start;
#[cfg(feature = "bench")]
mod steps;
#[cfg(feature = "bench-tokens")]
mod tokens;

use anyhow::{Result, bail};
use std::path::PathBuf;

use crate::project::Project;

/// What can be measured.
struct Bench {
    name: &'static str,
    about: &'static str,
    /// What of xtask it needs, where what is measured is xtask itself.
    feature: Option<&'static str>,
}

/// All benchmarks, in the order in which they run.
const BENCHES: &[Bench] = &[
    Bench {
        name: "steps",
        about: "no-op steps of 1 and 32 runs at once, synchronous=FULL, beside a raw insert and LangGraph's SqliteSaver",
        feature: Some("bench"),
    },
    Bench {
        name: "bytes",
        about: "bytes written per step of a run with 50 and with 500 steps",
        feature: Some("bench"),
    },
    Bench {
        name: "claims",
        about: "claims per second on PostgreSQL with 1, 4 and 16 workers, beside a plain loop with SKIP LOCKED on the same server",
        feature: Some("bench"),
    },
    Bench {
        name: "functions",
        about: "start of the deployed functions beside one that says hello, and the size of their archives",
        feature: None,
    },
    Bench {
        name: "requests",
        about: "requests to DynamoDB for a run, by process and operation",
        feature: None,
    },
    Bench {
        name: "echo",
        about: "messages answered through FakeTelegram, beside a bare teloxide bot and aiogram",
        feature: Some("bench"),
    },
    Bench {
        name: "start",
        about: "start to first reply, idle memory, size of the program",
        feature: Some("bench"),
    },
    Bench {
        name: "search",
        about: "searches in 80,000 passages of Debian's documentation, beside bm25s and rank-bm25: time, memory, bytes",
        feature: Some("bench-search"),
    },
    Bench {
        name: "relevance",
        about: "nDCG@10, MAP and recall@100 on judged collections (--set DIR), beside rank-bm25, bm25s and SQLite FTS5",
        feature: Some("bench-search"),
    },
    Bench {
        name: "rules",
        about: "a decision of the rule engine with 10, 100 and 1,000 rules, and reading the rules before the first one",
        feature: Some("bench-search"),
    },
    Bench {
        name: "tokens",
        about: "what tools cost in recorded conversations (--conversations FILE --tools A,B …), all in every request and on demand",
        feature: Some("bench-tokens"),
    },
];

/// Measures and prints.
fn measure(bench: &Bench, project: &Project, args: &Args) -> Result<()> {
    match bench.name {
        "functions" => functions::measure(project, args),
        "requests" => requests::measure(project, args),
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
        #[cfg(feature = "bench-search")]
        "search" => search::measure(project, args),
        #[cfg(feature = "bench-search")]
        "relevance" => relevance::measure(project, args),
        #[cfg(feature = "bench-search")]
        "rules" => rules::measure(),
        #[cfg(feature = "bench-tokens")]
        "tokens" => tokens::measure(project, args),
        name => bail!(
            "{name} needs another xtask: its feature {:?}",
            bench.feature
        ),
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
    /// Recorded conversations, for `tokens`: one a line, in OpenAI's message format
    #[arg(long, value_name = "FILE")]
    conversations: Option<PathBuf>,
    /// What a model wrote to look for tools in them, for `tokens`: a line `{"point": "7.12", "query": "…"}` for a call of message 12 of conversation 7
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// Tools to add to the catalogue, for `tokens`: answers to `tools/list`, names of servers that `setup` installs; may be given again
    #[arg(long, value_name = "A,B")]
    tools: Vec<String>,
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
    // Neither the relevance of nothing in particular can be measured, nor what it costs.
    let chosen = |bench: &&Bench| match names {
        [] => !["relevance", "tokens"].contains(&bench.name),
        names => names.iter().any(|name| name == bench.name),
    };
    Ok(BENCHES.iter().filter(chosen).collect())
}

/// A debug build measures nothing worth knowing of itself: for what is measured in this process, xtask is built again, optimised
/// and with the benchmarks' dependencies, and that one measures.
fn perform(chosen: &[&Bench], args: &Args, project: &Project) -> Result<()> {
    #[cfg(feature = "bench")]
    if let [name, url, token] = args.peer.as_slice() {
        return peer::run(name, url, token);
    }
    let optimised = cfg!(feature = "bench-search");
    let (here, elsewhere): (Vec<&Bench>, Vec<&Bench>) = chosen
        .iter()
        .partition(|bench| optimised || bench.feature.is_none());
    for bench in here {
        if args.serve.is_none() {
            println!("\n{}: {}", bench.name, bench.about);
        }
        measure(bench, project, args)?;
    }
    match elsewhere.as_slice() {
        [] => Ok(()),
        elsewhere => measure_optimised(elsewhere, args, project),
    }
}

fn measure_optimised(benches: &[&Bench], args: &Args, project: &Project) -> Result<()> {
    let features: Vec<_> = benches.iter().filter_map(|bench| bench.feature).collect();
    let mut command = project.clean_command("cargo");
    command
        .args(["run", "--release", "--package", "xtask"])
        .args(["--features", &features.join(","), "--", "bench"])
        .args(benches.iter().map(|bench| bench.name));
    for set in &args.set {
        command.arg("--set").arg(std::path::absolute(set)?);
    }
    for (option, file) in [
        ("--conversations", &args.conversations),
        ("--queries", &args.queries),
    ] {
        if let Some(file) = file {
            command.arg(option).arg(std::path::absolute(file)?);
        }
    }
    for group in &args.tools {
        command.arg("--tools").arg(group);
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

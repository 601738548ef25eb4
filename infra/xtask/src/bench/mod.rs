//! `cargo xtask bench`: measures, in release mode, beside the peers that a number is compared with. One file per
//! benchmark in this folder; a new one adds its `mod` line and its line in [`BENCHES`]. Dependencies that only a
//! benchmark needs are optional and belong to xtask's feature `bench`.

use anyhow::{Result, bail};

use crate::project::Project;

/// What can be measured: name, one line about it, and the function that measures and prints what is, not what
/// should be.
type Bench = (&'static str, &'static str, fn(&Project) -> Result<()>);

/// All benchmarks, in the order in which they run.
const BENCHES: &[Bench] = &[];

#[derive(clap::Args)]
pub struct Args {
    /// Names of the benchmarks to run; all of them without
    names: Vec<String>,
    /// Only say which there are
    #[arg(long)]
    list: bool,
}

/// Runs the chosen benchmarks; an unknown name is an error.
pub fn run(args: &Args, project: &Project) -> Result<()> {
    if BENCHES.is_empty() {
        println!("there are no benchmarks yet");
    }
    let chosen = choose(&args.names)?;
    if args.list {
        for (name, about, _) in chosen {
            println!("{name:<20} {about}");
        }
        return Ok(());
    }
    if !chosen.is_empty() && cfg!(not(feature = "bench")) {
        return again_in_release(args, project);
    }
    for (name, about, measure) in chosen {
        println!("\n{name}: {about}");
        measure(project)?;
    }
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Bench>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !BENCHES.iter().any(|bench| bench.0 == name.as_str()))
    {
        bail!("there is no benchmark named {unknown}: see `cargo xtask bench --list`");
    }
    Ok(BENCHES
        .iter()
        .filter(|bench| names.is_empty() || names.iter().any(|name| name == bench.0))
        .collect())
}

/// A debug build measures nothing worth knowing: builds xtask again, optimised and with the benchmarks'
/// dependencies, and lets that one measure.
fn again_in_release(args: &Args, project: &Project) -> Result<()> {
    let status = project
        .clean_command("cargo")
        .args(["run", "--release", "--package", "xtask"])
        .args(["--features", "bench", "--", "bench"])
        .args(&args.names)
        .status()?;
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
        let error = choose(&["no-such-bench".to_owned()]).expect_err("must be refused");
        assert!(error.to_string().contains("no-such-bench"));
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = BENCHES.iter().map(|bench| bench.0).collect();
        assert_eq!(names.len(), BENCHES.len());
    }
}

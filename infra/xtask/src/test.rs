//! `cargo xtask test`: everything that must hold before a change lands, from a bare clone. CI runs this and no
//! more. All cargo commands select the same packages, so that dependencies are built once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::deploy;
use crate::lint;
use crate::project::Project;
use crate::setup;
use crate::steps::Steps;

/// The program with its points for the crash machine: they do nothing unless a test says where.
pub const CRASH: &str = "app/crash";

#[derive(clap::Args)]
pub struct Args {
    /// Leave out format and clippy
    #[arg(long)]
    no_lint: bool,
    /// Passed on to `cargo nextest run`, e.g. `-- -E 'test(flows)'`
    #[arg(last = true)]
    nextest: Vec<String>,
}

/// Goes through all steps, also after a failed one, except where a step makes no sense without it.
pub fn run(args: &Args, project: &Project, steps: &mut Steps) -> Result<()> {
    let ready = setup::run(project, steps)?;
    if args.no_lint {
        steps.skip("format and clippy", "--no-lint");
    } else {
        lint::run(project, steps)?;
    }
    match &ready.aws_python {
        Some(python) => lint::template(project, steps, python),
        None => steps.skip("template", "cfn-lint and sam are not installed"),
    }
    if !build(project, steps) {
        steps.skip("tests", "the build failed");
        return Ok(());
    }
    let program = keep_program(project)?;
    let mut command = project.clean_command("cargo");
    command
        .args([
            "nextest",
            "run",
            "--workspace",
            "--features",
            CRASH,
            "--no-tests=pass",
        ])
        .args(&args.nextest)
        .env("COUNTERSIGN_BIN", &program);
    if ready.aws_python.is_none() {
        steps.skip("conversations with functions", "there is no ministack");
    }
    provide(&ready, &xtask(&program), &mut command);
    steps.run("tests", "every promise has one", &mut command);
    if let Some(server) = &ready.postgres {
        conversations(project, steps, (&program, server));
    }
    doc_tests(project, steps)
}

/// Tells the tests where everything is, and leaves out by name what the set-up has said that there isn't.
fn provide(ready: &setup::Ready, xtask: &Path, command: &mut Command) {
    // Tests whose server has to go away ask it for one of their own.
    command.env("COUNTERSIGN_TEST_XTASK", xtask);
    let mut absent = Vec::new();
    if let Some(python) = &ready.python {
        command.env("COUNTERSIGN_TEST_PYTHON", python);
    }
    match &ready.postgres {
        Some(server) => drop(command.env("COUNTERSIGN_TEST_POSTGRES", &server.url)),
        None => absent.extend(["--skip", "postgres::"]),
    }
    match &ready.mcp {
        Some(directory) => drop(command.env("COUNTERSIGN_TEST_MCP", directory)),
        None => absent.extend(["--skip", "real_servers::"]),
    }
    match &ready.aws {
        Some(emulator) => drop(command.env("COUNTERSIGN_TEST_AWS", &emulator.endpoint)),
        None => absent.extend(["--skip", "aws::"]),
    }
    match &ready.aws_python {
        Some(_) => drop(command.env("COUNTERSIGN_TEST_DEPLOY", xtask)),
        None => absent.extend(["--skip", "::functions::", "--skip", "flows::cloud::"]),
    }
    if !absent.is_empty() {
        command.arg("--").args(absent);
    }
}

/// Conversations that say most about a store, a second time with PostgreSQL, and one world of the crash machine.
const CONVERSATIONS: &str = "test(/^flows::(approvals|bad_cards|budgets|killed|memory|on_demand|outbox|persons|race|together)::/) - test(/::functions::/) + test(/^crash::/)";

fn conversations(
    project: &Project,
    steps: &mut Steps,
    (program, server): (&Path, &setup::postgres::Server),
) {
    let mut command = project.clean_command("cargo");
    command
        .args([
            "nextest",
            "run",
            "--workspace",
            "--features",
            CRASH,
            "-E",
            CONVERSATIONS,
        ])
        .env("COUNTERSIGN_BIN", program)
        .env("COUNTERSIGN_TEST_POSTGRES", &server.url)
        .env("COUNTERSIGN_TEST_STORE", "postgres")
        .env("COUNTERSIGN_CRASH_KILLS", "16");
    steps.run(
        "conversations on PostgreSQL",
        "the same promises with another database, for several processes",
        &mut command,
    );
}

/// `--bins --tests` is what nextest builds, plus the program itself, with the same features.
pub fn build(project: &Project, steps: &mut Steps) -> bool {
    steps.run(
        "build",
        "the program, which tests start as a process, and all tests",
        project.clean_command("cargo").args([
            "build",
            "--workspace",
            "--bins",
            "--tests",
            "--features",
            CRASH,
        ]),
    )
}

/// A copy of the program, and of the functions beside it, that no other build replaces while the tests run it: another clone or
/// an editor may be building in the same target directory.
pub fn keep_program(project: &Project) -> Result<PathBuf> {
    let dir = project.target.join("tested").join(project.clone_id());
    fs::create_dir_all(&dir)?;
    let program = project.program();
    for name in deploy::FUNCTIONS.into_iter().chain(["countersign"]) {
        let (built, kept) = (program.with_file_name(name), dir.join(name));
        // Removed first: a file that still runs cannot be written to.
        fs::remove_file(&kept).ok();
        fs::copy(&built, &kept).with_context(|| format!("cannot copy {}", built.display()))?;
    }
    let program = dir.join("countersign");
    // Our own file may be another one since that build, or gone: this is what runs.
    let kept = xtask(&program);
    fs::remove_file(&kept).ok();
    fs::copy("/proc/self/exe", &kept).context("cannot copy xtask")?;
    Ok(program)
}

/// The copy of xtask beside the kept program: tests start servers and deployments with it.
pub fn xtask(program: &Path) -> PathBuf {
    program.with_file_name("xtask")
}

/// Examples in the documentation are run where there are any; starting rustdoc for nothing takes a while.
fn doc_tests(project: &Project, steps: &mut Steps) -> Result<()> {
    if !has_doc_tests(&project.root)? {
        return Ok(());
    }
    steps.run(
        "doc tests",
        "examples in the documentation must run",
        project
            .clean_command("cargo")
            .args(["test", "--doc", "--workspace"]),
    );
    Ok(())
}

/// True if a source file below `dir` has a code block in a doc comment that rustdoc would run.
fn has_doc_tests(dir: &Path) -> Result<bool> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let found = match entry.file_type()?.is_dir() {
            true => !name.starts_with('.') && name != "target" && has_doc_tests(&path)?,
            false => name.ends_with(".rs") && opens_doc_test(&fs::read_to_string(&path)?),
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn opens_doc_test(source: &str) -> bool {
    let mut inside = false;
    for line in source.lines().map(str::trim) {
        let Some(doc) = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
        else {
            inside = false;
            continue;
        };
        let Some(kind) = doc.trim().strip_prefix("```") else {
            continue;
        };
        inside = !inside;
        let runs = ["", "rust", "no_run", "should_panic", "compile_fail"].contains(&kind);
        if inside && runs {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::opens_doc_test;

    #[test]
    fn an_example_is_found_and_a_drawing_is_not() {
        assert!(opens_doc_test(
            "/// ```\n/// let x = 1;\n/// ```\nfn f() {}"
        ));
        assert!(opens_doc_test("//! ```no_run\n//! f();\n//! ```"));
        assert!(!opens_doc_test(
            "//! ```text\n//! a -> b\n//! ```\nfn f() {}"
        ));
        assert!(!opens_doc_test("fn f() { let s = \"```\"; }"));
    }
}

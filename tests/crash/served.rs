//! A tool server whose tool adds a line to a ledger: a process of its own, in the sandbox, which dies with the program.

use crate::flows::{Program, mark, script};
use tempfile::TempDir;

/// Adds it, with an owner's yes to what it offers. Its program goes with what this answers.
pub async fn serve(program: &Program) -> TempDir {
    let (keep, _) = script();
    let directory = keep.path().display().to_string();
    let line = format!("python3 {directory}/server.py ledgers");
    let add = [
        "mcp",
        "add",
        "notes",
        "--command",
        &line,
        "--read",
        &directory,
    ];
    let added = program.run(&add).await;
    assert_eq!(added.0, 0, "{added:?}");
    let approve = ["mcp", "approve", "notes", &mark(&added.1)];
    let approved = program.run(&approve).await;
    assert_eq!(approved.0, 0, "{approved:?}");
    keep
}

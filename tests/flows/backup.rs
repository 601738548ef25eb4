//! Backups: everything comes back, on another machine too; nothing half is ever kept or taken.

use super::{Program, Team};
use archive_file::{Line, Reader};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Stdio};

/// What a backup says, without when and by whom it was made.
pub fn contents(path: &Path) -> Vec<Line> {
    let mut reader = Reader::begin(std::io::BufReader::new(fs::File::open(path).unwrap())).unwrap();
    let mut lines = Vec::new();
    while let Some(line) = reader.line().unwrap() {
        lines.push(line);
    }
    lines.retain(|line| !matches!(line, Line::Countersign(_)));
    lines
}

pub async fn done(program: &Program, arguments: &[&str]) -> String {
    let (status, out, err) = program.run(arguments).await;
    assert_eq!(status, 0, "{arguments:?}: {out}\n{err}");
    out
}

async fn refused(program: &Program, arguments: &[&str], expected: &str) {
    let (status, out, err) = program.run(arguments).await;
    assert_eq!((status, out.as_str()), (1, ""), "{err}");
    assert!(
        err.contains(expected) && err.trim_end().lines().count() == 1,
        "{err}"
    );
}

/// A backup that was made while a card waited.
pub struct Saved {
    pub team: Team,
    pub backup: String,
    pub card: i64,
}

/// Runs, an effect, files, a text that is too large for a record, and a card that waits; exported while the service runs.
pub async fn saved() -> Saved {
    let team = Team::start().await;
    team.ask("run: echo one", "one").await;
    team.ann
        .send("run: head -c 90000 /dev/urandom > noise; seq 1 9000 > long; cat long");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("run_command"))
        .await;
    done(&team.program, &["audit", "seal"]).await;
    team.ann.send("run: echo once >> effects");
    let card = team
        .ann
        .wait_for_message(|m| m.id > card.id && m.button("Approve").is_some())
        .await
        .id;
    team.program.quiet().await;
    let backup = team
        .program
        .home()
        .join("backup")
        .to_str()
        .unwrap()
        .to_owned();
    let told = done(&team.program, &["export", &backup]).await;
    assert!(
        told.contains("records") && told.contains("audit.key"),
        "{told}"
    );
    Saved { team, backup, card }
}

/// An empty data directory with the audit's key of the other.
pub fn elsewhere(saved: &Saved) -> Program {
    let other = Program::new(&saved.team.tg);
    fs::create_dir_all(other.home().join("data")).unwrap();
    let key = |program: &Program| program.home().join("data/audit.key");
    fs::copy(key(&saved.team.program), key(&other)).unwrap();
    other
}

#[tokio::test]
async fn a_team_moves_to_another_machine_and_its_card_is_decided_there() {
    let mut saved = saved().await;
    let mode = fs::metadata(&saved.backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    saved.team.program.kill().await;
    let mut other = elsewhere(&saved);
    let told = done(&other, &["import", &saved.backup]).await;
    assert!(told.contains("Imported"), "{told}");

    let again = other.home().join("again").to_str().unwrap().to_owned();
    done(&other, &["export", &again]).await;
    let (before, after) = (
        contents(Path::new(&saved.backup)),
        contents(Path::new(&again)),
    );
    assert!(
        before == after,
        "{} and {} lines",
        before.len(),
        after.len()
    );
    let is_there = |wanted: fn(&Line) -> bool| before.iter().any(wanted);
    assert!(is_there(|line| matches!(line, Line::Blob { .. })));
    assert!(is_there(
        |line| matches!(line, Line::File { path, .. } if path.ends_with("/long"))
    ));

    let verified: Value =
        serde_json::from_str(&done(&other, &["audit", "verify", "--json"]).await).unwrap();
    assert_eq!(verified["ok"], true, "{verified}");
    assert!(verified["seals"].as_u64().unwrap() >= 1);

    other.up().await;
    let ann = &saved.team.ann;
    ann.tap(saved.card, "Approve");
    // The directory in which it would run is another than the one on the card: that is another call.
    let again = ann
        .wait_for_message(|m| m.id > saved.card && m.button("Approve").is_some())
        .await;
    assert_eq!(other.workspace_file("effects"), None);
    ann.tap(again.id, "Approve");
    ann.wait_for_message(|m| m.id > again.id && m.text.contains("once >> effects"))
        .await;
    assert_eq!(other.workspace_file("effects").as_deref(), Some("once\n"));
    assert_eq!(saved.team.program.workspace_file("effects"), None);
    other.assert_well();
}

#[tokio::test]
async fn keys_are_not_in_it_and_the_audit_needs_its_own() {
    let saved = saved().await;
    let key = fs::read_to_string(saved.team.program.home().join("data/audit.key")).unwrap();
    let text: String = contents(Path::new(&saved.backup))
        .iter()
        .map(|line| serde_json::to_string(line).unwrap())
        .collect();
    assert!(!text.contains(key.trim()) && !text.contains(saved.team.tg.token()));
    let other = Program::alone();
    let told = done(&other, &["import", &saved.backup]).await;
    assert!(told.contains("audit.key"), "it says what to bring: {told}");
    let (status, out, _) = other.run(&["audit", "verify"]).await;
    assert_eq!(
        (status, out.contains("tampered")),
        (1, true),
        "another key is no proof: {out}"
    );
}

#[tokio::test]
async fn exports_while_the_service_works_are_each_of_one_moment() {
    let team = Team::start().await;
    for round in 0..4 {
        team.ann.send(&format!("run: echo round {round}; ls"));
        let path = team.program.home().join(format!("backup-{round}"));
        let path = path.to_str().unwrap();
        done(&team.program, &["export", path]).await;
        // What was begun may be half done; what was written is whole: the copy's audit verifies, its runs go on.
        let copy = Program::alone();
        fs::create_dir_all(copy.home().join("data")).unwrap();
        fs::copy(
            team.program.home().join("data/audit.key"),
            copy.home().join("data/audit.key"),
        )
        .unwrap();
        done(&copy, &["import", path]).await;
        done(&copy, &["audit", "verify"]).await;
    }
    team.ask("run: echo all done", "all done").await;
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let saved = saved().await;
    let before = fs::read(&saved.backup).unwrap();
    refused(
        &saved.team.program,
        &["export", &saved.backup],
        "is there already",
    )
    .await;
    assert_eq!(fs::read(&saved.backup).unwrap(), before);
    let runs = done(&saved.team.program, &["runs", "list", "--json"]).await;
    refused(
        &saved.team.program,
        &["import", &saved.backup],
        "COUNTERSIGN_HOME",
    )
    .await;
    assert_eq!(
        done(&saved.team.program, &["runs", "list", "--json"]).await,
        runs
    );
    assert!(
        saved.team.program.workspace_file("long").is_some(),
        "the files are there"
    );
    // Where only files are, they are somebody's.
    let other = Program::alone();
    fs::create_dir_all(other.home().join("data/workspaces/mine")).unwrap();
    refused(&other, &["import", &saved.backup], "is not empty").await;
    refused(
        &Program::alone(),
        &["export", "/tmp/never-made"],
        "nothing to export",
    )
    .await;
}

#[tokio::test]
async fn what_was_cut_or_altered_changes_nothing() {
    let saved = saved().await;
    let whole = fs::read(&saved.backup).unwrap();
    let other = Program::alone();
    let bad = other.home().join("bad");
    let path = bad.to_str().unwrap();
    let mut altered = whole.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    for (bytes, expected) in [
        (&whole[..whole.len() / 2], "ends too early"),
        (&whole[..whole.len() - 1], "ends too early"),
        (&altered[..], "was not imported"),
        (&b"dear diary"[..], "no backup"),
        (&b""[..], "ends too early"),
    ] {
        fs::write(&bad, bytes).unwrap();
        refused(&other, &["import", path], expected).await;
        assert!(!other.home().join("data").exists(), "nothing is written");
    }
    fs::write(&bad, &whole).unwrap();
    done(&other, &["import", path]).await;
}

#[tokio::test]
async fn through_a_pipe() {
    let saved = saved().await;
    let other = elsewhere(&saved);
    let mut from = saved
        .team
        .program
        .command(&["export", "-"])
        .spawn()
        .unwrap();
    let pipe: Stdio = from.stdout.take().unwrap().try_into().unwrap();
    let to = other.command(&["import", "-"]).stdin(pipe).spawn().unwrap();
    let (sent, taken) = tokio::join!(from.wait_with_output(), to.wait_with_output());
    let (sent, taken) = (sent.unwrap(), taken.unwrap());
    let err = String::from_utf8_lossy(&sent.stderr);
    assert!(sent.status.success() && err.contains("Exported"), "{err}");
    assert!(
        taken.status.success(),
        "{}",
        String::from_utf8_lossy(&taken.stderr)
    );
    done(&other, &["audit", "verify"]).await;
    let left: Vec<_> = fs::read_dir(other.home().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with(".import")),
        "{left:?}"
    );
}

/// On a disk of 16 KiB, which only the command sees.
#[tokio::test]
async fn a_disk_that_fills_up_leaves_no_half_file() {
    let saved = saved().await;
    let disk = saved.team.program.home().join("disk");
    fs::create_dir(&disk).unwrap();
    let program = super::program::binary();
    let script = format!(
        "{} export {1}/backup; echo status $?; ls -A {1}",
        program.display(),
        disk.display()
    );
    let command = saved.team.program.command(&[]);
    let mut within = tokio::process::Command::new("bwrap");
    let variables = command.as_std().get_envs();
    within.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    let output = within
        .args(["--dev-bind", "/", "/", "--size", "16384", "--tmpfs"])
        .arg(&disk)
        .args(["sh", "-c", &script])
        .output()
        .await
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(out.trim(), "status 1", "{err}");
    assert!(err.contains("is full"), "{err}");
}

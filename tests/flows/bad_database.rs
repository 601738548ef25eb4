//! Bad days of the database: what is said at the start, and that a running process survives them and loses nothing.

use super::{Program, Team};
use rusqlite::Connection;
use std::path::Path;

/// Runs every command that opens the database; each must end with this status and one sentence that holds `expected`.
async fn all_say(program: &Program, expected: &str) {
    for command in [&["up"][..], &["ask", "run: ls"], &["agents", "list"]] {
        let (status, out, err) = program.run(command).await;
        assert_eq!((status, out.as_str()), (1, ""), "{command:?}: {err}");
        assert!(
            err.contains(expected) && err.trim_end().lines().count() == 1,
            "{command:?}: {err}"
        );
    }
}

async fn made() -> Program {
    let program = Program::alone();
    let (status, _, err) = program.run(&["migrate"]).await;
    assert_eq!(status, 0, "{err}");
    program
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let program = made().await;
    program
        .sqlite()
        .execute(
            "INSERT INTO schema_migrations VALUES (99, '0099_later', 'd', datetime())",
            [],
        )
        .unwrap();
    all_say(&program, "newer").await;
    let (status, _, err) = program.run(&["migrate"]).await;
    assert_eq!((status, err.contains("newer")), (1, true), "{err}");
    let (status, out, _) = program.run(&["doctor"]).await;
    assert_eq!((status, out.contains("newer")), (1, true), "{out}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let program = made().await;
    std::fs::write(program.database(), "dear diary, ".repeat(1000)).unwrap();
    all_say(&program, "no SQLite database").await;
    assert!(
        std::fs::read_to_string(program.database())
            .unwrap()
            .starts_with("dear diary")
    );
}

#[tokio::test]
async fn a_damaged_database_is_said_and_does_not_take_the_process_down() {
    let mut team = Team::start().await;
    team.program.quiet().await;
    team.program.kill().await;
    drop(checkpoint(&team.program.database()));
    let mut bytes = std::fs::read(team.program.database()).unwrap();
    let half = bytes.len() / 2;
    bytes[4096..half].fill(0xAA);
    std::fs::write(team.program.database(), &bytes).unwrap();
    let said = team.program.refuses_to_start().await;
    assert!(said.contains("damaged"), "{said}");
}

/// Brings the log into the file and takes it away.
fn checkpoint(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    database
}

#[tokio::test]
async fn while_another_process_keeps_it_locked_the_program_waits_and_then_goes_on() {
    let mut team = Team::start().await;
    team.program.quiet().await;
    let other = team.program.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let asked = team.ann.send("run: echo after the lock");
    // It is fetched, and cannot be stored: it must not be acknowledged.
    team.program.wait_for("could not be stored").await;
    assert_eq!(team.tg.pending_updates(), 1, "Telegram keeps it");
    other.execute_batch("ROLLBACK").unwrap();
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("after the lock") && !m.silent)
        .await;
    let answers = team
        .ann
        .messages()
        .iter()
        .filter(|m| m.is_bots() && !m.silent && m.text.contains("after the lock"))
        .count();
    assert_eq!(answers, 1);
    team.program.assert_well();
}

#[tokio::test]
async fn a_start_while_another_process_keeps_it_locked_says_so() {
    let program = made().await;
    let other = program.sqlite();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let said = program.refuses_to_start().await;
    assert!(said.contains("locked"), "{said}");
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_said() {
    let program = made().await;
    // Not by its mode, which root overrides: by a read-only mount.
    let Some(_mount) = Mount::read_only(&program.database()) else {
        return;
    };
    let said = program.refuses_to_start().await;
    assert!(
        said.contains("may only be read") || said.contains("writable"),
        "{said}"
    );
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_said() {
    let mut program = Program::alone();
    program.set("COUNTERSIGN_HOME", "/proc/countersign");
    all_say(&program, "is not writable").await;
    let file = program.home().join("file");
    std::fs::write(&file, "in its place").unwrap();
    program.set("COUNTERSIGN_HOME", file.to_str().unwrap());
    all_say(&program, "is not writable").await;
    program.set(
        "COUNTERSIGN_HOME",
        program.home().join("fine").to_str().unwrap(),
    );
    program.set("COUNTERSIGN_DATABASE_URL", "/nonexistent/countersign.db");
    all_say(&program, "does not exist").await;
}

#[tokio::test]
async fn a_full_disk_is_survived_and_work_goes_on_when_there_is_room() {
    let mut program = Program::alone();
    let disk = program.home().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let Some(_mount) = Mount::small(&disk) else {
        return;
    };
    std::os::unix::fs::chown(&disk, None, None).unwrap();
    program.set("COUNTERSIGN_HOME", disk.to_str().unwrap());
    let (status, _, err) = program.run(&["ask", "run: echo before"]).await;
    assert_eq!(status, 0, "{err}");
    let ballast = fill(&disk.join("ballast"));
    let (status, out, err) = program.run(&["ask", "run: echo while full"]).await;
    assert_eq!(status, 1, "{out}\n{err}");
    assert!(
        !err.contains("panicked")
            && (err.contains("full") || err.contains("No space") || err.contains("space left")),
        "{err}"
    );
    let (_, out, _) = program.run(&["doctor"]).await;
    assert!(
        out.contains("make room") || out.contains("not writable"),
        "{out}"
    );
    drop(ballast);
    std::fs::remove_file(disk.join("ballast")).unwrap();
    let (status, out, err) = program.run(&["ask", "run: echo with room again"]).await;
    assert_eq!(
        (status, out.contains("with room again")),
        (0, true),
        "{out}\n{err}"
    );
}

#[tokio::test]
async fn a_disk_that_fills_up_under_a_running_program_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::small(place.path()) else {
        return;
    };
    let mut team = Team::with(&[("COUNTERSIGN_HOME", place.path().to_str().unwrap())]).await;
    team.ask("run: echo before", "before").await;
    let ballast = fill(&place.path().join("ballast"));
    let asked = team.ann.send(&format!("run: echo {}", "x".repeat(3000)));
    team.program.wait_for("is full").await;
    drop(ballast);
    std::fs::remove_file(place.path().join("ballast")).unwrap();
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("xxx") && !m.silent)
        .await;
    team.program.assert_well();
}

/// Writes until nothing more fits.
pub fn fill(path: &Path) -> std::fs::File {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    for size in [1 << 16, 1 << 10, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    file
}

/// A mount that is gone with this. `None`, visibly, where this user may not mount.
pub struct Mount(std::path::PathBuf);

impl Mount {
    pub fn small(at: &Path) -> Option<Self> {
        Self::with(at, &["-t", "tmpfs", "-o", "size=2m,mode=755", "none"])
    }

    /// Room for everything, as when somebody has tidied up.
    pub fn grows(&self, at: &Path) {
        let grown = std::process::Command::new("mount")
            .args(["-o", "remount,size=200m"])
            .arg(at)
            .status();
        assert!(grown.unwrap().success());
    }

    /// A file in its own place, read-only.
    fn read_only(at: &Path) -> Option<Self> {
        let path = at.to_str().unwrap();
        let mount = Self::with(at, &["--bind", path])?;
        let again = std::process::Command::new("mount")
            .args(["-o", "remount,bind,ro", path])
            .status();
        if again.is_ok_and(|status| status.success()) {
            return Some(mount);
        }
        eprintln!("SKIPPED: {path} cannot be remounted read-only here");
        None
    }

    fn with(at: &Path, arguments: &[&str]) -> Option<Self> {
        let tried = std::process::Command::new("mount")
            .args(arguments)
            .arg(at)
            .output();
        match tried {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            Ok(output) => {
                eprintln!(
                    "SKIPPED: mounting takes rights that this user has not: {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                );
                None
            }
            Err(error) => {
                eprintln!("SKIPPED: no mount(8) here: {error}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.0)
            .status();
    }
}

//! Bad input in a conversation: what cannot be understood, what is too much, what no text is.

use super::{Program, Team};

#[tokio::test]
async fn unknown_commands_empty_and_odd_messages_are_answered_clearly() {
    let mut team = Team::start().await;
    team.ask("/aprove", "Did you mean /approve?").await;
    team.ask("/xyzzy", "There is no /xyzzy").await;
    team.ask(
        "/approve",
        "Write it like this: /approve <id or capability>",
    )
    .await;
    team.ask("/deny", "Write it like this: /deny <id or capability>")
        .await;
    team.ask("/run", "Write it like this").await;
    team.ask("/invite king", "Write it like this").await;
    team.ask("/agent nobody do it", "no agent “nobody”").await;
    team.ask("/cancel", "Nothing is at work").await;
    team.ask("   ", "nothing to do").await;
    team.ask("/etc/passwd is what I mean", "rehearsal").await;
    let asked = team.ann.send_document("photo.bin", b"\x00\x01");
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("This is no text"))
        .await;
    let asked = team.ann.send("run: echo first");
    team.ann
        .wait_for_message(|m| m.id > asked && m.text.contains("first"))
        .await;
    let last = team.ann.last_from_bot().unwrap().id;
    team.ann.edit(asked, "run: echo second");
    let answer = team.ann.wait_for_message_after(last).await;
    assert!(
        answer.text.contains("an edit changes nothing"),
        "{}",
        answer.text
    );
    team.program.assert_well();
}

#[tokio::test]
async fn a_prompt_of_a_megabyte_is_refused_with_what_to_do() {
    let program = Program::alone();
    let huge = "word ".repeat(200_000);
    let (status, out, err) = program.run_with(&["ask", "-"], &huge).await;
    assert_eq!((status, out.as_str()), (2, ""), "{err}");
    assert!(
        err.contains("1000000 bytes") || err.contains("999999 bytes"),
        "the size is said: {err}"
    );
    assert!(err.contains("put it into a file"), "{err}");
    let (status, out, err) = program
        .run_with(&["chat"], &format!("{huge}\nrun: echo still here\n"))
        .await;
    assert_eq!(status, 0, "{err}");
    assert!(
        out.contains("too long") && out.contains("still here"),
        "{out}\n{err}"
    );
}

#[tokio::test]
async fn a_command_that_prints_a_gigabyte_is_stopped_and_summed_up() {
    let mut team = Team::start().await;
    team.ann.send("run: head -c 1000000000 /dev/zero");
    team.ann.wait_for_text("too much output").await;
    team.ann.send("run: yes | head -c 1000000000");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("failed, "))
        .await;
    let kept: u64 = files(&team.program.home().join("data"))
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!(kept < 30 << 20, "{kept} bytes were kept");
    team.program.assert_well();
}

fn files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    entries
        .flat_map(|entry| {
            if entry.path().is_dir() {
                files(&entry.path())
            } else {
                vec![entry.path()]
            }
        })
        .collect()
}

#[tokio::test]
async fn binary_output_is_named_and_not_shown() {
    let mut team = Team::start().await;
    let answer = team.ask("run: head -c 500 /bin/sh", "binary output").await;
    assert!(answer.contains("500 bytes"), "{answer}");
    team.program.assert_well();
}

#[tokio::test]
async fn files_that_cannot_be_read_or_lie_outside_are_refused_in_words() {
    let mut team = Team::start().await;
    team.ask("read: missing.md", "missing.md").await;
    team.ask("read: ../../audit.key", "audit.key").await;
    team.ask("read: /etc/passwd", "/etc/passwd").await;
    team.ask("list: ..", "..").await;
    team.ask("run: cat ../../audit.key", "[exit status").await;
    // A link that leads outside, and a file that nobody may read.
    team.ask("/rules add allow shell_exec ln *", "allow").await;
    team.ask("/rules add allow shell_exec chmod *", "allow")
        .await;
    team.ask("/rules add allow file_write", "allow").await;
    team.ask("run: ln -s ../../audit.key link", "link").await;
    team.ask("read: link", "link").await;
    team.ask("write: own.txt: mine", "own.txt").await;
    team.ask("run: chmod 000 own.txt", "chmod").await;
    team.ask("read: own.txt", "own.txt").await;
    let key = std::fs::read_to_string(team.program.home().join("data/audit.key")).unwrap();
    assert!(
        !team.tg.transcript().contains(key.trim()) && !team.tg.transcript().contains("root:x:")
    );
    team.program.assert_well();
}

#[tokio::test]
async fn writing_outside_the_workspace_happens_nowhere() {
    let mut team = Team::start().await;
    team.ask("/agents set assistant preset full-access", "full-access")
        .await;
    for path in [
        "../outside.txt",
        "/tmp/countersign-outside.txt",
        "a/../../outside.txt",
    ] {
        team.ask(&format!("write: {path}: mine"), "outside.txt")
            .await;
    }
    team.ask("run: echo mine > ../outside.txt", "outside.txt")
        .await;
    let found: Vec<_> = files(&team.program.home())
        .into_iter()
        .filter(|path| path.ends_with("outside.txt"))
        .collect();
    assert!(
        found.is_empty() && !std::path::Path::new("/tmp/countersign-outside.txt").exists(),
        "{found:?}"
    );
    team.program.assert_well();
}

#[tokio::test]
async fn more_than_ten_waiting_messages_are_not_taken() {
    let team = Team::start().await;
    team.ann.send("run: touch effects");
    team.ann.wait_for_button("Approve").await;
    for number in 1..=10 {
        team.ask(
            &format!("run: echo {number}"),
            &format!("number {number} behind"),
        )
        .await;
    }
    team.ask("run: echo 11", "10 messages wait already").await;
    team.ask("/cancel", "being stopped").await;
    team.ann
        .wait_for_message(|m| m.text.contains("echo 10"))
        .await;
}

#[tokio::test]
async fn pipes_devices_and_directories_are_no_files_and_keep_nobody_waiting() {
    let mut team = Team::start().await;
    team.ask("/agents set assistant preset full-access", "full-access")
        .await;
    team.ask(
        "run: mkfifo pipe && ln -s /dev/zero zero && mkdir folder && echo made",
        "made",
    )
    .await;
    for name in ["pipe", "zero", "folder", "."] {
        let answer = team.ask(&format!("read: {name}"), "failed").await;
        assert!(answer.contains("read_file"), "{answer}");
        team.ask(&format!("edit: {name}: a => b"), "failed").await;
    }
    team.ask("search: anything", "search_files").await;
    team.program.assert_well();
}

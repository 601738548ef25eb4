//! The world goes away while documents are read: disks fill up, the blob store is gone. A clear sentence each time, an index that is
//! whole, and all of it is done when there is room again. And files that are larger than any memory should be.

use super::{
    Program, Team,
    bad_database::Mount,
    knowledge::{is_whole, json},
};
use std::path::{Path, PathBuf};

/// Texts that no compression makes small, in a directory.
fn papers(at: &Path, count: u64, bytes: usize) -> PathBuf {
    let docs = at.join("docs");
    std::fs::create_dir_all(&docs).unwrap();
    for paper in 0..count {
        let mut state = paper + 1;
        let mut text = format!("# Paper {paper}\n\nThe train leaves at noon.\n\n");
        while text.len() < bytes {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!(
                "{:x}{}",
                state >> 16,
                if state >> 62 == 0 { ".\n\n" } else { " " }
            ));
        }
        std::fs::write(docs.join(format!("{paper}.md")), text).unwrap();
    }
    docs
}

fn blobs_leave(program: &Program) -> (PathBuf, PathBuf) {
    let data = program.home().join("data");
    let (blobs, away) = (data.join("blobs"), data.join("away"));
    std::fs::rename(&blobs, &away).unwrap();
    (away, blobs)
}

/// All of it on one small disk: the database, the blobs, the copies of the index.
#[tokio::test]
async fn a_disk_that_fills_up_is_said_and_all_is_read_when_there_is_room() {
    let mut program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let disk = place.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let Some(mount) = Mount::small(&disk) else {
        return;
    };
    program.set("COUNTERSIGN_HOME", disk.to_str().unwrap());
    let docs = papers(place.path(), 6, 200_000);
    let adds = ["knowledge", "add", docs.to_str().unwrap()];
    let (status, out, err) = program.run(&adds).await;
    let said = format!("{out}{err}");
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("is full") && !said.contains("panicked"),
        "{said}"
    );
    mount.grows(&disk);
    // What is there already is whole before anything else is done.
    let verified = json(&program, &["knowledge", "verify"]).await;
    assert_eq!(
        verified[0][1]["findings"],
        serde_json::json!([]),
        "{verified}"
    );
    let (status, out, err) = program.run(&adds).await;
    assert_eq!(status, 0, "{out}{err}");
    is_whole(&program, 6).await;
    let found = json(&program, &["knowledge", "search", "train noon"]).await;
    assert_eq!(found.as_array().map(Vec::len), Some(6), "{found}");
}

/// The blobs' disk alone: the job says why, waits, and goes on by itself.
#[tokio::test]
async fn while_the_blobs_disk_is_full_reading_waits() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let blobs = program.home().join("data/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let Some(mount) = Mount::small(&blobs) else {
        return;
    };
    // The file itself fits, and its passages don't fit beside it.
    let docs = papers(place.path(), 1, 1_200_000);
    let mut adding = program
        .command(&["knowledge", "add", docs.to_str().unwrap()])
        .spawn()
        .unwrap();
    let mut said = tokio::io::BufReader::new(adding.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("is full") {
        let read = tokio::io::AsyncBufReadExt::read_line(&mut said, &mut line)
            .await
            .unwrap();
        assert!(read > 0, "it ended: {line}");
    }
    mount.grows(&blobs);
    assert!(adding.wait().await.unwrap().success());
    is_whole(&program, 1).await;
}

/// The place of the copies is full or no place at all: the index is read into memory.
#[tokio::test]
async fn without_room_for_copies_of_the_index_documents_are_read_and_found() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let docs = papers(place.path(), 3, 2_000);
    let cache = program.home().join("data/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let Some(_mount) = Mount::small(&cache) else {
        return;
    };
    drop(super::bad_database::fill(&cache.join("ballast")));
    let (status, out, err) = program
        .run(&["knowledge", "add", docs.to_str().unwrap()])
        .await;
    assert_eq!(status, 0, "{out}{err}");
    let found = json(&program, &["knowledge", "search", "train noon"]).await;
    assert_eq!(found.as_array().map(Vec::len), Some(3), "{found}");
    is_whole(&program, 3).await;
}

#[tokio::test]
async fn while_the_blob_store_is_away_nothing_is_called_lost() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let docs = papers(place.path(), 2, 2_000);
    let docs = docs.to_str().unwrap();
    let (status, out, err) = program.run(&["knowledge", "add", docs]).await;
    assert_eq!(status, 0, "{out}{err}");
    let (away, blobs) = blobs_leave(&program);
    std::fs::remove_dir_all(program.home().join("data/cache")).unwrap();
    let (status, _, err) = program.run(&["knowledge", "search", "train"]).await;
    assert_eq!(status, 1);
    assert!(
        err.contains("can’t be read at the moment") && err.contains("Nothing is lost"),
        "{err}"
    );
    let (status, out, err) = program.run(&["knowledge", "verify"]).await;
    assert_eq!(
        (status, err.contains("nothing is there")),
        (1, true),
        "{out}{err}"
    );
    assert!(!out.contains("lost"), "{out}");
    std::fs::rename(&away, &blobs).unwrap();
    let (status, out, _) = program.run(&["knowledge", "search", "train"]).await;
    assert!(
        status == 0 && out.contains("The train leaves at noon."),
        "{out}"
    );
    is_whole(&program, 2).await;
}

/// In a chat: a file says at once that it can't be kept; one whose reading has begun is read later, by itself.
#[tokio::test]
async fn in_a_chat_a_store_that_is_away_is_said_and_waited_for() {
    let mut team = Team::start().await;
    team.ann
        .send_document("a.md", b"# A\n\nThe train leaves at noon.\n");
    team.ann.wait_for_text("Read: A").await;
    let (away, blobs) = blobs_leave(&team.program);
    std::fs::remove_dir_all(team.program.home().join("data/cache")).unwrap();
    let sent = team
        .ann
        .send_document("b.md", b"# B\n\nThe ship leaves at six.\n");
    let said = team.ann.wait_for_message_after(sent).await;
    assert!(
        said.text.contains("“b.md” can’t be kept at the moment"),
        "{}",
        said.text
    );
    std::fs::rename(&away, &blobs).unwrap();
    team.ann
        .send_document("b.md", b"# B\n\nThe ship leaves at six.\n");
    team.ann.wait_for_text("Read: B").await;
    team.program.quiet().await;
    is_whole(&team.program, 2).await;
    team.program.assert_well();
}

/// Half a gigabyte is refused by a process that could not hold it.
#[tokio::test]
async fn half_a_gigabyte_is_refused_at_the_door() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let (large, small) = (
        place.path().join("large.txt"),
        place.path().join("small.txt"),
    );
    std::fs::File::create(&large)
        .unwrap()
        .set_len(500 << 20)
        .unwrap();
    std::fs::write(&small, "The train leaves at noon.").unwrap();
    let adds = |path: &Path| {
        let arguments = ["knowledge", "add", path.to_str().unwrap()].map(str::to_owned);
        let mut command = program.limited(400 << 10, &arguments);
        async move { command.output().await.unwrap() }
    };
    let added = adds(&small).await;
    assert!(added.status.success(), "{added:?}");
    let refused = adds(&large).await;
    let said = String::from_utf8_lossy(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        said.contains("it has 524 MB, and at most 104 MB are read: split it."),
        "{said}"
    );
    is_whole(&program, 1).await;
}

/// A bar where somebody watches, plain lines elsewhere; what was left out says why.
#[tokio::test]
async fn many_files_have_a_bar_in_a_terminal_and_only_there() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let docs = papers(place.path(), 3, 1_000);
    std::fs::write(docs.join("empty.txt"), "").unwrap();
    std::fs::write(docs.join("photo.png"), b"\x89PNG\r\n\x1a\n0000").unwrap();
    let adds = ["knowledge", "add", docs.to_str().unwrap()];
    let (status, shown) = program.run_in_terminal(&adds).await;
    assert_eq!(status, 0, "{shown}");
    for part in [
        "░ stored 1 of 5",
        "█ read 3 of 3, 2 left out",
        "\r\u{1b}[Kdocs: 3 added, 2 left out; ",
    ] {
        assert!(shown.contains(part), "{part}: {shown:?}");
    }
    assert!(
        shown.contains("docs/empty.txt: it is empty.")
            && shown.contains("docs/photo.png: this is a picture"),
        "{shown}"
    );
    let (status, out, err) = program.run(&adds).await;
    assert_eq!((status, &*err), (0, ""), "{out}");
    assert!(
        !out.contains(['\r', '\u{1b}', '█'])
            && out.starts_with("docs: 3 there already, 2 left out; "),
        "{out:?}"
    );
}

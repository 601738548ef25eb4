//! Files that are no texts, and a world that goes away while they are read: a clear sentence each, and an index that is whole.

use super::{
    Program, Team,
    knowledge::{assembled, is_whole, json, page, pdf, stream},
};
use std::io::Write;

async fn adds(program: &Program, name: &str, bytes: &[u8]) -> (i32, String) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let (status, out, err) = program
        .run(&["knowledge", "add", path.to_str().unwrap()])
        .await;
    assert!(!err.contains("panicked"), "{err}");
    (status, format!("{out}{err}"))
}

/// One page whose content unpacks to four gigabytes.
fn bomb() -> Vec<u8> {
    let mut piece = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    piece.write_all(&vec![b' '; 1 << 20]).unwrap();
    // After a flush nothing looks back, so the piece can be repeated.
    piece.flush().unwrap();
    let piece = piece.get_ref().clone();
    let mut content = vec![0x78, 0x9c];
    for _ in 0..4096 {
        content.extend(&piece);
    }
    content.extend([0x03, 0x00]);
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        page(5),
        stream("/Filter /FlateDecode", &content),
    ];
    assembled(&objects)
}

#[tokio::test]
async fn files_that_are_no_texts_say_why() {
    let program = Program::alone();
    let mut cut = pdf(&["The train leaves at noon."]);
    cut.truncate(120);
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("empty.txt", Vec::new(), "it is empty."),
        ("blank.txt", b" \n \n".to_vec(), "there is no text in it."),
        (
            "archive.txt",
            b"PK\x03\x04....".to_vec(),
            "this is a ZIP archive",
        ),
        ("noise.md", b"\x00\x01\x02\x03".to_vec(), "this is no text"),
        ("scan.pdf", pdf(&["", ""]), "a scan"),
        ("cut.pdf", cut, "this PDF is broken"),
        ("bomb.pdf", bomb(), "this PDF"),
    ];
    for (name, bytes, why) in cases {
        let (status, said) = adds(&program, name, &bytes).await;
        assert_eq!(status, 1, "{name}: {said}");
        assert!(
            said.contains(why) && said.starts_with("docs: 1 not read"),
            "{name}: {said}"
        );
    }
    // Neither a wrong name nor odd bytes keep a text from being read.
    let (status, said) = adds(&program, "a.pdf", b"plain words, all in all").await;
    assert_eq!(status, 0, "{said}");
    let (status, said) = adds(&program, "b.txt", &pdf(&["The train leaves at noon."])).await;
    assert_eq!(status, 0, "{said}");
    let (status, said) = adds(&program, "c.txt", b"Der Zug f\xe4hrt um zw\xf6lf Uhr.").await;
    assert_eq!(status, 0, "{said}");
    // The empty one has no record at all.
    is_whole(&program, 9).await;
}

#[tokio::test]
async fn a_file_that_is_too_large_for_a_bot_is_said_at_once() {
    let mut team = Team::start().await;
    let sent = team.ann.send_document("large.txt", &vec![b'x'; 21 << 20]);
    let said = team.ann.wait_for_message_after(sent).await;
    assert!(said.text.contains("too large for a bot"), "{}", said.text);
    team.program.assert_well();
}

#[tokio::test]
async fn without_a_sandbox_a_pdf_is_refused_and_text_is_read() {
    let mut program = Program::alone();
    program.set("COUNTERSIGN_SANDBOX", "off");
    let (status, said) = adds(&program, "a.pdf", &pdf(&["The train leaves at noon."])).await;
    assert_eq!(status, 1);
    assert!(said.contains("PDFs are read only in a sandbox"), "{said}");
    let (status, said) = adds(&program, "a.txt", b"The train leaves at noon.").await;
    assert_eq!(status, 0, "{said}");
}

#[tokio::test]
async fn a_blob_store_that_is_away_is_waited_for() {
    let program = Program::alone();
    let (status, said) = adds(&program, "a.txt", b"The train leaves at noon.").await;
    assert_eq!(status, 0, "{said}");
    let (blobs, away) = (
        program.home().join("data/blobs"),
        program.home().join("data/away"),
    );
    std::fs::rename(&blobs, &away).unwrap();
    std::fs::write(&blobs, "no directory").unwrap();
    let (status, said) = adds(&program, "b.txt", b"And back at six.").await;
    assert_eq!(status, 1, "{said}");
    std::fs::remove_file(&blobs).unwrap();
    std::fs::rename(&away, &blobs).unwrap();
    is_whole(&program, 1).await;
    let (status, said) = adds(&program, "b.txt", b"And back at six.").await;
    assert_eq!(status, 0, "{said}");
    is_whole(&program, 2).await;
}

/// Wherever the process dies: after restarts each document is there once, as a whole.
#[tokio::test]
async fn killed_while_reading() {
    let place = tempfile::tempdir().unwrap();
    let docs = place.path().join("docs");
    std::fs::create_dir(&docs).unwrap();
    for n in 0..6 {
        std::fs::write(
            docs.join(format!("{n}.md")),
            format!("# Part {n}\n\nThe train leaves at {n}.\n"),
        )
        .unwrap();
    }
    let docs = docs.to_str().unwrap();
    for at in [
        "ingest-before:1",
        "ingest-after:1",
        "ingest-after:4",
        "commit-before:12",
        "commit-after:12",
        "commit-before:15",
        "commit-after:15",
    ] {
        let mut program = Program::alone();
        program.set("COUNTERSIGN_CRASH_AT", at);
        let (status, out, err) = program.run(&["knowledge", "add", docs]).await;
        assert_eq!(status, -1, "{at}: it was not killed: {out}{err}");
        program.unset("COUNTERSIGN_CRASH_AT");
        program
            .sql()
            .execute("UPDATE task_queue SET lease_until = 1 WHERE lease_until IS NOT NULL");
        let (status, out, err) = program.run(&["knowledge", "add", docs]).await;
        assert_eq!(status, 0, "{at}: {out}{err}");
        let listed = json(&program, &["knowledge", "documents"]).await;
        let revisions: Vec<_> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["revision"].as_u64().unwrap())
            .collect();
        assert_eq!(revisions, [1; 6], "{at}");
        is_whole(&program, 6).await;
    }
}

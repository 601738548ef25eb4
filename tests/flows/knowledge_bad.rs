//! Files that are no texts, and a world that goes away while they are read: a clear sentence each, and an index that is whole.

use super::{
    Program, Team,
    knowledge::{assembled, is_whole, json, page, pdf, stream},
};

pub async fn adds(program: &Program, name: &str, bytes: &[u8]) -> (i32, String) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let (status, out, err) = program
        .run(&["knowledge", "add", path.to_str().unwrap()])
        .await;
    assert!(!err.contains("panicked"), "{err}");
    (status, format!("{out}{err}"))
}

/// A page that is a picture.
fn scan() -> Vec<u8> {
    let picture = "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8";
    let page = String::from_utf8(page(4)).unwrap();
    let page = page.replace("/Font <<", "/XObject << /Im 5 0 R >> /Font <<");
    assembled(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.into_bytes(),
        stream("", b"/Im Do"),
        stream(picture, b"x"),
    ])
}

/// Its keys are noise, so no password opens it.
fn locked() -> Vec<u8> {
    let mut out = pdf(&["The train leaves at noon."]);
    let at = out
        .windows(7)
        .rposition(|seven| seven == b"/Root 1")
        .unwrap();
    let key = "00112233445566778899aabbccddeeff".repeat(2);
    let lock = format!(
        "/ID [<{key}> <{key}>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <{key}> /U <{key}> >> "
    );
    out.splice(at..at, lock.into_bytes());
    out
}

#[tokio::test]
async fn files_that_are_no_texts_say_why() {
    let program = Program::alone();
    let mut cut = pdf(&["The train leaves at noon."]);
    cut.truncate(120);
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("empty.txt", Vec::new(), "it is empty."),
        ("blank.txt", b" \n \n".to_vec(), "there is no text in it."),
        (
            "archive.txt",
            b"PK\x03\x04....".to_vec(),
            "this is a ZIP archive",
        ),
        ("noise.md", b"\x00\x01\x02\x03".to_vec(), "this is no text"),
        ("scan.pdf", scan(), "only pictures of pages (a scan)"),
        ("blank.pdf", pdf(&["", ""]), "there is no text in this PDF"),
        ("cut.pdf", cut, "this PDF is broken"),
        ("locked.pdf", locked(), "this PDF is encrypted"),
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
    is_whole(&program, 10).await;
}

#[tokio::test]
async fn texts_that_are_odd_are_read() {
    let program = Program::alone();
    let html = format!(
        "{}The train leaves at noon.{}",
        "<div>".repeat(50_000),
        "</div>".repeat(50_000)
    );
    let line = "Trains to Basel leave at noon and come back at six; ".repeat(200_000);
    let whole = "ein Zug fährt über Köln nach München; ".repeat(6);
    let mixed = [b"A train \xff leaves; ".as_slice(), whole.as_bytes()].concat();
    let russian = b"\xcf\xee\xe5\xe7\xe4 \xee\xf2\xf5\xee\xe4\xe8\xf2 \xe2 \xef\xee\xeb\xe4\xe5\xed\xfc, \xe8 \xed\xe5 \xee\xef\xe0\xe7\xe4\xfb\xe2\xe0\xe5\xf2.";
    let odd: [(&str, &[u8], &str); 4] = [
        ("deep.html", html.as_bytes(), "noon"),
        ("line.txt", line.as_bytes(), "basel"),
        ("mixed.txt", &mixed, "fährt"),
        ("windows-1251.txt", russian, "поезд"),
    ];
    for (name, bytes, word) in odd {
        let (status, said) = adds(&program, name, bytes).await;
        assert_eq!(status, 0, "{name}: {said}");
        let (_, out, err) = program.run(&["knowledge", "search", word]).await;
        assert!(out.contains(name), "{name}: {out}{err}");
    }
    is_whole(&program, 4).await;
}

/// Two processes, the same directory, the same names: each file is there once, whoever was first.
#[tokio::test]
async fn two_that_add_at_once_are_in_nobodys_way() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let write = |text: &str| {
        for n in 0..8 {
            std::fs::write(
                place.path().join(format!("{n}.md")),
                format!("# {n}\n\n{text} {n}.\n"),
            )
            .unwrap();
        }
    };
    let docs = place.path().to_str().unwrap();
    for (text, revision) in [("The train leaves at", 1), ("The ship leaves at", 2)] {
        write(text);
        let adds = ["knowledge", "add", docs];
        let (one, two) = tokio::join!(program.run(&adds), program.run(&adds));
        assert_eq!((one.0, two.0), (0, 0), "{one:?} {two:?}");
        let listed = json(&program, &["knowledge", "documents"]).await;
        let found: Vec<_> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (&one["status"], &one["revision"]))
            .collect();
        let expected = (&"ready".into(), &revision.into());
        assert_eq!(found, vec![expected; 8], "{text}");
        is_whole(&program, 8).await;
    }
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
    std::fs::write(docs.join("6.pdf"), pdf(&["The train leaves at six."])).unwrap();
    let docs = docs.to_str().unwrap();
    for at in [
        "blob-before:9",
        "blob-after:9",
        "extract-before:1",
        "extract-amid:1",
        "extract-after:1",
        "ingest-before:1",
        "ingest-after:1",
        "ingest-after:4",
        "merge-before:1",
        "merge-after:1",
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
        if program.sql().url().is_some() {
            let leased = "UPDATE task_queue SET lease_until = 1 WHERE lease_until IS NOT NULL";
            program.sql().execute(leased);
        }
        let (status, out, err) = program.run(&["knowledge", "add", docs]).await;
        assert_eq!(status, 0, "{at}: {out}{err}");
        let listed = json(&program, &["knowledge", "documents"]).await;
        let revisions: Vec<_> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["revision"].as_u64().unwrap())
            .collect();
        assert_eq!(revisions, [1; 7], "{at}");
        is_whole(&program, 7).await;
    }
}

/// The next process knows that the one before it is dead, and does not wait for its leases' end; of one that lives it takes nothing.
#[tokio::test]
async fn what_a_dead_process_had_under_way_goes_on_at_once() {
    let mut program = Program::alone();
    if program.sql().url().is_some() {
        // On a server's database it may live on another machine.
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.txt");
    std::fs::write(&path, "The train leaves at noon.").unwrap();
    let path = path.to_str().unwrap();
    let held = |program: &Program| {
        let held = "SELECT count(*) FROM task_queue WHERE lease_until > 0";
        program.sql().number(held)
    };

    program.set("COUNTERSIGN_CRASH_AT", "ingest-before:1");
    let (status, out, err) = program.run(&["knowledge", "add", path]).await;
    assert_eq!((status, held(&program)), (-1, 1), "{out}{err}");
    program.unset("COUNTERSIGN_CRASH_AT");
    let (status, out, err) = program.run(&["knowledge", "documents"]).await;
    assert_eq!((status, held(&program)), (0, 0), "{out}{err}");
    assert!(out.contains("reading"), "{out}");
    let (status, out, err) = program.run(&["knowledge", "add", path]).await;
    assert_eq!(status, 0, "{out}{err}");
    is_whole(&program, 1).await;

    // Runs as well: a service that was killed in one goes on with it as soon as it is up.
    let mut team = Team::start().await;
    team.ann.send("run: echo once >> effects; sleep 100");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.program.effects("effects", 1).await;
    let (status, _, err) = team.program.run(&["runs", "list"]).await;
    assert_eq!(status, 0, "{err}");
    assert!(held(&team.program) > 0, "who lives keeps its leases");
    team.program.kill().await;
    team.program.run(&["runs", "list"]).await;
    assert_eq!(held(&team.program), 0);
    team.program.up().await;
    team.ann.wait_for_button("It happened").await;
    team.program.assert_well();
}

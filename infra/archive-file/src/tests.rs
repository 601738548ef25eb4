use super::*;
use domain::id::{JobId, TeamId};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use place::Draft;
use ports::{archive::ArchivedJob, store::Priority};
use std::{
    fs,
    io::{ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt,
};

fn header() -> Header {
    Header {
        format: FORMAT,
        program: "0.1.0".to_owned(),
        schema: 1,
        at: Micros(1_760_000_000_000_000),
    }
}

/// One line of each kind.
fn lines() -> Vec<Line> {
    let (team, text) = (TeamId::from("home"), str::to_owned);
    let record = Item::Record {
        table: text("agents"),
        team: team.clone(),
        id: text("a"),
        version: 2,
        doc: text(r#"{"name":"coder"}"#),
    };
    let entry = Item::Entry {
        journal: text("run_events"),
        team: team.clone(),
        id: text("r"),
        seq: 0,
        entry: text(r#"{"type":"started"}"#),
    };
    let counter = Item::Counter {
        team: team.clone(),
        id: text("spent"),
        value: -7,
    };
    let job = Item::Job(ArchivedJob {
        id: JobId::from("j"),
        team,
        name: text("run"),
        lane: text("run"),
        serial: Some(text("s")),
        priority: Priority::High,
        payload: text("{}"),
        due: Micros(5),
        attempts: 1,
        epoch: 3,
        leased: true,
        last_error: None,
        set_aside: false,
    });
    let mut lines: Vec<Line> = [record, entry, counter, job].map(Line::Store).into();
    lines.push(Line::Blob {
        digest: Digest::of_bytes("blob"),
    });
    lines.push(Line::Bytes(b"blob".to_vec()));
    lines.push(Line::Directory {
        path: text("s"),
        mode: 0o700,
    });
    lines.push(Line::File {
        path: text("s/a"),
        mode: 0o644,
        modified: 1_760_000_000_000_000_001,
    });
    lines.push(Line::Bytes(vec![0, 255]));
    lines.push(Line::Link {
        path: text("s/b"),
        target: text("a"),
    });
    lines
}

fn written() -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), header()).unwrap();
    for line in lines() {
        writer.line(&line).unwrap();
    }
    writer.finish().unwrap().0
}

fn read(bytes: &[u8]) -> Result<Vec<Line>, ReadError> {
    let mut reader = Reader::begin(bytes)?;
    let mut lines = Vec::new();
    while let Some(line) = reader.line()? {
        lines.push(line);
    }
    assert!(reader.counts().is_some());
    Ok(lines)
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// The format: what stands here must be readable for ever.
#[test]
fn the_lines_of_format_1() {
    let text = unpacked(&written());
    insta::assert_snapshot!(text, @r#"
    {"countersign":{"format":1,"program":"0.1.0","schema":1,"at":1760000000000000}}
    {"store":{"record":{"table":"agents","team":"home","id":"a","version":2,"doc":"{\"name\":\"coder\"}"}}}
    {"store":{"entry":{"journal":"run_events","team":"home","id":"r","seq":0,"entry":"{\"type\":\"started\"}"}}}
    {"store":{"counter":{"team":"home","id":"spent","value":-7}}}
    {"store":{"job":{"id":"j","team":"home","name":"run","lane":"run","serial":"s","priority":"high","payload":"{}","due":5,"attempts":1,"epoch":3,"leased":true}}}
    {"blob":{"digest":"fa2c8cc4f28176bbeed4b736df569a34c79cd3723e9ec42f9674b4d46ac6b8b8"}}
    {"bytes":"YmxvYg=="}
    {"directory":{"path":"s","mode":448}}
    {"file":{"path":"s/a","mode":420,"modified":1760000000000000001}}
    {"bytes":"AP8="}
    {"link":{"path":"s/b","target":"a"}}
    {"end":{"lines":11,"digest":"2f8783b08a95fb519507d0160b36ff5cb0b42a01f2ceb41f182177bbbc3ed9e6","counts":{"records":1,"entries":1,"counters":1,"jobs":1,"blobs":1,"files":1}}}
    "#);
    assert_eq!(read(&packed(&text)).unwrap(), lines());
}

#[test]
fn wherever_it_was_cut_it_is_refused() {
    let whole = written();
    for kept in 0..whole.len() {
        assert!(read(&whole[..kept]).is_err(), "{kept} of {}", whole.len());
    }
    // Cut between lines and packed again, so that only the trailer can tell.
    let text = unpacked(&whole);
    for kept in 0..text.lines().count() {
        let part: String = text.split_inclusive('\n').take(kept).collect();
        assert!(
            matches!(read(&packed(&part)), Err(ReadError::Cut)),
            "{kept} lines"
        );
    }
}

#[test]
fn whatever_was_altered_it_is_refused() {
    let text = unpacked(&written());
    for (from, to) in [
        ("coder", "codex"),
        ("-7", "-8"),
        ("\"records\":1", "\"records\":2"),
        ("0.1.0", "0.1.1"),
    ] {
        let altered = text.replace(from, to);
        assert_ne!(altered, text);
        assert!(
            matches!(read(&packed(&altered)), Err(ReadError::Altered(_))),
            "{from}"
        );
    }
    let without: String = text
        .split_inclusive('\n')
        .filter(|line| !line.contains("counter\""))
        .collect();
    assert!(matches!(
        read(&packed(&without)),
        Err(ReadError::Altered(_))
    ));
    let longer = format!("{text}{{}}\n");
    assert!(matches!(read(&packed(&longer)), Err(ReadError::Altered(_))));
    let behind = [written(), b"more".to_vec()].concat();
    assert!(matches!(read(&behind), Err(ReadError::Altered(_))));
    let long = text.replace("coder", &"x".repeat(2_000_000));
    assert!(matches!(read(&packed(&long)), Err(ReadError::Altered(_))));
}

#[test]
fn what_is_no_backup_and_what_is_of_tomorrow() {
    for foreign in [
        &b"SQLite format 3\0 and so on, long enough"[..],
        &packed("hello\n"),
        &packed("{\"end\":1}\n"),
    ] {
        assert!(matches!(read(foreign), Err(ReadError::Foreign)));
    }
    let newer =
        "{\"countersign\":{\"format\":2,\"program\":\"0.9.0\",\"schema\":9,\"at\":0,\"new\":[]}}\n";
    let error = read(&packed(newer)).unwrap_err().to_string();
    assert!(
        error.contains("0.9.0") && error.contains("install"),
        "{error}"
    );
}

#[test]
fn large_bytes_are_cut_into_pieces() {
    let mut writer = Writer::begin(Vec::new(), header()).unwrap();
    writer.bytes(&vec![7; 2 * PIECE + 1]).unwrap();
    let (bytes, _) = writer.finish().unwrap();
    let sizes = read(&bytes).unwrap().into_iter().map(|line| match line {
        Line::Bytes(bytes) => bytes.len(),
        _ => 0,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [PIECE, PIECE, 1]);
}

#[test]
fn a_draft_appears_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backup");
    let names = || -> Vec<_> {
        fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect()
    };
    let mut draft = Draft::create(&path).unwrap();
    draft.write_all(b"half").unwrap();
    assert!(!path.exists());
    drop(draft);
    assert!(names().is_empty(), "{:?}", names());
    let mut draft = Draft::create(&path).unwrap();
    draft.write_all(b"whole").unwrap();
    draft.keep().unwrap();
    assert_eq!(
        (fs::read(&path).unwrap(), names().len()),
        (b"whole".to_vec(), 1)
    );
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_draft_takes_nobodys_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backup");
    let draft = Draft::create(&path).unwrap();
    fs::write(&path, "mine").unwrap();
    assert_eq!(draft.keep().unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(
        Draft::create(&path).err().unwrap().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

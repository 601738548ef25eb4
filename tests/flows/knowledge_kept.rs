//! What is kept of documents: held against their originals, and deleted when nobody can come to it any more.

use super::{
    Program,
    knowledge::{is_whole, json, pdf},
};
use serde_json::Value;

/// With a database in which somebody has put one document's words into another one's mouth; its digests are right.
#[tokio::test]
async fn a_passage_that_is_not_in_the_original_is_found_out() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    let pages = pdf(&["Hotels cost 120 a night."]);
    let newer = pdf(&["Hotels cost 190 a night."]);
    let (page, later) = (
        "<html><body><p>Trains leave at noon.</p></body></html>",
        "<html><body><p>Trains leave at ten.</p></body></html>",
    );
    // Of one length, not ASCII, and not UTF-8.
    let (german, wrong) = (
        b"Der Zug f\xe4hrt um zw\xf6lf Uhr.",
        b"Der Zug f\xe4hrt um zehn \xdchr.",
    );
    let cases: [(&str, &[u8], &[u8]); 3] = [
        ("hotels.pdf", &pages, &newer),
        ("trains.html", page.as_bytes(), later.as_bytes()),
        ("zug.txt", german, wrong),
    ];
    for (name, bytes, other) in cases {
        for (directory, bytes) in [("true", bytes), ("forged", other)] {
            let path = place.path().join(directory).join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            let (status, out, err) = program
                .run(&[
                    "knowledge",
                    "add",
                    path.to_str().unwrap(),
                    "--collection",
                    directory,
                ])
                .await;
            assert_eq!(status, 0, "{out}{err}");
        }
    }
    let (status, out, _) = program.run(&["knowledge", "verify"]).await;
    assert_eq!(status, 0, "{out}");
    let listed = json(&program, &["knowledge", "list"]).await;
    let documents = json(&program, &["knowledge", "documents"]).await;
    for (name, ..) in cases {
        let of = |name_of: &str| {
            let mut collections = listed.as_array().unwrap().iter();
            let found = collections.find(|one| one["collection"]["name"] == name_of);
            let id = &found.unwrap()["collection"]["id"];
            let mut all = documents.as_array().unwrap().iter();
            let found = all.find(|one| one["name"] == name && one["collection"] == *id);
            found.unwrap().clone()
        };
        let (original, forged) = (of("true"), of("forged"));
        let blob = |one: &Value, of: &str| {
            let digest = one["current"][of].as_str().unwrap();
            std::fs::read(
                program
                    .home()
                    .join("data/blobs")
                    .join(&digest[..2])
                    .join(digest),
            )
            .unwrap()
        };
        // The first line says whose it is.
        let words = blob(&forged, "source");
        let line = |one: &Value| format!("{} {}\n", one["id"].as_str().unwrap(), one["revision"]);
        let words = words.strip_prefix(line(&forged).as_bytes()).unwrap();
        let words = [line(&original).as_bytes(), words].concat();
        let digest = sha256(&words);
        let place = program.home().join("data/blobs").join(&digest[..2]);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join(&digest), words).unwrap();
        let condition = format!("id = '{}'", original["id"].as_str().unwrap());
        let edited = program
            .sql()
            .edit("knowledge_documents", &condition, |document| {
                document["current"]["source"] = digest.clone().into();
            });
        assert_eq!(edited, 1);
    }
    let (status, out, _) = program
        .run(&["knowledge", "verify", "--collection", "true"])
        .await;
    assert_eq!(status, 1, "{out}");
    insta::assert_snapshot!(out.trim_end(), @"
    true: 3 documents, 3 passages, 3 segments: NOT WHOLE
      “Hotels cost 120 a night.…” does not stand where it should in the original of “hotels.pdf”: forget it and add it again.
      “Trains leave at noon.…” does not stand where it should in the original of “trains.html”: forget it and add it again.
      “Der Zug fährt um zwölf Uhr.…” does not stand where it should in the original of “zug.txt”: forget it and add it again.
    ");
}

fn sha256(bytes: &[u8]) -> String {
    domain::Digest::of_bytes(bytes).as_str().to_owned()
}

#[tokio::test]
async fn what_is_removed_is_in_no_file_an_hour_later() {
    let program = Program::alone();
    let adds = async |name: &str, text: &str| {
        let path = program.home().join(name);
        std::fs::write(&path, text).unwrap();
        let (status, out, err) = program
            .run(&["knowledge", "add", path.to_str().unwrap()])
            .await;
        assert_eq!(status, 0, "{out}{err}");
        std::fs::remove_file(path).unwrap();
    };
    let holding = |words: &str| {
        let holds = |path: &std::path::PathBuf| {
            let bytes = std::fs::read(path).unwrap();
            bytes
                .windows(words.len())
                .any(|some| some == words.as_bytes())
        };
        files(&program).iter().filter(|path| holds(path)).count()
    };
    adds("monday.md", "The password of the safe is hyacinth.\n").await;
    // The original and its passages; a segment has it in pieces.
    let before = files(&program);
    assert!(holding("hyacinth") >= 2);
    let (status, out, _) = program.run(&["knowledge", "forget", "monday.md"]).await;
    assert_eq!(status, 0, "{out}");
    // Three more are merged with it.
    for n in 0..3 {
        adds(&format!("{n}.md"), &format!("Note {n} about trains.\n")).await;
    }
    let late = "UPDATE task_queue SET due = 1 WHERE due > 1";
    assert!(program.sql().execute(late) > 0);
    adds("last.md", "And the last one.\n").await;
    assert_eq!(holding("hyacinth"), 0);
    // Neither its blobs nor the copy of its segment.
    let now = files(&program);
    assert!(before.iter().all(|file| !now.contains(file)), "{before:?}");
    is_whole(&program, 4).await;
}

/// Of blobs, and of the cache for searching.
pub fn files(program: &Program) -> Vec<std::path::PathBuf> {
    let mut places = vec![
        program.home().join("data/blobs"),
        program.home().join("data/cache/search"),
    ];
    let mut files = Vec::new();
    while let Some(place) = places.pop() {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
            let path = entry.path();
            let list = if path.is_dir() {
                &mut places
            } else {
                &mut files
            };
            list.push(path);
        }
    }
    files
}

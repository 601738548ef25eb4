//! Documents in: from a chat and from the command line, PDFs too; again, anew, and out.

use super::{Program, Team};
use serde_json::Value;
use std::path::Path;

pub async fn json(program: &Program, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let (_, out, err) = program.run(&arguments).await;
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{out}{err}"))
}

/// Nothing is broken, and so many documents are there.
pub async fn is_whole(program: &Program, documents: usize) {
    let verified = json(program, &["knowledge", "verify"]).await;
    let one = &verified[0][1];
    assert_eq!(
        (one["documents"].as_u64(), &one["findings"]),
        (Some(documents as u64), &Value::Array(Vec::new())),
        "{verified}"
    );
}

/// A PDF with a page for each text, written by hand.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len())
        .map(|n| format!("{} 0 R", 4 + 2 * n))
        .collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!(
            "<< /Type /Pages /Kids [{}] /Count {} >>",
            kids.join(" "),
            pages.len()
        )
        .into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    for (n, text) in pages.iter().enumerate() {
        let content = match text.is_empty() {
            true => "0 0 m 10 10 l S".to_owned(),
            false => format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET"),
        };
        objects.push(page(5 + 2 * n));
        objects.push(stream("", content.as_bytes()));
    }
    assembled(&objects)
}

pub fn page(content: usize) -> Vec<u8> {
    format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {content} 0 R >>").into_bytes()
}

pub fn stream(filter: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("<< /Length {} {filter} >>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

pub fn assembled(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n", n + 1).as_bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let (at, count) = (out.len(), objects.len() + 1);
    let entries: String = places
        .iter()
        .map(|place| format!("{place:010} 00000 n \n"))
        .collect();
    out.extend(format!("xref\n0 {count}\n0000000000 65535 f \n{entries}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n").as_bytes());
    out
}

fn write(at: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = at.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_directory_is_added_listed_changed_and_removed() {
    let program = Program::alone();
    let place = tempfile::tempdir().unwrap();
    write(
        place.path(),
        "docs/guide.md",
        "# Trains\n\nThey leave at noon.\n",
    );
    write(place.path(), "docs/src/main.rs", "fn main() {}\n");
    write(
        place.path(),
        "docs/timetable.pdf",
        pdf(&["The train to Basel leaves at noon.", "", "And back at six."]),
    );
    write(place.path(), "docs/photo.png", b"\x89PNG\r\n\x1a\n0000");
    write(place.path(), "docs/empty.txt", "");
    let docs = place.path().join("docs");
    let docs = docs.to_str().unwrap();
    let (status, out, err) = program.run(&["knowledge", "add", docs]).await;
    assert_eq!(status, 0, "{out}\n{err}");
    insta::assert_snapshot!(out.trim_end(), @"
    docs: 3 added, 2 left out; 3 passages.
      docs/empty.txt: it is empty.
      docs/photo.png: this is a picture, and text in pictures is not read: send it as text or as a PDF with text.
    ");
    let listed = json(&program, &["knowledge", "documents"]).await;
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["docs/guide.md", "docs/src/main.rs", "docs/timetable.pdf"]
    );
    assert_eq!(listed[2]["current"]["pages"], 3);
    is_whole(&program, 3).await;

    let (_, out, _) = program.run(&["knowledge", "add", docs]).await;
    assert!(
        out.starts_with("docs: 3 there already, 2 left out;"),
        "{out}"
    );
    write(
        place.path(),
        "docs/guide.md",
        "# Trains\n\nThey leave at six.\n",
    );
    let (_, out, _) = program.run(&["knowledge", "add", docs]).await;
    assert!(
        out.starts_with("docs: 1 with new content, 2 there already,"),
        "{out}"
    );
    let listed = json(&program, &["knowledge", "documents"]).await;
    assert_eq!(
        (
            &listed[0]["revision"],
            listed[0]["history"].as_array().map(Vec::len)
        ),
        (&2.into(), Some(1))
    );
    is_whole(&program, 3).await;

    let (status, out, err) = program.run(&["knowledge", "forget", "docs/guide.md"]).await;
    assert_eq!(
        (status, out.trim_end()),
        (0, "Removed docs/guide.md."),
        "{err}"
    );
    is_whole(&program, 2).await;
    let (_, out, _) = program.run(&["knowledge", "reindex"]).await;
    assert_eq!(
        out.trim_end(),
        "docs: 2 documents, 2 passages in 1 segment."
    );
    is_whole(&program, 2).await;
    let (status, _, err) = program.run(&["knowledge", "forget", "docs/guide.md"]).await;
    assert_eq!(status, 1);
    assert!(err.contains("no document “docs/guide.md”"), "{err}");
}

#[tokio::test]
async fn what_comes_through_a_pipe_goes_where_it_is_told() {
    let program = Program::alone();
    let (status, out, err) = program
        .run_with(
            &["knowledge", "add", "-", "--collection", "notes"],
            "A note about trains.\n",
        )
        .await;
    assert_eq!(
        (status, out.trim_end()),
        (0, "notes: 1 added; 1 passage."),
        "{err}"
    );
    let (status, out, _) = program
        .run(&["knowledge", "documents", "--collection", "notes"])
        .await;
    assert_eq!(status, 0);
    assert!(
        out.contains("notes") && out.contains("stdin") && out.contains("ready"),
        "{out}"
    );
}

#[tokio::test]
async fn files_are_sent_to_the_bot() {
    let mut team = Team::start().await;
    let guide = b"# Trains\n\nThe train to Basel leaves at noon, from the third platform, as every day of the week.\n";
    team.ann.send_document("../guide.md", guide);
    let card = team.ann.wait_for_button("Remove").await;
    insta::assert_snapshot!(card.text, @"
    Read: Trains

    File: guide.md (96 bytes)
    Passages: 1
    Language: English
    ");
    let again = team.ann.send_document("guide.md", guide);
    let said = team.ann.wait_for_message_after(again).await;
    assert_eq!(
        said.text,
        "“guide.md” is in docs already, with the same content."
    );
    let copy = team.ann.send_document("copy.md", guide);
    let said = team.ann.wait_for_message_after(copy).await;
    assert_eq!(
        said.text,
        "docs has this content already, as “guide.md”: nothing was added."
    );

    let sent = team.ann.send_document_with(
        "timetable.pdf",
        &pdf(&["The train leaves at noon."]),
        "docs please",
    );
    let read = team
        .ann
        .wait_for_message(|m| m.id > sent && m.text.contains("Pages"))
        .await;
    assert!(read.text.contains("Pages: 1"), "{}", read.text);
    let tap = team.ann.tap(card.id, "Remove");
    assert_eq!(
        team.ann.wait_for_answer(&tap).await,
        "Removed: it is not found any more."
    );
    team.ann.wait_for_text("Removed: guide.md").await;
    team.program.quiet().await;
    is_whole(&team.program, 1).await;
    team.program.assert_well();
}

//! What must be true of the documents: each is found as a whole or not at all, its newest content and no other, and its card says which. Of
//! what was taken out nothing is kept.

use super::{files::Paper, person::Person, world::World};
use crate::flows::{Program, kept_files};
use domain::Digest;
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// In every document of a collection that is removed before a world's first life.
const GONE: &str = "zuattic";

/// A collection with documents, and without: the job that deletes what was in it is due an hour later.
pub async fn come_and_go(program: &Program) {
    let place = program.home().join("attic");
    fs::create_dir(&place).unwrap();
    for number in 0..4 {
        let text = format!("# Attic {number}\n\nIn the {GONE} stands box {number}.\n");
        fs::write(place.join(format!("{number}.md")), text).unwrap();
    }
    let path = place.to_str().unwrap();
    let deeds = [
        &["add", path, "--collection", "attic"][..],
        &["remove", "attic"],
    ];
    for deed in deeds {
        let done = program.run(&[&["knowledge"], deed].concat()).await;
        assert_eq!(done.0, 0, "{done:?}");
    }
    fs::remove_dir_all(place).unwrap();
}

pub async fn check(world: &mut World, people: &[Person], problems: &mut Vec<String>) {
    let papers: Vec<&Paper> = people.iter().flat_map(|p| &p.files.papers).collect();
    problems.extend(people.iter().flat_map(|p| p.files.wrong.clone()));
    let documents = json(&world.program, &["documents"]).await;
    problems.extend(orphans(&world.program, &documents));
    if papers.is_empty() {
        return;
    }
    let verified = json(&world.program, &["verify"]).await;
    for (_, one) in pairs(&verified) {
        if one["findings"] != Value::Array(Vec::new()) {
            problems.push(format!("the knowledge is not whole: {one}"));
        }
    }
    for paper in &papers {
        problems.extend(listed(paper, &documents));
        if paper.given_up {
            continue;
        }
        // Whatever is found of an earlier content is too much.
        let versions = paper.version.saturating_sub(1).max(1)..=paper.version;
        let words: Vec<String> = versions.map(|version| paper.word(version)).collect();
        let words = words.join(" ");
        let found = json(&world.program, &["search", &words, "--limit", "100"]).await;
        let found = found.as_array().map_or(0, Vec::len);
        let expected = count(paper, &documents);
        if found as u64 != expected {
            problems.push(format!(
                "{words} are found in {found} passages instead of {expected}: {paper:?}"
            ));
        }
        world.count("passages that are found", found);
    }
    world.count("documents", papers.len());
    let out = papers.iter().filter(|paper| paper.removed).count();
    world.count("documents taken out", out);
    world.count(
        "documents given up, and told so",
        papers.iter().filter(|p| p.given_up).count(),
    );
}

/// Blobs of documents that were there and are no more, whose names stand in their first lines; and what of them is in copies of the index. An
/// original whose document never came to be, since its process died right before, is not looked for.
fn orphans(program: &Program, documents: &Value) -> Vec<String> {
    let all = documents.as_array().into_iter().flatten();
    let there: BTreeSet<&str> = all.filter_map(|one| one["id"].as_str()).collect();
    let was = |id: &str| {
        let added = format!("SELECT count(*) FROM audit_logs WHERE id LIKE '%document:{id}'");
        program.sql().number(&added) > 0
    };
    let mut found = Vec::new();
    for path in kept_files(program) {
        let bytes = fs::read(&path).unwrap_or_default();
        let line = bytes.split(|byte| *byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default());
        let of = line.split_once(' ').map_or("", |(id, _)| id);
        let is_document = of.len() == 32 && of.bytes().all(|b| b.is_ascii_hexdigit());
        let is_gone = is_document && !there.contains(of) && was(of);
        let says_so = bytes
            .windows(GONE.len())
            .any(|some| some == GONE.as_bytes());
        if is_gone || says_so {
            let path = path.display();
            found.push(format!("{path} is of a document that is no more: {line}"));
        }
    }
    found
}

/// What is wrong with its record.
fn listed(paper: &Paper, documents: &Value) -> Option<String> {
    let Some(document) = record(paper, documents) else {
        return (!paper.removed).then(|| format!("{} is lost", paper.file()));
    };
    let expected = match () {
        () if paper.removed => return Some(format!("{} was removed, and is there", paper.file())),
        () if paper.given_up => "failed",
        () => "ready",
    };
    if document["status"] != expected {
        return Some(format!("its card says that it is {expected}: {document}"));
    }
    let (newest, current) = (paper.bytes(), &document["current"]);
    let kept = kept(document, &newest);
    let right = document["source"] == Digest::of_bytes(newest).as_str()
        && current["revision"] == document["revision"]
        && current["source"] == kept.as_str();
    (!right && !paper.given_up)
        .then(|| format!("another content counts than the newest: {paper:?} {document}"))
}

/// The blob with these bytes as the document's current content: its first line says whose it is, as nobody else's is.
fn kept(document: &Value, bytes: &[u8]) -> Digest {
    let id = document["id"].as_str().unwrap_or_default();
    let line = format!("{id} {}\n", document["current"]["revision"]);
    Digest::of_bytes([line.as_bytes(), bytes].concat())
}

fn record<'a>(paper: &Paper, documents: &'a Value) -> Option<&'a Value> {
    let mut all = documents.as_array().into_iter().flatten();
    all.find(|document| document["name"] == paper.file())
}

/// Passages of what is found of it that have its word: of a PDF, the second page's.
fn count(paper: &Paper, documents: &Value) -> u64 {
    if paper.removed {
        return 0;
    }
    let passages = record(paper, documents).map(|one| &one["current"]["passages"]);
    match passages.and_then(Value::as_u64) {
        Some(_) if paper.is_pdf => 1,
        passages => passages.unwrap_or(0),
    }
}

async fn json(program: &Program, arguments: &[&str]) -> Value {
    let arguments = [&["knowledge"], arguments, &["--json"]].concat();
    let (_, out, err) = program.run(&arguments).await;
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{out}{err}"))
}

/// Collections with what was found out about each.
fn pairs(verified: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let all = verified.as_array().into_iter().flatten();
    all.map(|pair| (&pair[0], &pair[1]))
}

use super::*;
use ports::shelf::Shelf as _;
use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::symlink,
    process::Command,
};
use zip::{ZipWriter, write::SimpleFileOptions};

const SKILL: &str = "---\nname: greet\ndescription: Greets.\n---\nSay hello.\n";

fn lay(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (path, bytes) in files {
        writer.start_file(*path, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

async fn said(path: &Path) -> String {
    read(path, None).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_folder_and_a_zip_of_it_are_the_same_skill() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    lay(
        root,
        &[
            ("greet/SKILL.md", SKILL),
            ("greet/references/a.md", "x"),
            ("greet/.git/config", "[core]"),
        ],
    );
    let folder = read(&root.join("greet"), None).await.unwrap();
    assert_eq!(
        folder.files.keys().collect::<Vec<_>>(),
        ["SKILL.md", "references/a.md"]
    );
    let bytes = zip(&[
        ("greet/SKILL.md", SKILL.as_bytes()),
        ("greet/references/a.md", b"x"),
    ]);
    fs::write(root.join("greet.zip"), bytes).unwrap();
    assert_eq!(read(&root.join("greet.zip"), None).await.unwrap(), folder);
}

#[tokio::test]
async fn links_devices_and_ways_out_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("greet");
    lay(&root, &[("SKILL.md", SKILL)]);
    symlink("/etc/passwd", root.join("notes.md")).unwrap();
    assert!(
        said(&root).await.contains("notes.md, which is a link"),
        "{}",
        said(&root).await
    );
    fs::remove_file(root.join("notes.md")).unwrap();
    symlink("/etc", root.join("references")).unwrap();
    assert!(said(&root).await.contains("references, which is a link"));
    fs::remove_file(root.join("references")).unwrap();
    fs::remove_file(root.join("SKILL.md")).unwrap();
    symlink("/etc/passwd", root.join("SKILL.md")).unwrap();
    assert!(said(&root).await.contains("which is a link"));
    let fifo = Command::new("mkfifo")
        .arg(root.join("pipe"))
        .status()
        .unwrap();
    assert!(fifo.success());
    assert!(
        said(&root).await.contains("is a link or no plain file"),
        "it is not waited for"
    );

    let path = place.path().join("out.zip");
    for name in ["../evil.md", "/etc/evil.md", "greet/../../evil.md"] {
        fs::write(&path, zip(&[("SKILL.md", SKILL.as_bytes()), (name, b"x")])).unwrap();
        assert!(
            said(&path)
                .await
                .contains("leads out of the skill’s folder"),
            "{name}: {}",
            said(&path).await
        );
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.start_file("SKILL.md", options).unwrap();
    writer.write_all(SKILL.as_bytes()).unwrap();
    writer
        .add_symlink("notes.md", "/etc/passwd", options)
        .unwrap();
    fs::write(&path, writer.finish().unwrap().into_inner()).unwrap();
    assert!(said(&path).await.contains("notes.md, which is a link"));
}

#[tokio::test]
async fn bombs_and_masses_end_early() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("bomb.zip");
    let zeros = vec![0; 64 << 20];
    let bytes = zip(&[("SKILL.md", SKILL.as_bytes()), ("a.bin", &zeros)]);
    assert!(bytes.len() < 100_000, "64 MiB in {} bytes", bytes.len());
    fs::write(&path, bytes).unwrap();
    assert!(
        said(&path)
            .await
            .contains("more in a.bin than a skill may have")
    );
    let names: Vec<String> = (0..10_000).map(|n| format!("{n}.md")).collect();
    let many: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    fs::write(&path, zip(&many)).unwrap();
    assert!(
        said(&path).await.contains("it has 10000 files"),
        "{}",
        said(&path).await
    );
    let root = place.path().join("many");
    for name in &names {
        lay(&root, &[(name, "x")]);
    }
    assert!(
        said(&root).await.contains("it has 101 files"),
        "{}",
        said(&root).await
    );
    fs::write(&path, b"PK\x03\x04 and no more").unwrap();
    assert!(said(&path).await.contains("is no zip"));
}

#[tokio::test]
async fn two_skills_are_not_one() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    lay(root, &[("a/SKILL.md", SKILL), ("b/SKILL.md", SKILL)]);
    assert!(
        said(root)
            .await
            .contains("several skills: name the folder of one (a, b)")
    );
    assert!(said(&root.join("c")).await.contains("there is no"));
    lay(root, &[("c/README.md", "x")]);
    assert!(said(&root.join("c")).await.contains("has no SKILL.md"));
}

#[tokio::test]
async fn an_index_names_what_lies_beside_it() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    let index = Index::new(root.to_owned(), None);
    assert_eq!(index.offers().await, Ok(Vec::new()));
    lay(root, &[("greet/SKILL.md", SKILL)]);
    let digest = read(&root.join("greet"), None).await.unwrap().digest;
    let entry = |name: &str, path: &str, digest: &str| {
        format!("  - name: {name}\n    path: {path}\n    digest: \"{digest}\"\n")
    };
    let write =
        |entries: &str| fs::write(root.join("index.yaml"), format!("skills:\n{entries}")).unwrap();
    write(&(entry("greet", "greet", digest.as_str()) + &entry("wave", "greet", "")));
    let names: Vec<String> = index
        .offers()
        .await
        .unwrap()
        .into_iter()
        .map(|offer| offer.name)
        .collect();
    assert_eq!(names, ["greet", "wave"]);
    assert_eq!(index.fetch("greet").await.unwrap().package.digest, digest);
    let wave = index.fetch("wave").await;
    assert!(
        matches!(wave, Err(ShelfError::Changed { .. })),
        "its SKILL.md has another name"
    );
    assert!(matches!(
        index.fetch("fly").await,
        Err(ShelfError::Missing(_))
    ));
    lay(root, &[("greet/more.md", "x")]);
    assert!(matches!(
        index.fetch("greet").await,
        Err(ShelfError::Changed { .. })
    ));
    write(&(entry("greet", "greet", "") + &entry("greet", "other", "")));
    assert!(
        index
            .offers()
            .await
            .unwrap_err()
            .to_string()
            .contains("names two skills “greet”")
    );
    write(&entry("greet", "../greet", ""));
    assert!(
        index
            .offers()
            .await
            .unwrap_err()
            .to_string()
            .contains("leads out")
    );
}

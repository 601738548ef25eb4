use super::*;
use domain::id::SessionId;
use ports::workspace::Workspaces;
use std::{
    fs,
    os::unix::{
        ffi::OsStringExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
};

/// The pieces of all workspaces below this directory, to be put somewhere else.
fn copy(from: &Path, to: &Path) -> Result<u64, WorkspaceError> {
    let to = FsWorkspaces::new(to, None);
    let mut import = to.import()?;
    let left_out = FsWorkspaces::new(from, None).export(|piece| import.put(piece))?;
    import.finish()?.unmark()?;
    Ok(left_out)
}

#[tokio::test]
async fn workspaces_come_back_as_they_were() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    let session = SessionId::from("telegram:1");
    let files = FsWorkspaces::new(&from, None);
    let files = files.open(&session, None).await.unwrap();
    files.write("src/main.rs", "fn main() {}\n").await.unwrap();
    files.write("run.sh", "#!/bin/sh\n").await.unwrap();
    let root = files.root();
    fs::set_permissions(root.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(root.join("large"), vec![7; 3 * 1024 * 1024 + 1]).unwrap();
    symlink("src/main.rs", root.join("link")).unwrap();
    symlink("/etc/passwd", root.join("away")).unwrap();
    fs::create_dir(root.join("kept")).unwrap();
    fs::write(root.join("kept/file"), "x").unwrap();
    fs::set_permissions(root.join("kept"), fs::Permissions::from_mode(0o555)).unwrap();

    assert_eq!(copy(&from, &to).unwrap(), 0);
    let there = FsWorkspaces::new(&to, None);
    let there = there.open(&session, None).await.unwrap();
    // Names, kinds, modes, contents, links; for large files the time of change.
    assert_eq!(there.manifest().await, files.manifest().await);
    assert_eq!(there.read("link").await.unwrap().text, "fn main() {}\n");
    fs::set_permissions(root.join("kept"), fs::Permissions::from_mode(0o755)).unwrap();
    let copied = there.root().join("kept");
    fs::set_permissions(copied, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_cannot_be_kept_is_counted() {
    let place = tempfile::tempdir().unwrap();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    assert_eq!(copy(&from, &to).unwrap(), 0, "no workspaces yet");
    fs::create_dir_all(from.join("s")).unwrap();
    let pipe = from.join("s/pipe");
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    let odd = std::ffi::OsString::from_vec(b"s/\xff".to_vec());
    fs::write(from.join(odd), "x").unwrap();
    assert_eq!(copy(&from, &to).unwrap(), 2);
    assert_eq!(fs::read_dir(to.join("s")).unwrap().count(), 0);
}

#[test]
fn an_import_that_broke_off_begins_again_and_one_in_use_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("to");
    let files = FsWorkspaces::new(&to, None);
    let mut import = files.import().unwrap();
    let half = Piece::Directory {
        path: "half",
        mode: 0o700,
    };
    import.put(half).unwrap();
    drop(import);
    files.import().unwrap().finish().unwrap().unmark().unwrap();
    assert_eq!(fs::read_dir(&to).unwrap().count(), 0);
    fs::create_dir(to.join("session")).unwrap();
    let refused = files.import().err().unwrap().to_string();
    assert!(refused.contains("is not empty"), "{refused}");
    assert!(to.join("session").exists());
}

/// A file that somebody made up must not write anywhere else.
#[test]
fn nothing_leads_out_of_the_workspaces() {
    let place = tempfile::tempdir().unwrap();
    let outside = place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let files = FsWorkspaces::new(place.path().join("to"), None);
    let mut import = files.import().unwrap();
    let target = outside.to_str().unwrap();
    import.put(Piece::Link { path: "a", target }).unwrap();
    for path in ["a/x", "../x", "/tmp/x", "a", ".", "missing/x", "b/../../x"] {
        let file = Piece::File {
            path,
            mode: 0o644,
            modified: 0,
        };
        assert!(import.put(file).is_err(), "{path}");
        let directory = Piece::Directory { path, mode: 0o755 };
        assert!(import.put(directory).is_err(), "{path}");
    }
    assert!(import.put(Piece::Bytes(b"x")).is_err());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

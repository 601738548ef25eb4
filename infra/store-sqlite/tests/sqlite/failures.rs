//! A disk that is full, a directory that isn't ours, a file that is something else, a neighbour that doesn't let go.

use crate::{create, key, options, place};
use domain::id::CommitId;
use ports::store::{Store, StoreError};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};
use store_sqlite::{Options, SqliteStore};
use testkit::contract::{Broken, Outcome, all_of};

async fn refusal(path: &str) -> Result<String, Broken> {
    match SqliteStore::open(path, options()).await {
        Err(StoreError::CannotWrite(text)) => Ok(text),
        Err(other) => Err(other.into()),
        Ok(_) => Err(format!("{path} was opened").into()),
    }
}

#[tokio::test]
async fn a_directory_that_takes_no_files() -> Outcome {
    let (directory, path) = place()?;
    // No user may make a file there, root neither.
    for path in ["/proc/countersign.db", &format!("{path}.missing/test.db")] {
        let text = refusal(path).await?;
        assert!(text.contains(path), "{text}");
        assert!(text.contains("must exist and be writable"), "{text}");
    }
    let mut mode = std::fs::metadata(directory.path())?.permissions();
    mode.set_readonly(true);
    std::fs::set_permissions(directory.path(), mode)?;
    // Root may write there all the same; everybody else is told.
    if std::fs::write(directory.path().join("probe"), "").is_err() {
        assert!(refusal(&path).await?.contains("must exist and be writable"));
    }
    Ok(())
}

/// SQLite's own limit on the file, which answers as a full disk does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_database_works_again_when_there_is_room() -> Outcome {
    let (_directory, path) = place()?;
    let options = Options {
        max_pages: Some(400),
        ..options()
    };
    let store = Arc::new(SqliteStore::open(&path, options).await?);
    let kept = fill(&store).await?;
    // What goes makes room, and nobody has to open anything again.
    let delete = ports::store::Op::Delete {
        key: key(&kept[0]),
        version: 1,
    };
    let mut batch = create("room", 10);
    batch.ops.insert(0, delete);
    store.commit(batch).await?;
    store.commit(create("again", 20_000)).await?;
    Ok(())
}

/// A real file system without room. It takes a root who may mount; elsewhere the limit above has to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_works_again_when_there_is_room() -> Outcome {
    let (directory, _) = place()?;
    let Some(disk) = SmallDisk::mount(directory.path()) else {
        eprintln!("no small disk here: mounting is not allowed");
        return Ok(());
    };
    let path = disk.0.join("test.db");
    let path = path.to_str().ok_or("a path that is no text")?;
    let filler = disk.0.join("filler");
    std::fs::write(&filler, vec![1; 1 << 20])?;
    let store = Arc::new(SqliteStore::open(path, Options::default()).await?);
    fill(&store).await?;
    std::fs::remove_file(&filler)?;
    store.commit(create("again", 20_000)).await?;
    assert!(store.get(&key("again")).await?.is_some());
    if let Ok(store) = Arc::try_unwrap(store) {
        store.close().await;
    }
    Ok(())
}

/// Commits from eight sides until nothing fits. Of each commit, the answer is the truth. Answers what was kept.
async fn fill(store: &Arc<SqliteStore>) -> Result<Vec<String>, Broken> {
    let kept = all_of(8, |task| {
        let store = store.clone();
        async move {
            let mut kept = Vec::new();
            loop {
                let id = format!("{task}-{}", kept.len());
                match store.commit(create(&id, 20_000)).await {
                    Ok(()) => kept.push(id),
                    Err(StoreError::CannotWrite(text)) => {
                        assert!(text.contains("is full: make room"), "{text}");
                        let there = store.get(&key(&id)).await?.is_some();
                        let committed = store.was_committed(&CommitId::new(id)).await?;
                        assert!(!there && !committed, "half done");
                        return Ok(kept);
                    }
                    Err(other) => return Err(other.into()),
                }
            }
        }
    })
    .await?
    .concat();
    assert!(!kept.is_empty());
    for id in &kept {
        assert!(store.get(&key(id)).await?.is_some(), "{id} was answered");
    }
    Ok(kept)
}

/// A file system of 4 MiB, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        mounted.then(|| Self(at.to_path_buf()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_does_not_let_go() -> Outcome {
    let (_directory, path) = place()?;
    let options = Options {
        busy_timeout: Duration::from_millis(20),
        ..options()
    };
    let store = SqliteStore::open(&path, options).await?;
    let neighbour = Connection::open(&path)?;
    neighbour.execute_batch("BEGIN IMMEDIATE")?;
    match store.commit(create("a", 10)).await {
        Err(StoreError::Unavailable(text)) => assert!(text.contains("locked"), "{text}"),
        other => return Err(format!("{other:?}").into()),
    }
    assert_eq!(store.get(&key("a")).await?, None, "reading goes on");
    neighbour.execute_batch("COMMIT")?;
    store.commit(create("a", 10)).await?;
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_something_else() -> Outcome {
    let (_directory, path) = place()?;
    std::fs::write(&path, "Dear diary, ".repeat(1000))?;
    match SqliteStore::open(&path, options()).await {
        Err(StoreError::Corrupt(text)) => assert!(text.contains("no SQLite database"), "{text}"),
        Err(other) => return Err(other.into()),
        Ok(_) => return Err("a diary was opened as a database".into()),
    }
    assert_eq!(std::fs::read(&path)?.len(), 12_000, "and is left alone");
    Ok(())
}

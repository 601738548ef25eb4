use super::*;
use async_trait::async_trait;
use std::{os::unix::fs::PermissionsExt, sync::Arc};
use testkit::contract::{
    Broken, Outcome,
    blobs::{Damaging, Kept},
};

#[async_trait]
impl Damaging for FsBlobs {
    async fn damage(&self, digest: &Digest, bytes: &[u8]) -> Outcome {
        Ok(fs::write(self.path(digest), bytes)?)
    }
}

async fn make() -> Result<(Kept, tempfile::TempDir), Broken> {
    let directory = tempfile::tempdir()?;
    // What a forged digest could name.
    fs::write(directory.path().join("secret"), "x")?;
    let blobs = FsBlobs::new(directory.path().join("blobs"));
    let (vandal, blobs) = (Box::new(blobs.clone()), Arc::new(blobs));
    Ok((Kept { blobs, vandal }, directory))
}

testkit::blobs_contract!(make);

#[tokio::test]
async fn nothing_unfinished_is_left_and_nobody_else_may_look() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("deep/blobs");
    FsBlobs::new(&place).put(b"hello").await.unwrap();
    assert_eq!(fs::read_dir(place.join("incoming")).unwrap().count(), 0);
    let mode = fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_said() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let blobs = FsBlobs::new(directory.path().join("file/blobs"));
    let Err(BlobError::Io(text)) = blobs.put(b"x").await else {
        panic!("it must fail")
    };
    assert!(text.contains("file/blobs"), "{text}");
}

#[test]
fn a_full_disk_is_said_in_words() {
    use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can mount the small disk of this test");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        // In a mount namespace of this thread's own: it is gone with the thread, whatever happens.
        scope
            .spawn(|| {
                // SAFETY: no other thread relies on what this one unshares, its mounts and working directory.
                unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }
                    .unwrap();
                mount_change(
                    "/",
                    MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
                )
                .unwrap();
                mount(
                    "tmpfs",
                    directory.path(),
                    "tmpfs",
                    MountFlags::empty(),
                    Some(c"size=64k"),
                )
                .unwrap();
                let blobs = FsBlobs::new(directory.path().join("blobs"));
                let error = blobs.keep(&[1; 200_000]).unwrap_err();
                assert!(
                    blobs.failed(&error).to_string().contains("is full"),
                    "{error}"
                );
                assert_eq!(
                    fs::read_dir(directory.path().join("blobs/incoming"))
                        .unwrap()
                        .count(),
                    0
                );
                let digest = blobs.keep(b"small").unwrap();
                assert_eq!(blobs.fetch(&digest).unwrap(), b"small");
            })
            .join()
            .unwrap();
    });
}

fn is_away<T: std::fmt::Debug>(answer: Result<T, BlobError>) {
    assert!(
        matches!(&answer, Err(BlobError::Io(why)) if why.contains("blobs: nothing is there")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_directory_that_is_gone_is_no_loss_of_blobs() {
    let place = tempfile::tempdir().unwrap();
    let (at, away) = (place.path().join("blobs"), place.path().join("away"));
    let blobs = FsBlobs::new(&at);
    let digest = blobs.put(b"kept").await.unwrap();
    fs::rename(&at, &away).unwrap();
    // As a disk that is not mounted looks: no directory, or an empty one.
    for _ in 0..2 {
        is_away(blobs.get(&digest).await);
        is_away(blobs.put(b"other").await);
        is_away(blobs.delete(&digest).await);
        let _ = fs::create_dir(&at);
    }
    fs::rename(&away, &at).unwrap();
    assert_eq!(blobs.get(&digest).await.unwrap(), b"kept");
    blobs.put(b"other").await.unwrap();
    blobs.delete(&digest).await.unwrap();
    // The last blob may go: the directory is there all the same.
    let other = Digest::of_bytes("other");
    blobs.delete(&other).await.unwrap();
    let answer = blobs.get(&other).await;
    assert!(matches!(answer, Err(BlobError::Missing(_))), "{answer:?}");
}

#[tokio::test]
async fn where_no_blob_was_kept_none_is_away() {
    let place = tempfile::tempdir().unwrap();
    let blobs = FsBlobs::new(place.path().join("blobs"));
    let never = Digest::of_bytes("never kept");
    let answer = blobs.get(&never).await;
    assert!(matches!(answer, Err(BlobError::Missing(_))), "{answer:?}");
    blobs.delete(&never).await.unwrap();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn blobs_from_before_there_was_a_mark_have_one_from_the_next_on() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().join("blobs");
    let blobs = FsBlobs::new(&at);
    let before = blobs.put(b"before").await.unwrap();
    fs::remove_file(place.path().join("blobs.kept")).unwrap();
    assert_eq!(blobs.get(&before).await.unwrap(), b"before");
    blobs.put(b"next").await.unwrap();
    fs::rename(&at, place.path().join("away")).unwrap();
    is_away(blobs.get(&before).await);
}

#[tokio::test]
async fn what_is_gone_for_good_can_be_begun_anew() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().join("blobs");
    let blobs = FsBlobs::new(&at);
    blobs.put(b"lost").await.unwrap();
    fs::remove_dir_all(&at).unwrap();
    is_away(blobs.put(b"new").await);
    fs::remove_file(place.path().join("blobs.kept")).unwrap();
    let digest = blobs.put(b"new").await.unwrap();
    assert_eq!(blobs.get(&digest).await.unwrap(), b"new");
}

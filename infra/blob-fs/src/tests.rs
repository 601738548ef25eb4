use super::*;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn what_was_put_is_got_and_twice_is_once() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = FsBlobs::new(directory.path().join("deep/blobs"));
    for bytes in [&b""[..], b"hello", &[0, 255, 10]] {
        let digest = blobs.put(bytes).await.unwrap();
        assert_eq!(digest, Digest::of_bytes(bytes));
        assert_eq!(blobs.put(bytes).await.unwrap(), digest);
        assert_eq!(blobs.get(&digest).await.unwrap(), bytes);
    }
    assert_eq!(
        fs::read_dir(directory.path().join("deep/blobs/incoming"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(
        fs::metadata(directory.path().join("deep/blobs"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
}

#[tokio::test]
async fn what_is_not_there_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("secret"), "x").unwrap();
    let blobs = FsBlobs::new(directory.path().join("blobs"));
    // As if somebody had edited a record.
    let forged: Digest = serde_json::from_str("\"../secret\"").unwrap();
    for digest in [Digest::of_bytes("never put"), forged] {
        assert!(matches!(blobs.get(&digest).await, Err(BlobError::Missing(d)) if d == digest));
    }
}

#[tokio::test]
async fn damage_is_noticed_and_healed_by_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = FsBlobs::new(directory.path());
    let digest = blobs.put(b"content").await.unwrap();
    fs::write(blobs.path(&digest), "c0ntent").unwrap();
    assert!(matches!(blobs.get(&digest).await, Err(BlobError::Damaged(d)) if d == digest));
    blobs.put(b"content").await.unwrap();
    assert_eq!(blobs.get(&digest).await.unwrap(), b"content");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_agree() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = FsBlobs::new(directory.path());
    let tasks: Vec<_> = (0..64_u8)
        .map(|n| {
            let blobs = blobs.clone();
            // Eight different contents, eight times each.
            tokio::spawn(async move { blobs.put(&vec![n % 8; 100_000]).await.unwrap() })
        })
        .collect();
    for task in tasks {
        let digest = task.await.unwrap();
        assert_eq!(blobs.get(&digest).await.unwrap().len(), 100_000);
    }
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
                let blobs = FsBlobs::new(directory.path());
                let error = blobs.keep(&[1; 200_000]).unwrap_err();
                assert!(
                    blobs.failed(&error).to_string().contains("is full"),
                    "{error}"
                );
                assert_eq!(
                    fs::read_dir(directory.path().join("incoming"))
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

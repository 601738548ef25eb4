use super::*;
use ports::workspace::{ENTRIES_LIMIT, READ_LIMIT, WRITE_LIMIT};
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    sync::atomic::{AtomicBool, Ordering},
};
use tempfile::TempDir;

fn workspace() -> (TempDir, FsWorkspace) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    (directory, FsWorkspace::new(root).unwrap())
}

fn fifo(path: &Path) {
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        path,
        rustix::fs::Mode::from_raw_mode(0o666),
    )
    .unwrap();
}

/// Runs in a thread that is nobody for the kernel; says so when this process cannot become nobody and is not root already.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                if rustix::process::geteuid().is_root() {
                    let nobody = rustix::process::Uid::from_raw(65534);
                    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
                }
                work()
            })
            .join()
            .unwrap()
    })
}

#[tokio::test]
async fn what_was_written_is_read_again() {
    let (_keep, files) = workspace();
    files.write("a/b/c.txt", "hëllo\n").await.unwrap();
    for spelling in ["a/b/c.txt", "./a/b/c.txt", "a//b/./c.txt"] {
        let read = files.read(spelling).await.unwrap();
        assert_eq!(read.text, "hëllo\n");
        assert_eq!(read.digest, Digest::of_bytes("hëllo\n"));
    }
    files.write("a/b/c.txt", "").await.unwrap();
    assert_eq!(files.read("a/b/c.txt").await.unwrap().text, "");
    assert_eq!(
        fs::read_dir(files.root().join("a/b")).unwrap().count(),
        1,
        "no temporary file stays"
    );
}

#[tokio::test]
async fn hard_paths_get_the_right_answer() {
    use WorkspaceError as E;
    let (keep, files) = workspace();
    let root = files.root();
    fs::write(keep.path().join("secret"), "SECRET").unwrap();
    fs::write(root.join("file"), "x").unwrap();
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink("/etc/passwd", root.join("absolute")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("/proc/self/root", root.join("magic")).unwrap();
    symlink("loop2", root.join("loop1")).unwrap();
    symlink("loop1", root.join("loop2")).unwrap();
    symlink("nothing", root.join("dangling")).unwrap();
    symlink("../../secret", root.join("dir/out")).unwrap();
    fifo(&root.join("fifo"));
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    fs::write(root.join("zero"), b"a\0b").unwrap();
    fs::write(root.join("latin"), b"caf\xe9").unwrap();

    let s = str::to_owned;
    let circle = |p: &str| E::Io(format!("“{p}” is a link that leads in a circle"));
    let cases = [
        ("../secret", E::Outside(s("../secret"))),
        ("/etc/passwd", E::Outside(s("/etc/passwd"))),
        ("a/../../x", E::Outside(s("a/../../x"))),
        ("dir/../file", E::Outside(s("dir/../file"))),
        ("..", E::Outside(s(".."))),
        ("out", E::Outside(s("out"))),
        ("dir/out", E::Outside(s("dir/out"))),
        ("absolute", E::Outside(s("absolute"))),
        ("up/secret", E::Outside(s("up/secret"))),
        ("magic/etc/passwd", E::Outside(s("magic/etc/passwd"))),
        ("loop1", circle("loop1")),
        ("dangling", E::Missing(s("dangling"))),
        ("", E::IsDirectory(s("."))),
        (".", E::IsDirectory(s("."))),
        ("dir", E::IsDirectory(s("dir"))),
        ("dir/", E::IsDirectory(s("dir"))),
        ("file/", E::NotDirectory(s("file"))),
        ("file/x", E::Missing(s("file/x"))),
        ("nothing", E::Missing(s("nothing"))),
        ("nothing/at/all", E::Missing(s("nothing/at/all"))),
        ("a\0b", E::Missing(s("a\\0b"))),
        ("fifo", E::Special(s("fifo"))),
        ("socket", E::Special(s("socket"))),
        ("zero", E::Binary(s("zero"))),
        ("latin", E::Binary(s("latin"))),
    ];
    for (path, expected) in cases {
        assert_eq!(files.read(path).await, Err(expected), "read {path:?}");
    }
    let long = "n".repeat(300);
    assert!(matches!(files.read(&long).await, Err(E::Io(text)) if text.contains("too long")));

    let refused = [
        ("../x", E::Outside(s("../x"))),
        ("/tmp/x", E::Outside(s("/tmp/x"))),
        ("out", E::Outside(s("out"))),
        ("up/x", E::Outside(s("up/x"))),
        ("up/new/x", E::Outside(s("up/new/x"))),
        ("loop1", circle("loop1")),
        (
            "dangling",
            E::Io(s("“dangling” is a link to something that does not exist")),
        ),
        ("", E::IsDirectory(s("."))),
        ("dir", E::IsDirectory(s("dir"))),
        ("new/", E::IsDirectory(s("new"))),
        ("file/x", E::NotDirectory(s("file"))),
        ("file/x/y", E::NotDirectory(s("file"))),
        ("fifo", E::Special(s("fifo"))),
        ("socket", E::Special(s("socket"))),
    ];
    for (path, expected) in refused {
        assert_eq!(
            files.write(path, "evil").await,
            Err(expected),
            "write {path:?}"
        );
    }
    assert_eq!(
        fs::read_to_string(keep.path().join("secret")).unwrap(),
        "SECRET"
    );
    assert_eq!(
        fs::read_dir(keep.path()).unwrap().count(),
        2,
        "nothing new outside"
    );
    assert_eq!(files.list("up", true).await, Err(E::Outside(s("up"))));
    assert_eq!(
        files.list("file", false).await,
        Err(E::NotDirectory(s("file")))
    );
    assert_eq!(
        files.list("nothing", false).await,
        Err(E::Missing(s("nothing")))
    );
}

#[tokio::test]
async fn a_link_that_stays_inside_is_the_file_it_leads_to() {
    let (_keep, files) = workspace();
    files.write("docs/real.md", "one").await.unwrap();
    symlink("docs", files.root().join("d")).unwrap();
    symlink("../docs/real.md", files.root().join("docs/link.md")).unwrap();
    assert_eq!(files.read("d/link.md").await.unwrap().text, "one");
    files.write("d/link.md", "two").await.unwrap();
    assert_eq!(
        fs::read_to_string(files.root().join("docs/real.md")).unwrap(),
        "two"
    );
    assert!(files.root().join("docs/link.md").is_symlink());
    files.write("d/new/file", "three").await.unwrap();
    assert_eq!(files.read("docs/new/file").await.unwrap().text, "three");
}

#[tokio::test]
async fn sizes_are_limited_on_both_ways() {
    let (_keep, files) = workspace();
    let limit = usize::try_from(READ_LIMIT).unwrap();
    fs::write(files.root().join("fits"), "x".repeat(limit)).unwrap();
    fs::write(files.root().join("large"), "x".repeat(limit + 1)).unwrap();
    assert_eq!(files.read("fits").await.unwrap().text.len(), limit);
    let expected = WorkspaceError::TooLarge {
        path: "large".into(),
        bytes: READ_LIMIT + 1,
        limit: READ_LIMIT,
    };
    assert_eq!(files.read("large").await, Err(expected));
    let text = "x".repeat(usize::try_from(WRITE_LIMIT).unwrap() + 1);
    let expected = WorkspaceError::TooLarge {
        path: "new".into(),
        bytes: WRITE_LIMIT + 1,
        limit: WRITE_LIMIT,
    };
    assert_eq!(files.write("new", &text).await, Err(expected));
    assert!(!files.root().join("new").exists());
}

#[test]
fn a_file_larger_than_its_size_says_is_still_limited() {
    let file = std::os::fd::OwnedFd::from(fs::File::open("/proc/self/mountinfo").unwrap());
    assert!(rustix::fs::fstat(&file).unwrap().st_size == 0);
    assert_eq!(read::up_to(file, 10).unwrap(), None);
}

#[tokio::test]
async fn replacing_keeps_the_mode_but_not_set_user_id() {
    let (_keep, files) = workspace();
    let script = files.root().join("run.sh");
    fs::write(&script, "old").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o4751)).unwrap();
    files.write("run.sh", "new").await.unwrap();
    assert_eq!(fs::metadata(&script).unwrap().mode() & 0o7777, 0o751);
}

#[tokio::test]
async fn new_files_belong_to_the_owner_of_the_root() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let spaces = FsWorkspaces::new(data.path().join("w"), None).owned_by(Some(64321));
    let files = spaces
        .open(&SessionId::new("telegram:1:2"), None)
        .await
        .unwrap();
    files.write("a/b", "x").await.unwrap();
    for path in ["", "a", "a/b"] {
        let stat = fs::metadata(files.root().join(path)).unwrap();
        assert_eq!((stat.uid(), stat.gid()), (64321, 64321), "{path:?}");
    }
    assert_eq!(fs::metadata(files.root()).unwrap().mode() & 0o777, 0o700);
    files.write("a/b", "y").await.unwrap();
    assert_eq!(fs::metadata(files.root().join("a/b")).unwrap().uid(), 64321);
}

#[tokio::test]
async fn sessions_do_not_share_a_directory() {
    let data = tempfile::tempdir().unwrap();
    let spaces = FsWorkspaces::new(data.path().join("deep/w"), None);
    let mut roots = Vec::new();
    for session in [
        "telegram:1:2",
        "telegram:1-2",
        "../../etc",
        "",
        "terminal:owner",
    ] {
        let files = spaces.open(&SessionId::new(session), None).await.unwrap();
        assert_eq!(
            files.root().parent().unwrap(),
            data.path().join("deep/w").canonicalize().unwrap(),
            "{session:?}"
        );
        files.write("mine", session).await.unwrap();
        let again = spaces.open(&SessionId::new(session), None).await.unwrap();
        assert_eq!(again.read("mine").await.unwrap().text, session);
        roots.push(files.root());
    }
    roots.sort();
    roots.dedup();
    assert_eq!(roots.len(), 5);
}

#[tokio::test]
async fn ones_own_directory_is_used_as_it_is() {
    let own = tempfile::tempdir().unwrap();
    fs::set_permissions(own.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let spaces =
        FsWorkspaces::new("/nonexistent", Some(own.path().to_owned())).owned_by(Some(64321));
    let files = spaces.open(&SessionId::new("a"), None).await.unwrap();
    assert_eq!(files.root(), own.path().canonicalize().unwrap());
    let stat = fs::metadata(own.path()).unwrap();
    assert_eq!(
        (stat.uid(), stat.mode() & 0o777),
        (rustix::process::geteuid().as_raw(), 0o755)
    );
    let missing = FsWorkspaces::new("/nonexistent", Some("/nonexistent/own".into()))
        .open(&SessionId::new("a"), None)
        .await;
    assert!(matches!(missing, Err(WorkspaceError::Missing(_))));
}

#[test]
fn permission_denied_is_said() {
    let (keep, files) = workspace();
    let root = files.root();
    for path in [keep.path(), &root] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(root.join("private"), "x").unwrap();
    fs::set_permissions(root.join("private"), fs::Permissions::from_mode(0o200)).unwrap();
    fs::create_dir(root.join("locked")).unwrap();
    fs::write(root.join("locked/in"), "x").unwrap();
    fs::write(root.join("open"), "needle").unwrap();
    fs::set_permissions(root.join("locked"), fs::Permissions::from_mode(0o0)).unwrap();
    as_nobody(|| {
        let root = beneath::Root::open(&root).unwrap();
        let forbidden = |p: &str| WorkspaceError::Forbidden(p.to_owned());
        assert_eq!(read::read(&root, "private"), Err(forbidden("private")));
        assert_eq!(read::read(&root, "locked/in"), Err(forbidden("locked/in")));
        assert_eq!(
            write::write(&root, "locked/in", "y"),
            Err(forbidden("locked/in"))
        );
        // What cannot be opened is passed over, and does not hide the rest.
        assert_eq!(walk::search(&root, "needle", "*").unwrap().0.len(), 1);
        let (listed, more) = walk::list(&root, ".", true).unwrap();
        assert_eq!(
            listed.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(),
            ["locked/", "open", "private"]
        );
        assert!(!more);
        walk::manifest(&root).unwrap();
    });
    fs::set_permissions(root.join("locked"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_read_only_file_is_not_replaced() {
    let (keep, files) = workspace();
    fs::set_permissions(keep.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(files.root(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(files.root().join("fixed"), "x").unwrap();
    fs::set_permissions(
        files.root().join("fixed"),
        fs::Permissions::from_mode(0o444),
    )
    .unwrap();
    as_nobody(|| {
        let root = beneath::Root::open(&files.root()).unwrap();
        assert_eq!(
            write::write(&root, "fixed", "y"),
            Err(WorkspaceError::Forbidden("fixed".into()))
        );
    });
    assert_eq!(fs::read_to_string(files.root().join("fixed")).unwrap(), "x");
}

#[test]
fn a_full_disk_is_said_and_the_old_text_stays() {
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
                let root = beneath::Root::open(directory.path()).unwrap();
                write::write(&root, "file", "old").unwrap();
                let large = "x".repeat(200 * 1024);
                assert_eq!(
                    write::write(&root, "file", &large),
                    Err(WorkspaceError::DiskFull)
                );
                assert_eq!(read::read(&root, "file").unwrap().text, "old");
                assert_eq!(
                    fs::read_dir(directory.path()).unwrap().count(),
                    1,
                    "the temporary file is gone"
                );
            })
            .join()
            .unwrap();
    });
}

#[tokio::test]
async fn listings_are_sorted_limited_and_follow_no_link() {
    let (_keep, files) = workspace();
    files.write("b/x", "12345").await.unwrap();
    files.write("b-c", "1").await.unwrap();
    files.write("new\nline", "").await.unwrap();
    symlink("/etc", files.root().join("etc")).unwrap();
    let (entries, more) = files.list(".", true).await.unwrap();
    let listed: Vec<_> = entries.iter().map(|e| (e.path.as_str(), e.bytes)).collect();
    assert_eq!(
        listed,
        [
            ("b-c", 1),
            ("b/", 0),
            ("b/x", 5),
            ("etc", 4),
            ("new\nline", 0)
        ]
    );
    assert!(!more);
    assert_eq!(
        files.list("b", false).await.unwrap().0,
        [Entry {
            path: "b/x".into(),
            bytes: 5
        }]
    );
    for n in 0..=ENTRIES_LIMIT {
        fs::write(files.root().join(format!("b/{n:05}")), "").unwrap();
    }
    fs::remove_file(files.root().join("b/x")).unwrap();
    let (entries, more) = files.list("b", true).await.unwrap();
    assert_eq!((entries.len(), more), (ENTRIES_LIMIT, true));
    fs::remove_file(files.root().join("b/00000")).unwrap();
    let (entries, more) = files.list("b", true).await.unwrap();
    assert_eq!((entries.len(), more), (ENTRIES_LIMIT, false));
}

#[tokio::test]
async fn search_finds_lines_by_glob() {
    let (_keep, files) = workspace();
    files
        .write("src/a.rs", "no\nfn needle() {}\n")
        .await
        .unwrap();
    files.write("b.rs", "needle").await.unwrap();
    files.write("c.md", "needle").await.unwrap();
    files
        .write("long.txt", &format!("{}needle", "é".repeat(300)))
        .await
        .unwrap();
    fs::write(files.root().join("binary"), b"needle\0").unwrap();
    fifo(&files.root().join("pipe"));
    let found = async |needle: &str, glob: &str| {
        let (found, _) = files.search(needle, glob).await.unwrap();
        found
            .into_iter()
            .map(|f| format!("{}:{}", f.path, f.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(found("needle", "*.rs").await, ["b.rs:1", "src/a.rs:2"]);
    assert_eq!(found("needle", "src/*.rs").await, ["src/a.rs:2"]);
    assert_eq!(
        found("needle", "**").await,
        ["b.rs:1", "c.md:1", "long.txt:1", "src/a.rs:2"]
    );
    assert_eq!(found("Needle", "**").await, Vec::<String>::new());
    assert_eq!(
        files.search("needle", "long.txt").await.unwrap().0[0]
            .text
            .len(),
        400
    );
    assert_eq!(
        files.search("x", "a[").await,
        Err(WorkspaceError::Pattern("a[".into()))
    );
    assert_eq!(
        files.search("", "*").await,
        Err(WorkspaceError::Pattern(String::new()))
    );
    files
        .write("many", &"needle\n".repeat(ENTRIES_LIMIT + 1))
        .await
        .unwrap();
    let (found, more) = files.search("needle", "many").await.unwrap();
    assert_eq!((found.len(), more), (ENTRIES_LIMIT, true));
}

#[tokio::test]
async fn a_manifest_changes_with_path_mode_kind_and_content() {
    let (_keep, files) = workspace();
    files.write("dir/a", "1").await.unwrap();
    let first = files.manifest().await.unwrap();
    assert_eq!(files.manifest().await.unwrap(), first);
    let mut seen = vec![first.clone()];
    files.write("dir/a", "2").await.unwrap();
    seen.push(files.manifest().await.unwrap());
    fs::set_permissions(
        files.root().join("dir/a"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    seen.push(files.manifest().await.unwrap());
    fs::rename(files.root().join("dir/a"), files.root().join("a")).unwrap();
    seen.push(files.manifest().await.unwrap());
    symlink("a", files.root().join("link")).unwrap();
    seen.push(files.manifest().await.unwrap());
    fs::remove_file(files.root().join("link")).unwrap();
    symlink("b", files.root().join("link")).unwrap();
    seen.push(files.manifest().await.unwrap());
    fifo(&files.root().join("pipe"));
    seen.push(files.manifest().await.unwrap());
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[tokio::test]
async fn a_tree_too_deep_is_not_approved_in_part() {
    let (_keep, files) = workspace();
    files
        .write(&format!("{}f", "d/".repeat(120)), "x")
        .await
        .unwrap();
    assert!(
        matches!(files.manifest().await, Err(WorkspaceError::Io(text)) if text.contains("too large"))
    );
    let (entries, more) = files.list(".", true).await.unwrap();
    assert!(more && entries.len() > 100);
}

/// Somebody in the sandbox swaps a directory for a link to the outside as fast as he can.
#[test]
fn a_rename_race_leaks_nothing_and_writes_nothing_outside() {
    let (keep, files) = workspace();
    let outside = keep.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "SECRET").unwrap();
    fs::create_dir(files.root().join("dir")).unwrap();
    fs::write(files.root().join("dir/file"), "inside").unwrap();
    symlink(&outside, files.root().join("link")).unwrap();
    let (stop, base) = (AtomicBool::new(false), files.root());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (dir, link) = (base.join("dir"), base.join("link"));
            while !stop.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, &dir, rustix::fs::CWD, &link, flags)
                    .unwrap();
            }
        });
        let root = beneath::Root::open(&base).unwrap();
        let (mut inside, mut refused, mut rounds) = (0, 0, 0);
        while inside == 0 || refused == 0 || rounds < 5_000 {
            rounds += 1;
            match read::read(&root, "dir/file") {
                Ok(file) => {
                    assert_ne!(file.text, "SECRET");
                    inside += 1;
                }
                Err(_) => refused += 1,
            }
            let _ = write::write(&root, "dir/new/deep", "evil");
            let (found, _) = walk::search(&root, "SECRET", "**").unwrap();
            assert_eq!(found, []);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

use super::*;
use ports::sandbox::{Cancel, Exec, Limits, Sandbox};
use sandbox_process::DEFAULT_UID;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use testkit::contract::sandbox::sandbox_contract;

/// None, and said so, where the kernel cannot do it: nothing that could be installed would help.
fn sandbox() -> Option<LandlockSandbox> {
    if walls::version() == 0 {
        eprintln!("skipped: this kernel has no Landlock");
        return None;
    }
    Some(super::sandbox(Options::default()).unwrap())
}

fn workspace() -> (TempDir, PathBuf) {
    workspace_of(DEFAULT_UID)
}

fn workspace_of(uid: u32) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let root = directory.path().join("workspace");
    fs::create_dir(&root).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(&root, Some(uid), Some(uid)).unwrap();
    }
    (directory, root)
}

async fn said(sandbox: &LandlockSandbox, command: &str, workspace: &Path) -> String {
    let exec = Exec {
        command: command.to_owned(),
        workspace: workspace.to_owned(),
        files: Vec::new(),
        read_only: false,
        limits: Limits::default(),
    };
    let result = sandbox.run(exec, Cancel::default()).await.unwrap();
    String::from_utf8(result.output).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract() {
    let Some(sandbox) = sandbox() else { return };
    let (_keep, root) = workspace();
    sandbox_contract(&sandbox, &root).await.unwrap();
}

/// The fallback for machines without a writable cgroup keeps the same promises.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_without_cgroups() {
    if sandbox().is_none() {
        return;
    }
    // Processes are counted by user here, so this one must not be shared with other tests.
    let uid = 100_000 + std::process::id() % 50_000;
    let sandbox = super::sandbox(Options { uid: Some(uid) }).unwrap();
    let (_keep, root) = workspace_of(uid);
    assert!(sandbox.0.cgroups.set(Cgroups::default()).is_ok());
    sandbox_contract(&sandbox, &root).await.unwrap();
    let _ = fs::remove_file(format!("/tmp/countersign-contract-{uid}.lock"));
    let tier = sandbox.probe().await.unwrap();
    assert!(
        tier.degraded.iter().any(|text| text.contains("memory")),
        "{:?}",
        tier.degraded
    );
}

#[tokio::test]
async fn probe_tells_the_tier_and_its_weaknesses() {
    let Some(sandbox) = sandbox() else { return };
    let tier = sandbox.probe().await.unwrap();
    assert_eq!(tier.name, "landlock");
    assert!(
        tier.degraded[0].contains("bubblewrap"),
        "{:?}",
        tier.degraded
    );
}

#[tokio::test]
async fn temporary_files_are_private_and_go_with_the_command() {
    let Some(sandbox) = sandbox() else { return };
    let (_keep, root) = workspace();
    let shown = said(
        &sandbox,
        "mkdir -p $TMPDIR/a/b; chmod 0 $TMPDIR/a; echo $TMPDIR; stat -c %a $TMPDIR",
        &root,
    )
    .await;
    let (temporary, mode) = shown.trim().split_once('\n').unwrap();
    assert!(temporary.starts_with("/tmp/countersign-"), "{temporary}");
    assert_eq!(mode, "700");
    // Its user could not list the closed directory, but removes it when it is empty of rights only: a warning tells of the rest.
    let gone = said(&sandbox, "echo x > $TMPDIR/file; echo $TMPDIR", &root).await;
    assert!(!Path::new(gone.trim()).exists());
    fs::set_permissions(
        Path::new(temporary).join("a"),
        fs::Permissions::from_mode(0o700),
    )
    .ok();
    fs::remove_dir_all(temporary).ok();
    for path in ["/tmp/x", "/dev/shm/x", "/var/tmp/x"] {
        assert_eq!(
            said(
                &sandbox,
                &format!("(echo x > {path}) 2>/dev/null && echo written"),
                &root
            )
            .await,
            ""
        );
    }
}

#[tokio::test]
async fn sees_no_process_and_no_descriptor() {
    let Some(sandbox) = sandbox() else { return };
    let (_keep, root) = workspace();
    assert_eq!(
        said(
            &sandbox,
            "ls /proc/1 /proc/self/fd /dev /sys / 2>/dev/null",
            &root
        )
        .await,
        ""
    );
    assert_eq!(
        said(
            &sandbox,
            "for fd in 3 4 5 6 7 8 9; do (: >&$fd) 2>/dev/null && echo $fd; done",
            &root
        )
        .await,
        ""
    );
    // Process substitution goes through /proc/self/fd, to a pipe of its own.
    assert_eq!(
        said(&sandbox, "bash -c 'cat <(echo through)'", &root).await,
        "through\n"
    );
}

#[test]
fn an_old_kernel_is_refused_or_told() {
    let told = |version, other_user| walls::check(version, other_user).map_err(|e| e.to_string());
    assert!(told(0, true).unwrap_err().contains("no Landlock"));
    assert!(told(2, false).unwrap_err().contains("too old"));
    assert_eq!(told(2, true), Ok(()));
    assert_eq!(told(3, false), Ok(()));
    let texts = |version, other_user| {
        degraded::degraded(version, other_user, &Cgroups::default()).join("\n")
    };
    assert!(texts(5, false).contains("send signals") && !texts(6, false).contains("send signals"));
    assert!(!texts(5, true).contains("your user"));
}

#[tokio::test]
async fn a_workspace_out_of_reach_is_explained() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root becomes another user");
        return;
    }
    let Some(sandbox) = sandbox() else { return };
    let (keep, root) = workspace();
    fs::set_permissions(keep.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let exec = Exec {
        command: "true".to_owned(),
        workspace: root,
        files: Vec::new(),
        read_only: false,
        limits: Limits::default(),
    };
    let error = sandbox.run(exec, Cancel::default()).await.unwrap_err();
    assert!(
        matches!(&error, SandboxError::Unavailable(text) if text.contains("COUNTERSIGN_HOME")),
        "{error}"
    );
}

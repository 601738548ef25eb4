use super::*;
use ports::sandbox::{Cancel, Exec, Limits, Sandbox};
use sandbox_process::DEFAULT_UID;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
};
use tempfile::TempDir;
use testkit::contract::sandbox::sandbox_contract;

/// A machine without bubblewrap fails these tests: a wall that was not tried is none.
fn sandbox() -> BwrapSandbox {
    let options = Options::default();
    if let Err(error) = explain::program(&options.program) {
        panic!("{error}. `cargo xtask test` installs what the tests need.");
    }
    super::sandbox(options).unwrap()
}

/// `workspace` in a directory that only we can enter.
fn workspace() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let root = directory.path().join("workspace");
    fs::create_dir(&root).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(&root, Some(DEFAULT_UID), Some(DEFAULT_UID)).unwrap();
    }
    (directory, root)
}

fn exec(command: &str, workspace: &Path) -> Exec {
    Exec {
        command: command.to_owned(),
        workspace: workspace.to_owned(),
        files: Vec::new(),
        read_only: false,
        limits: Limits::default(),
    }
}

async fn said(sandbox: &BwrapSandbox, command: &str, workspace: &Path) -> String {
    let result = sandbox
        .run(exec(command, workspace), Cancel::default())
        .await
        .unwrap();
    String::from_utf8(result.output).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract() {
    let (_keep, root) = workspace();
    sandbox_contract(&sandbox(), &root).await.unwrap();
}

#[tokio::test]
async fn probe_tells_the_tier() {
    let tier = sandbox().probe().await.unwrap();
    assert_eq!(tier.name, "bubblewrap");
    for text in tier.degraded {
        assert!(text.contains("memory"), "{text}");
    }
}

/// The fallback for machines without a writable cgroup keeps the same promises.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_without_cgroups() {
    let (_keep, root) = workspace();
    let sandbox = sandbox();
    let identity = Identity::to_become(sandbox.0.options.uid).unwrap();
    let ground = Ground {
        cgroups: Cgroups::default(),
        ..Ground::find(identity)
    };
    assert!(sandbox.0.ground.set(ground).is_ok());
    sandbox_contract(&sandbox, &root).await.unwrap();
    assert_eq!(sandbox.0.degraded().len(), 1);
}

#[tokio::test]
async fn sees_nothing_but_programs_and_the_workspace() {
    let (_keep, root) = workspace();
    let sandbox = sandbox();
    assert_eq!(
        said(
            &sandbox,
            "pwd; ls /home /root /opt /srv /mnt /var 2>/dev/null",
            &root
        )
        .await,
        "/workspace\n"
    );
    assert_eq!(
        said(&sandbox, "id -un; hostname; echo $HOME", &root).await,
        "agent\nsandbox\n/tmp\n"
    );
    assert_eq!(
        said(&sandbox, "ls /proc/self/fd | tr '\\n' ' '", &root).await,
        "0 1 2 3 ",
        "3 is the listing itself"
    );
    assert_eq!(
        said(
            &sandbox,
            "ls -d /proc/[0-9]* | wc -l | grep -q '^[1-9]$' && echo few",
            &root
        )
        .await,
        "few\n"
    );
    assert_eq!(
        said(
            &sandbox,
            "ls /sys 2>/dev/null; ls /dev/vda /dev/sda /dev/mem 2>/dev/null",
            &root
        )
        .await,
        ""
    );
    let interfaces = "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '";
    assert_eq!(said(&sandbox, interfaces, &root).await, "lo\n");
    assert_eq!(
        said(
            &sandbox,
            "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t\\n'",
            &root
        )
        .await,
        "CapEff:0000000000000000CapBnd:0000000000000000NoNewPrivs:1Seccomp:2"
    );
    assert_eq!(
        said(&sandbox, "ulimit -c", &root).await,
        "0\n",
        "one byte is no block"
    );
}

#[tokio::test]
async fn a_temporary_directory_is_private_and_of_limited_size() {
    let (_keep, root) = workspace();
    let sandbox = sandbox();
    assert_eq!(
        said(&sandbox, "echo x > /tmp/mine; ls -A /tmp", &root).await,
        "mine\n"
    );
    assert_eq!(said(&sandbox, "ls -A /tmp", &root).await, "");
    let full = said(&sandbox, "head -c 600M /dev/zero > /tmp/large", &root).await;
    assert!(full.contains("No space left"), "{full}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_do_not_meet() {
    let sandbox = Arc::new(sandbox());
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let sandbox = Arc::clone(&sandbox);
            tokio::spawn(async move {
                let (_keep, root) = workspace();
                let limits = Limits {
                    processes: 8,
                    ..Limits::default()
                };
                let command = format!("echo {n} > file; sleep 0.1; cat file; ls; exit {n}");
                let run = Exec {
                    limits,
                    ..exec(&command, &root)
                };
                let result = sandbox.run(run, Cancel::default()).await.unwrap();
                assert_eq!(
                    (result.ended, result.output),
                    (Ended::Exit(n), format!("{n}\nfile\n").into_bytes())
                );
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_workspace_of_somebody_else_is_explained() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root becomes another user");
        return;
    }
    let (_keep, root) = workspace();
    let sandbox = sandbox();
    chown(&root, Some(0), Some(0)).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    let error = sandbox
        .run(exec("true", &root), Cancel::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SandboxError::Unavailable(text) if text.contains("chown -R 64321")),
        "{error}"
    );
    let error = sandbox
        .run(exec("true", &root.join("missing")), Cancel::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn a_path_that_cannot_be_walked_is_explained() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root becomes another user");
        return;
    }
    let (keep, root) = workspace();
    let identity = Identity {
        uid: DEFAULT_UID,
        gid: DEFAULT_UID,
    };
    let error = identity
        .check_workspace(&root, true)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(keep.path().to_str().unwrap()) && error.contains("COUNTERSIGN_HOME"),
        "{error}"
    );
    fs::set_permissions(keep.path(), fs::Permissions::from_mode(0o711)).unwrap();
    identity.check_workspace(&root, true).unwrap();
}

#[tokio::test]
async fn root_without_somebody_to_become_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: not root");
        return;
    }
    for uid in [None, Some(0)] {
        let sandbox = super::sandbox(Options {
            uid,
            ..Options::default()
        })
        .unwrap();
        assert!(matches!(
            sandbox.probe().await,
            Err(SandboxError::Unavailable(_))
        ));
    }
}

#[tokio::test]
async fn a_bubblewrap_that_fails_is_no_command_that_failed() {
    let (_keep, root) = workspace();
    let broken = |program: &str| {
        super::sandbox(Options {
            program: program.into(),
            ..Options::default()
        })
        .unwrap()
    };
    let missing = broken("/nonexistent/bwrap")
        .run(exec("true", &root), Cancel::default())
        .await;
    assert!(
        matches!(missing, Err(SandboxError::Unavailable(text)) if text.contains("apt-get install bubblewrap"))
    );
    let other = broken("/bin/false")
        .run(exec("true", &root), Cancel::default())
        .await;
    assert!(matches!(other, Err(SandboxError::Setup(_))), "{other:?}");
    let long = "x".repeat(200_000);
    let error = sandbox()
        .run(exec(&long, &root), Cancel::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}

//! What a command cannot see, reach or change.

use super::{Place, text};
use crate::contract::Outcome;
use ports::sandbox::{Cancel, Ended, Exec, Limits};
use std::{
    fs,
    io::ErrorKind,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
};

impl Place<'_> {
    pub async fn has_no_network(&self) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let connect = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{}",
            listener.local_addr()?.port()
        );
        assert!(outside(&connect)?, "without a sandbox it connects");
        listener.accept()?;
        let result = self.run(&format!("bash -c '{connect}'")).await?;
        assert_ne!(
            result.ended,
            Ended::Exit(0),
            "connected to this machine: {}",
            text(&result)
        );
        assert!(
            listener
                .accept()
                .is_err_and(|e| e.kind() == ErrorKind::WouldBlock)
        );
        let devices = self
            .run("tail -n +3 /proc/net/dev 2>/dev/null | grep -v ' *lo:'")
            .await?;
        assert_eq!(text(&devices), "");
        Ok(())
    }

    pub async fn hides_files(&self) -> Outcome {
        let secret = tempfile_beside(self.root)?;
        for path in [
            "/etc/shadow",
            "/root/.",
            "/home/.",
            "/var/run/docker.sock",
            "/run/docker.sock",
            &secret,
        ] {
            let result = self.run(&format!("ls -a {path}; cat {path}")).await?;
            assert!(
                !matches!(result.ended, Ended::Exit(0)),
                "{path}: {}",
                text(&result)
            );
            assert!(!text(&result).contains("SECRET"), "{path}");
        }
        // A link in the workspace is no way out.
        std::os::unix::fs::symlink(&secret, self.root.join("way-out"))?;
        let result = self.run("cat way-out").await?;
        assert!(result.ended != Ended::Exit(0) && !text(&result).contains("SECRET"));
        fs::remove_file(self.root.join("way-out"))?;
        fs::remove_file(secret)?;
        Ok(())
    }

    pub async fn hides_the_environment(&self) -> Outcome {
        let everywhere = "env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'";
        let result = self
            .run_within(
                everywhere,
                Limits {
                    output: 4 << 20,
                    ..Limits::default()
                },
            )
            .await?;
        let seen = text(&result);
        let ours = fs::read("/proc/self/environ")?;
        let harmless = [
            "PATH", "HOME", "LANG", "TERM", "USER", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "LOGNAME",
            "_", "SHELL",
        ];
        let mut compared = 0;
        for entry in ours.split(|byte| *byte == 0) {
            let entry = String::from_utf8_lossy(entry);
            let name = entry.split('=').next().unwrap_or_default();
            if name.is_empty() || harmless.contains(&name) {
                continue;
            }
            compared += 1;
            assert!(
                !seen
                    .lines()
                    .any(|line| line.starts_with(&format!("{name}="))),
                "{name} is visible inside"
            );
        }
        assert!(compared > 0, "cargo gives a test some variables of its own");
        assert!(
            seen.contains("PATH=") && seen.contains("TERM=dumb") && seen.contains("LANG="),
            "{seen}"
        );
        Ok(())
    }

    pub async fn keeps_writes_inside(&self) -> Outcome {
        let free = self.run("echo 1 > inside && mkdir -p a/b && mv inside a/b/c && cat a/b/c && echo 2 > \"$TMPDIR/x\"").await?;
        assert_eq!((free.ended, text(&free).as_str()), (Ended::Exit(0), "1\n"));
        assert_eq!(fs::read_to_string(self.root.join("a/b/c"))?, "1\n");
        // A script of one's own can be run.
        let script = self
            .run("printf '#!/bin/sh\\necho mine' > script; chmod +x script; ./script")
            .await?;
        assert_eq!(text(&script), "mine\n");
        for path in [
            "/x",
            "/usr/x",
            "/etc/x",
            "/etc/passwd",
            "/bin/x",
            "/root/x",
            "/home/x",
            "/var/x",
            "/proc/sys/kernel/core_pattern",
            "../x",
        ] {
            let result = self
                .run(&format!("(echo bad >> {path}) 2>/dev/null && echo written"))
                .await?;
            assert_eq!(text(&result), "", "{path}");
        }
        let removed = self
            .run("rm -f /usr/bin/env /bin/sh; rm -rf /usr/share/doc 2>/dev/null; ls /usr/bin/env")
            .await?;
        assert!(text(&removed).contains("/usr/bin/env\n"));
        Ok(())
    }

    pub async fn keeps_a_read_only_workspace(&self) -> Outcome {
        let spoil = "echo 2 >> kept; echo 2 > new; mkdir folder; mv kept moved; rm -f kept";
        let command = format!(
            "exec 2>/dev/null; {spoil}; cat kept; echo 3 > \"$TMPDIR/x\" && cat \"$TMPDIR/x\""
        );
        self.run("echo 1 > kept").await?;
        let exec = Exec {
            read_only: true,
            ..self.exec(&command, Limits::default())
        };
        let result = self.sandbox.run(exec, Cancel::default()).await?;
        assert_eq!(
            (result.ended, text(&result).as_str()),
            (Ended::Exit(0), "1\n3\n")
        );
        for name in ["new", "folder", "moved"] {
            assert!(!self.root.join(name).exists(), "{name}");
        }
        self.run(spoil).await?;
        for name in ["new", "folder", "moved"] {
            assert!(self.root.join(name).exists(), "{name}, where it may");
        }
        Ok(())
    }

    pub async fn is_not_root(&self) -> Outcome {
        let result = self.run("id -u; id -G; echo x > owned").await?;
        let shown = text(&result);
        let ids: Vec<&str> = shown.split_whitespace().collect();
        assert!(!ids.is_empty() && !ids.contains(&"0"), "inside: {ids:?}");
        let (file, root) = (
            fs::metadata(self.root.join("owned"))?,
            fs::metadata(self.root)?,
        );
        assert_ne!(file.uid(), 0, "outside");
        assert_eq!((file.uid(), file.gid()), (root.uid(), root.gid()));
        Ok(())
    }

    pub async fn cannot_reach_other_processes(&self) -> Outcome {
        let us = std::process::id();
        let commands = [
            format!("kill -0 {us}"),
            format!("kill -KILL {us}"),
            format!("cat /proc/{us}/environ"),
            "kill -KILL 1".to_owned(),
        ];
        for command in commands {
            let result = self
                .run(&format!("({command}) >/dev/null 2>&1 || echo refused"))
                .await?;
            // In a namespace of its own, 1 is its own first process, which takes no signal from below.
            assert!(
                text(&result).contains("refused") || command.ends_with(" 1"),
                "{command}"
            );
        }
        Ok(())
    }

    pub async fn refuses_system_calls(&self) -> Outcome {
        for command in [
            "unshare --user true",
            "unshare --mount true",
            "mount -t tmpfs none /tmp",
            "chroot / true",
        ] {
            let result = self
                .run(&format!("{command} 2>/dev/null && echo done"))
                .await?;
            assert_eq!(text(&result), "", "{command}");
        }
        Ok(())
    }
}

/// The same without a sandbox.
fn outside(command: &str) -> std::io::Result<bool> {
    let mut bash = Command::new("bash");
    bash.args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(bash.status()?.success())
}

/// A file that everybody may read, in a place that nobody in a sandbox may see.
fn tempfile_beside(root: &Path) -> std::io::Result<String> {
    let name = format!("secret-{}", std::process::id());
    let path = root.parent().unwrap_or(root).join(name);
    fs::write(&path, "SECRET")?;
    Ok(path.display().to_string())
}

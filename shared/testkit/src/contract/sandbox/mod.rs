//! What every sandbox promises. Each case tries to break out of one wall with a real command, and most try the same command
//! without a sandbox first: a wall that nothing would have passed through anyway proves nothing.

mod inputs;
mod limits;
mod serving;
mod walls;

use super::{Broken, Outcome};
use ports::sandbox::{Cancel, Ended, Exec, ExecResult, Limits, Sandbox};
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// All cases, one after another. `root` is a workspace that the sandbox can use; it is littered.
///
/// # Errors
/// When a case cannot be tried.
pub async fn sandbox_contract(sandbox: &dyn Sandbox, root: &Path) -> Outcome {
    sandbox.probe().await?;
    let place = Place { sandbox, root };
    place.tells_how_a_command_ended().await?;
    place.has_no_network().await?;
    place.hides_files().await?;
    place.hides_the_environment().await?;
    place.keeps_writes_inside().await?;
    place.keeps_a_read_only_workspace().await?;
    place.gives_files_to_one_command().await?;
    place.is_not_root().await?;
    place.cannot_reach_other_processes().await?;
    place.limits_processes().await?;
    place.limits_memory().await?;
    place.limits_output().await?;
    place.leaves_nothing_behind().await?;
    place.refuses_system_calls().await?;
    Box::pin(place.hears_the_cancel()).await?;
    Box::pin(place.serves()).await?;
    digests_tell_limits_apart(sandbox);
    Ok(())
}

struct Place<'a> {
    sandbox: &'a dyn Sandbox,
    root: &'a Path,
}

/// Sleeps of a length that nobody else sleeps, to be found by it among all processes of the machine.
fn long_sleep() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("sleep 7777{}.{count}", std::process::id())
}

fn is_running(command: &str) -> bool {
    let wanted = command.replace(' ', "\0") + "\0";
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|line| line == wanted.as_bytes())
}

async fn until(mut reached: impl FnMut() -> bool) {
    while !reached() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn text(result: &ExecResult) -> String {
    String::from_utf8_lossy(&result.output).into_owned()
}

impl Place<'_> {
    fn exec(&self, command: &str, limits: Limits) -> Exec {
        Exec {
            command: command.to_owned(),
            workspace: self.root.to_owned(),
            files: Vec::new(),
            read_only: false,
            limits,
        }
    }

    async fn run(&self, command: &str) -> Result<ExecResult, Broken> {
        self.run_within(command, Limits::default()).await
    }

    async fn run_within(&self, command: &str, limits: Limits) -> Result<ExecResult, Broken> {
        Ok(self
            .sandbox
            .run(self.exec(command, limits), Cancel::default())
            .await?)
    }

    async fn tells_how_a_command_ended(&self) -> Outcome {
        let cases = [
            (
                "echo out; echo err >&2; echo more",
                Ended::Exit(0),
                "out\nerr\nmore\n",
            ),
            ("printf 'a b' && exit 7", Ended::Exit(7), "a b"),
            ("exit 255", Ended::Exit(255), ""),
            ("kill -KILL $$", Ended::Signal(9), ""),
            ("kill -TERM $$", Ended::Signal(15), ""),
            ("cat", Ended::Exit(0), ""),
            ("no_such_program_here 2>/dev/null", Ended::Exit(127), ""),
            (
                "echo \"$0\" | grep -c sh; echo 'a \"quoted\" $HOME'",
                Ended::Exit(0),
                "1\na \"quoted\" $HOME\n",
            ),
        ];
        for (command, ended, output) in cases {
            let result = self.run(command).await?;
            assert_eq!(
                (result.ended, text(&result).as_str()),
                (ended, output),
                "{command}"
            );
            assert_eq!(result.output_bytes, output.len() as u64, "{command}");
        }
        let nul = self
            .sandbox
            .run(self.exec("echo a\0b", Limits::default()), Cancel::default())
            .await;
        assert!(nul.is_err(), "a command with NUL is refused, not cut");
        Ok(())
    }

    async fn hears_the_cancel(&self) -> Outcome {
        let raised = Cancel::default();
        raised.raise();
        let never = self
            .sandbox
            .run(self.exec("echo x > never", Limits::default()), raised)
            .await?;
        assert_eq!(never.ended, Ended::Cancelled);
        assert!(!self.root.join("never").exists());

        let sleep = long_sleep();
        let command = format!("echo begun; setsid {sleep} & sleep 1000");
        let cancel = Cancel::default();
        let run = self
            .sandbox
            .run(self.exec(&command, Limits::default()), cancel.clone());
        let cancelled = async {
            until(|| is_running(&sleep)).await;
            cancel.raise();
        };
        let (result, ()) = tokio::join!(run, cancelled);
        let result = result?;
        assert_eq!(
            (result.ended, result.output.as_slice()),
            (Ended::Cancelled, &b"begun\n"[..])
        );
        assert!(!is_running(&sleep), "it has outlived the cancel");

        // Whoever no longer waits has cancelled as well.
        let run = self
            .sandbox
            .run(self.exec(&command, Limits::default()), Cancel::default());
        tokio::select! {
            ended = run => return Err(format!("ended by itself: {ended:?}").into()),
            () = until(|| is_running(&sleep)) => {}
        }
        until(|| !is_running(&sleep)).await;
        Ok(())
    }
}

fn digests_tell_limits_apart(sandbox: &dyn Sandbox) {
    let limits = Limits::default();
    assert_eq!(sandbox.digest(&limits), sandbox.digest(&limits));
    assert_ne!(
        sandbox.digest(&limits),
        sandbox.digest(&Limits {
            processes: 1,
            ..limits
        })
    );
}

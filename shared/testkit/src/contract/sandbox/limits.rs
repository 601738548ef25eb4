//! What a command cannot use up, and that nothing of it stays.

use super::{Place, is_running, long_sleep, text};
use crate::contract::Outcome;
use ports::sandbox::{Ended, Limits};
use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    time::Duration,
};

impl Place<'_> {
    pub async fn limits_processes(&self) -> Outcome {
        // A sandbox without cgroups counts the processes of a user together, and other tests run as the same one.
        let user = fs::metadata(self.root)?.uid();
        let alone = File::create(format!("/tmp/countersign-contract-{user}.lock"))?;
        alone.lock()?;
        let many = "i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i+1)); echo $i; done; echo all";
        let enough = self
            .run_within(
                many,
                Limits {
                    processes: 400,
                    ..Limits::default()
                },
            )
            .await?;
        assert!(
            text(&enough).contains("all"),
            "the limit is not lower than was asked: {}",
            text(&enough)
        );
        let result = self
            .run_within(
                many,
                Limits {
                    processes: 50,
                    ..Limits::default()
                },
            )
            .await?;
        let started = text(&result)
            .lines()
            .filter(|line| line.parse::<u32>().is_ok())
            .count();
        assert!((10..=50).contains(&started), "{started}");
        let wall = Duration::from_secs(3);
        let bomb = self
            .run_within(
                "b() { b | b & }; b; sleep 1000",
                Limits {
                    processes: 50,
                    wall,
                    ..Limits::default()
                },
            )
            .await?;
        // Either the shell gives up or the time does, and nothing of it stays: the next command has its processes.
        assert_ne!(bomb.ended, Ended::Exit(0));
        assert_eq!(self.run("echo alive").await?.output, b"alive\n");
        Ok(())
    }

    pub async fn limits_memory(&self) -> Outcome {
        let limits = Limits {
            memory: 96 << 20,
            ..Limits::default()
        };
        // tail keeps the last line, and this one has no end.
        let result = self.run_within("tail /dev/zero", limits).await?;
        assert_eq!(result.ended, Ended::OutOfMemory, "{}", text(&result));
        let hidden = self
            .run_within("tail /dev/zero || true; sleep 1000", limits)
            .await?;
        assert_eq!(
            hidden.ended,
            Ended::OutOfMemory,
            "in a child, while the command goes on"
        );
        assert_eq!(
            self.run_within("echo modest", limits).await?.ended,
            Ended::Exit(0)
        );
        Ok(())
    }

    pub async fn limits_output(&self) -> Outcome {
        let limits = Limits {
            output: 1 << 20,
            ..Limits::default()
        };
        let flood = self.run_within("cat /dev/zero", limits).await?;
        assert_eq!(flood.ended, Ended::TooMuchOutput);
        assert_eq!(flood.output.len(), 1 << 20);
        assert!(flood.output_bytes > 64 << 20);
        let wide = Limits {
            output: 16 << 20,
            ..Limits::default()
        };
        let gigabyte = self
            .run_within("head -c 1000000000 /dev/zero; exit 3", wide)
            .await?;
        assert_eq!(
            (gigabyte.ended, gigabyte.output_bytes),
            (Ended::Exit(3), 1_000_000_000)
        );
        assert_eq!(gigabyte.output.len(), 16 << 20);
        assert!(
            gigabyte.output.capacity() <= 64 << 20,
            "what is not kept is not held"
        );
        Ok(())
    }

    pub async fn leaves_nothing_behind(&self) -> Outcome {
        // Out of its session, its group, its parent.
        let sleep = long_sleep();
        let away = format!("setsid sh -c '{sleep} & echo > away; exec {sleep}' >/dev/null 2>&1 & ");
        let result = self
            .run(&format!("{away} until [ -e away ]; do :; done; exit 0"))
            .await?;
        assert_eq!(result.ended, Ended::Exit(0));
        assert!(!is_running(&sleep), "it has outlived its command");
        let limits = Limits {
            wall: Duration::from_millis(1500),
            ..Limits::default()
        };
        let late = self
            .run_within(&format!("{away} trap '' TERM; sleep 1000"), limits)
            .await?;
        assert_eq!(late.ended, Ended::TimedOut);
        assert!(!is_running(&sleep), "it has outlived the time-out");
        Ok(())
    }
}

//! In what this tier is weaker than it could be, for people to weigh.

use crate::walls::SIGNALS;
use sandbox_process::cgroup::Cgroups;

pub fn degraded(version: u32, other_user: bool, cgroups: &Cgroups) -> Vec<String> {
    let mut all = vec![
        "commands share this machine's process numbers and see the names of its files, though they cannot open them \
         (install bubblewrap)"
            .to_owned(),
        "`/workspace` does not exist: commands work in the workspace's real path; `/tmp` is closed, `$TMPDIR` is theirs \
         and is limited only by the disk"
            .to_owned(),
    ];
    if !other_user {
        all.push(
            "commands run as your user: they could change modes and times of your files outside, though not read or write \
             them"
                .to_owned(),
        );
        if version < SIGNALS {
            all.push(
                "commands can send signals to your other processes, and so outlive their supervisor (Linux 6.12 or newer \
                 prevents it)"
                    .to_owned(),
            );
        }
    }
    if !cgroups.limit_memory() {
        all.push("memory is measured ten times a second instead of limited by the kernel: no cgroup can be written".to_owned());
    }
    if !cgroups.limit_processes() {
        all.push(
            "processes are limited for all commands of the user together: no cgroup can be written"
                .to_owned(),
        );
    }
    all
}

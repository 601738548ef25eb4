//! Debian packages through apt-get, as root or through a sudo that asks for no password. Nothing here may wait
//! for an answer: CI has nobody to give one.

use std::process::Command;

use crate::setup::works;
use crate::steps::Steps;

/// Installs one package. False, and a step marked as skipped, where this machine or this person can't; false and
/// a failed step where apt-get itself fails.
pub fn install(steps: &mut Steps, package: &str, why: &str) -> bool {
    let Some(prefix) = root_prefix() else {
        let hint =
            format!("missing ({why}), and only root may install it: apt-get install {package}");
        steps.skip(package, &hint);
        return false;
    };
    // A bare machine has no package lists, an old one stale ones.
    steps.run(
        &format!("{package}: package lists"),
        "apt-get knows no package before its first update",
        &mut apt_get(&prefix, &["update", "--quiet"]),
    ) && steps.run(
        package,
        why,
        &mut apt_get(
            &prefix,
            &[
                "install",
                "--yes",
                "--quiet",
                "--no-install-recommends",
                package,
            ],
        ),
    )
}

/// What to put before apt-get to be root: nothing, `sudo -n`, or none if there is no way.
fn root_prefix() -> Option<Vec<&'static str>> {
    if !works("apt-get", &["--version"]) {
        return None;
    }
    if is_root() {
        return Some(vec![]);
    }
    works("sudo", &["-n", "true"]).then(|| vec!["sudo", "-n"])
}

pub fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> Command {
    // `env` sets the variable behind sudo as well, which drops the caller's environment.
    let words: Vec<&str> = prefix
        .iter()
        .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"].iter())
        .chain(arguments)
        .copied()
        .collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_get_runs_behind_sudo_without_asking() {
        let command = apt_get(&["sudo", "-n"], &["update"]);
        assert_eq!(command.get_program(), "sudo");
        let words: Vec<_> = command.get_args().collect();
        assert_eq!(
            words,
            [
                "-n",
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "update"
            ]
        );
    }
}

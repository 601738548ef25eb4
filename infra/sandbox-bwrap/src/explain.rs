//! Where bubblewrap does not work: why, and what a person can do about it.

use ports::sandbox::SandboxError;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const PLACES: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

const INSTALL: &str = "bubblewrap is not installed: `apt-get install bubblewrap` (Debian, Ubuntu), `dnf install bubblewrap` (Fedora)";

const APPARMOR: &str = "AppArmor forbids user namespaces here (Ubuntu 23.10 and later). Let bubblewrap have them: write\n\
    abi <abi/4.0>,\n\
    include <tunables/global>\n\
    profile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n\
    to /etc/apparmor.d/bwrap and run `sudo apparmor_parser -r /etc/apparmor.d/bwrap`";

const CONTAINER: &str = "user namespaces are forbidden here. In a container: allow them with \
    `--security-opt seccomp=unconfined --security-opt apparmor=unconfined` or `--privileged`";

/// Where the program is. Not by PATH: a directory that others can write must not choose it.
pub fn program(name: &Path) -> Result<PathBuf, SandboxError> {
    let candidates: Vec<PathBuf> = if name.components().count() > 1 {
        vec![name.to_owned()]
    } else {
        PLACES
            .iter()
            .map(|place| Path::new(place).join(name))
            .collect()
    };
    let found = candidates.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| SandboxError::Unavailable(INSTALL.to_owned()))
}

/// The program could not be started; `said` is the step that failed on the way.
pub fn spawn(error: &io::Error, said: String) -> SandboxError {
    match error.kind() {
        io::ErrorKind::NotFound if said.is_empty() => SandboxError::Unavailable(INSTALL.to_owned()),
        io::ErrorKind::ArgumentListTooLong => {
            SandboxError::Setup("the command is too long: the system takes 128 KiB".to_owned())
        }
        _ if said.is_empty() => {
            SandboxError::Setup(format!("bubblewrap cannot be started: {error}"))
        }
        _ => SandboxError::Setup(format!("bubblewrap cannot be started: {said}: {error}")),
    }
}

/// bubblewrap gave up before the command began.
pub fn failed(said: &str) -> SandboxError {
    let said = said.trim();
    reason(said, &|path| fs::read_to_string(path).ok()).map_or_else(
        || SandboxError::Setup(said.to_owned()),
        |reason| SandboxError::Unavailable(format!("{reason} (it said: {said})")),
    )
}

fn reason(said: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let says = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    let is = |path: &str, value: &str| read(path).is_some_and(|text| text.trim() == value);
    if says(&["Unknown option"]) {
        return Some(
            "bubblewrap is too old: 0.8 or newer is needed (Debian 12, Ubuntu 24.04)".to_owned(),
        );
    }
    if says(&["Can't find source path", "Can't bind mount"]) && says(&["Permission denied"]) {
        return Some("the workspace, or a directory that was granted, cannot be reached by the user that commands run as: move it, or open its path (`chmod o+x`)".to_owned());
    }
    let namespaces = [
        "namespace",
        "setting up uid map",
        "uid_map",
        "Failed to mount",
        "Failed to make / slave",
        "loopback",
    ];
    if !says(&namespaces) {
        return None;
    }
    if is(
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
    ) {
        return Some(APPARMOR.to_owned());
    }
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return Some(
            "user namespaces are switched off: `sudo sysctl kernel.unprivileged_userns_clone=1`"
                .to_owned(),
        );
    }
    if is("/proc/sys/user/max_user_namespaces", "0") {
        return Some(
            "user namespaces are switched off: `sudo sysctl user.max_user_namespaces=10000`"
                .to_owned(),
        );
    }
    Some(CONTAINER.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_remedy() {
        let namespaces = "bwrap: No permissions to create new namespace";
        let with = |file: &'static str, value: &'static str| {
            move |path: &str| (path == file).then(|| value.to_owned())
        };
        let ubuntu = with(
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1\n",
        );
        let debian = with("/proc/sys/kernel/unprivileged_userns_clone", "0\n");
        let off = with("/proc/sys/user/max_user_namespaces", "0\n");
        let none = |_: &str| None;
        let told = |said: &str, read: &dyn Fn(&str) -> Option<String>| {
            reason(said, read).unwrap_or_default()
        };
        assert!(
            told("bwrap: setting up uid map: Permission denied", &ubuntu)
                .contains("/etc/apparmor.d/bwrap")
        );
        assert!(
            told(
                "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
                &ubuntu
            )
            .contains("apparmor_parser")
        );
        assert!(told(namespaces, &debian).contains("unprivileged_userns_clone=1"));
        assert!(told(namespaces, &off).contains("max_user_namespaces=10000"));
        assert!(told(namespaces, &none).contains("--security-opt"));
        assert!(told("bwrap: Unknown option --disable-userns", &none).contains("0.8"));
        assert!(
            told(
                "bwrap: Can't find source path /root/x: Permission denied",
                &none
            )
            .contains("chmod o+x")
        );
        assert_eq!(
            reason("bwrap: execvp /bin/sh: No such file or directory", &none),
            None
        );
    }

    #[test]
    fn what_is_not_installed_is_named() {
        let error = program(Path::new("no-such-program")).unwrap_err();
        assert!(error.to_string().contains("apt-get install bubblewrap"));
        assert!(program(Path::new("/nonexistent/bwrap")).is_err());
        assert_eq!(program(Path::new("sh")).unwrap(), Path::new("/usr/bin/sh"));
    }
}

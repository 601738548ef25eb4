//! Memory and process counts of a whole tree, held by the kernel: cgroup v2, or v1 on systems that still mount its controllers.
//!
//! Which of them can be had is found by trying it with a real process. Nobody has to delegate anything to root; an ordinary user
//! gets one from `systemd-run --user --scope`, among others. A group beside our own is preferred to one below it: version 2
//! forbids limits below a group that has processes, and we have no business moving ourselves.

use rustix::fd::OwnedFd;
use std::{
    fs::{self, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

/// So that all of ours can be told from others', and those of dead processes from those of living ones.
const PREFIX: &str = "countersign";
static COUNTER: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Version {
    One,
    Two,
}

/// A directory in which we can make groups.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    version: Version,
    directory: PathBuf,
}

/// What can be limited here.
#[derive(Clone, Default, Debug)]
pub struct Cgroups {
    memory: Option<Place>,
    processes: Option<Place>,
}

impl Cgroups {
    /// Looks and tries; some milliseconds.
    #[must_use]
    pub fn find() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let find = |controller| {
            places(&mounts, &own, controller)
                .into_iter()
                .find(|place| place.works(controller))
        };
        Self {
            memory: find("memory"),
            processes: find("pids"),
        }
    }

    #[must_use]
    pub fn limit_memory(&self) -> bool {
        self.memory.is_some()
    }

    #[must_use]
    pub fn limit_processes(&self) -> bool {
        self.processes.is_some()
    }

    /// A group for one command; none where nothing can be limited.
    ///
    /// # Errors
    /// When what worked before works no longer.
    pub fn create(&self, memory: u64, processes: u32) -> io::Result<Option<Cgroup>> {
        let mut cgroup = Cgroup {
            directories: Vec::new(),
            joins: Vec::new(),
            memory: None,
        };
        for place in [&self.memory, &self.processes].into_iter().flatten() {
            if !cgroup
                .directories
                .iter()
                .any(|directory| directory.parent() == Some(&place.directory))
            {
                cgroup.add(place)?;
            }
        }
        if let Some(directory) = cgroup.within(self.processes.as_ref()) {
            fs::write(directory.join("pids.max"), processes.to_string())?;
        }
        if let (Some(directory), Some(place)) = (cgroup.within(self.memory.as_ref()), &self.memory)
        {
            match place.version {
                Version::One => limit_memory_one(&directory, memory)?,
                Version::Two => limit_memory_two(&directory, memory)?,
            }
            cgroup.memory = Some((place.version, directory));
        }
        Ok((!cgroup.joins.is_empty()).then_some(cgroup))
    }
}

fn limit_memory_one(directory: &Path, bytes: u64) -> io::Result<()> {
    fs::write(directory.join("memory.limit_in_bytes"), bytes.to_string())?;
    // Memory and swap together. Not there when the kernel does not account for swap.
    optional(fs::write(
        directory.join("memory.memsw.limit_in_bytes"),
        bytes.to_string(),
    ))
}

fn limit_memory_two(directory: &Path, bytes: u64) -> io::Result<()> {
    fs::write(directory.join("memory.max"), bytes.to_string())?;
    optional(fs::write(directory.join("memory.swap.max"), "0"))?;
    // One is killed, all are killed: half a tree computes nonsense.
    optional(fs::write(directory.join("memory.oom.group"), "1"))
}

fn optional(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The group of one command. Its directories go when it is dropped, which must be after its last process.
#[derive(Debug)]
pub struct Cgroup {
    directories: Vec<PathBuf>,
    joins: Vec<OwnedFd>,
    memory: Option<(Version, PathBuf)>,
}

impl Cgroup {
    fn add(&mut self, place: &Place) -> io::Result<()> {
        let name = format!(
            "{PREFIX}-{}-{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        let directory = place.directory.join(name);
        fs::create_dir(&directory)?;
        self.directories.push(directory.clone());
        self.joins.push(
            OpenOptions::new()
                .write(true)
                .open(directory.join("cgroup.procs"))?
                .into(),
        );
        Ok(())
    }

    fn within(&self, place: Option<&Place>) -> Option<PathBuf> {
        let place = place?;
        self.directories
            .iter()
            .find(|directory| directory.parent() == Some(&place.directory))
            .cloned()
    }

    /// For [`crate::Entry::cgroups`].
    #[must_use]
    pub fn joins(&self) -> Vec<i32> {
        self.joins.iter().map(AsRawFd::as_raw_fd).collect()
    }

    /// How many of its processes the kernel has killed for want of memory.
    #[must_use]
    pub fn out_of_memory(&self) -> Option<u64> {
        let (version, directory) = self.memory.as_ref()?;
        let file = match version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let text = fs::read_to_string(directory.join(file)).ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    }

    /// Kills all of it, as far as the kernel can in one go. Version 1 cannot; there nobody can be forked any more at least.
    pub fn kill(&self) {
        for directory in &self.directories {
            if fs::write(directory.join("cgroup.kill"), "1").is_err() {
                // Not every group counts processes.
                let _ = fs::write(directory.join("pids.max"), "0");
            }
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for directory in &self.directories {
            // The dead are taken out a moment after they can be waited for. What stays is found by the next start.
            for _ in 0..50 {
                match fs::remove_dir(directory) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        std::thread::sleep(std::time::Duration::from_millis(2));
                    }
                    _ => break,
                }
            }
        }
    }
}

impl Place {
    fn works(&self, controller: &str) -> bool {
        self.sweep();
        let mut cgroup = Cgroup {
            directories: Vec::new(),
            joins: Vec::new(),
            memory: None,
        };
        if cgroup.add(self).is_err() {
            return false;
        }
        let (file, value) = match (self.version, controller) {
            (Version::One, "memory") => ("memory.limit_in_bytes", "67108864"),
            (Version::Two, "memory") => ("memory.max", "67108864"),
            _ => ("pids.max", "16"),
        };
        let limited = cgroup
            .directories
            .iter()
            .all(|directory| fs::write(directory.join(file), value).is_ok());
        limited && cgroup.joins.iter().all(can_join)
    }

    /// Removes what processes left that were killed. Groups that are in use refuse.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| {
                name.strip_prefix(PREFIX)?
                    .strip_prefix('-')?
                    .split('-')
                    .next()
            });
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

/// To be allowed to write the file does not mean to be allowed to move a process from where it is now.
fn can_join(procs: &OwnedFd) -> bool {
    let procs = procs.as_raw_fd();
    let mut command = Command::new("/bin/true");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: one system call with a static buffer.
    unsafe {
        command.pre_exec(move || match libc::write(procs, b"0".as_ptr().cast(), 1) {
            1 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        })
    };
    command.status().is_ok_and(|status| status.success())
}

/// Where groups of a controller may be made, best first. From the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`.
fn places(mounts: &str, own: &str, controller: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for (root, mount, kind, options) in mounts.lines().filter_map(mount_fields) {
        let version = match kind {
            "cgroup" if options.split(',').any(|option| option == controller) => Version::One,
            "cgroup2" => Version::Two,
            _ => continue,
        };
        let Some(path) = own_path(own, version, controller) else {
            continue;
        };
        // Inside of a container the path may be told from the host's root while the mount begins further down.
        let path = path
            .strip_prefix(root)
            .filter(|rest| root != "/" && (rest.is_empty() || rest.starts_with('/')))
            .unwrap_or(path);
        let directory = Path::new(mount).join(path.trim_start_matches('/'));
        match version {
            Version::One => places.push(Place { version, directory }),
            Version::Two => {
                let beside = (directory != Path::new(mount))
                    .then(|| directory.parent().map(Path::to_owned))
                    .flatten();
                let with_controller = |directory: &PathBuf| {
                    let enabled = fs::read_to_string(directory.join("cgroup.subtree_control"))
                        .unwrap_or_default();
                    enabled.split_whitespace().any(|name| name == controller)
                };
                let candidates = beside
                    .into_iter()
                    .chain([directory])
                    .filter(with_controller);
                places.extend(candidates.map(|directory| Place { version, directory }));
            }
        }
    }
    places
}

/// Root, mount point, file system and its options, see proc_pid_mountinfo(5).
fn mount_fields(line: &str) -> Option<(&str, &str, &str, &str)> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let mut right = right.split(' ');
    Some((left.next()?, left.next()?, right.next()?, right.nth(1)?))
}

fn own_path<'a>(own: &'a str, version: Version, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let ours = match version {
            Version::One => controllers.split(',').any(|name| name == controller),
            Version::Two => controllers.is_empty(),
        };
        ours.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_one_is_found_by_controller() {
        let mounts = "30 25 0:26 / /sys/fs/cgroup/memory rw,relatime shared:1 - cgroup cgroup rw,memory\n\
                      31 25 0:27 / /sys/fs/cgroup/cpu,pids rw - cgroup cgroup rw,cpu,pids\n";
        let own = "4:memory:/a/b\n2:cpu,pids:/\n0::/\n";
        let directory = |controller| {
            places(mounts, own, controller)
                .first()
                .map(|place| place.directory.clone())
        };
        assert_eq!(
            directory("memory"),
            Some("/sys/fs/cgroup/memory/a/b".into())
        );
        assert_eq!(directory("pids"), Some("/sys/fs/cgroup/cpu,pids/".into()));
        assert_eq!(directory("freezer"), None);
    }

    #[test]
    fn version_two_prefers_the_place_beside_us() {
        let directory = tempfile::tempdir().unwrap();
        let mount = directory.path().to_str().unwrap();
        let mounts = format!("30 25 0:26 / {mount} rw shared:1 - cgroup2 cgroup2 rw,nsdelegate\n");
        fs::create_dir_all(directory.path().join("slice/own")).unwrap();
        let found = || {
            places(&mounts, "0::/slice/own\n", "memory")
                .into_iter()
                .map(|place| place.directory)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(), Vec::<PathBuf>::new());
        fs::write(
            directory.path().join("slice/own/cgroup.subtree_control"),
            "memory pids",
        )
        .unwrap();
        assert_eq!(found(), [directory.path().join("slice/own")]);
        fs::write(
            directory.path().join("slice/cgroup.subtree_control"),
            "cpu memory\n",
        )
        .unwrap();
        assert_eq!(
            found(),
            [
                directory.path().join("slice"),
                directory.path().join("slice/own")
            ]
        );
    }

    #[test]
    fn inside_a_container_the_hosts_path_is_cut_off() {
        let mounts = "30 25 0:26 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let place = places(mounts, "4:memory:/docker/ab\n", "memory").remove(0);
        assert_eq!(place.directory, Path::new("/sys/fs/cgroup/memory/"));
    }
}

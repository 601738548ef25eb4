//! A PostgreSQL server for the tests: Debian's package, a data directory of its own, a free port of the loopback, nothing kept.
//!
//! Where we are root it runs as the package's own user, because PostgreSQL refuses root. It is ended by its process id when the
//! value goes, and by the kernel when we are killed. (By SIGQUIT: it leaves without writing anything down.) `cargo xtask postgres`
//! gives one that can be stopped and started again.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::setup::apt;
use crate::steps::Steps;

const TITLE: &str = "postgresql";
const WHY: &str = "the database of several processes, whose tests run on a real server";
/// Where Debian puts each version's programs.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The user that Debian's package makes.
const USER: &str = "postgres";
const READY: &str = "database system is ready to accept connections";
/// A server that took longer has a reason that somebody should look at.
const PATIENCE: Duration = Duration::from_secs(60);
/// For a server that is never meant to come back: whatever it keeps may be lost with it.
pub const CARELESS: &[&str] = &["full_page_writes=off", "synchronous_commit=off"];
/// Tests don't lose power, each of them has connections of its own, and crossed transactions are found soon.
const SETTINGS: [&str; 5] = [
    "fsync=off",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "max_connections=400",
    "deadlock_timeout=50ms",
];

/// A server, its user `postgres` without a password.
pub struct Server {
    /// None while it is stopped.
    process: Option<Child>,
    directory: PathBuf,
    programs: PathBuf,
    port: u16,
    settings: &'static [&'static str],
    pub url: String,
}

/// Installs the package if need be and starts a server with these settings on top. None, and a step marked as skipped or failed,
/// where that can't be.
pub fn server(steps: &mut Steps, settings: &'static [&'static str]) -> Option<Server> {
    if programs().is_none() && !apt::install(steps, TITLE, WHY) {
        return None;
    }
    let started = match programs() {
        Some(programs) => start(&programs, settings),
        None => Err(anyhow::anyhow!("there is no initdb below {VERSIONS}")),
    };
    match started {
        Ok(server) => {
            steps.pass(TITLE, &format!("a server at {}", server.url));
            Some(server)
        }
        Err(error) => {
            steps.fail(TITLE, &format!("{error:#}"));
            None
        }
    }
}

/// The newest version that is there, and its programs.
fn programs() -> Option<(u32, PathBuf)> {
    let versions = fs::read_dir(VERSIONS).ok()?;
    let found = versions.filter_map(Result::ok).filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let bin = version.path().join("bin");
        (bin.join("initdb").exists() && bin.join("postgres").exists()).then_some((number, bin))
    });
    found.max()
}

fn start(
    (version, programs): &(u32, PathBuf),
    settings: &'static [&'static str],
) -> Result<Server> {
    let directory =
        std::env::temp_dir().join(format!("countersign-postgres-{}", std::process::id()));
    fs::create_dir(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    // Somebody else may take the port in between; then the server says so, and the set-up fails.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut server = Server {
        process: None,
        directory,
        programs: programs.clone(),
        port,
        settings,
        url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
    };
    make((*version, programs), &server.directory, apt::is_root())?;
    server.start()?;
    Ok(server)
}

/// Makes an empty database cluster.
fn make((version, programs): (u32, &Path), directory: &Path, root: bool) -> Result<()> {
    if root {
        let owner = |kind| -> Result<u32> {
            let output = Command::new("id").args([kind, USER]).output()?;
            let id = String::from_utf8_lossy(&output.stdout);
            id.trim()
                .parse()
                .with_context(|| format!("there is no user {USER}"))
        };
        chown(directory, Some(owner("-u")?), Some(owner("-g")?))?;
    }
    let data = directory.join("data");
    let mut initdb = unprivileged(&programs.join("initdb"), root);
    initdb.arg("--pgdata").arg(&data).current_dir(directory);
    initdb.args([
        "--username=postgres",
        "--auth=trust",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C",
    ]);
    if version >= 15 {
        // As on most people's servers: texts have another order than that of bytes, which keys have all the same.
        initdb.args(["--locale-provider=icu", "--icu-locale=en"]);
    }
    let initdb = initdb.output().context("cannot start initdb")?;
    if !initdb.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&initdb.stderr));
    }
    Ok(())
}

/// A command that ends with us, as the package's user where we are root.
fn unprivileged(program: &Path, root: bool) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if root {
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    }
    command
        .arg(program)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    // Somebody's own server must not be meant.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command
}

impl Server {
    /// Starts it, on the same port and with the same data as before.
    pub fn start(&mut self) -> Result<()> {
        let log = self.directory.join("log");
        let mut command = unprivileged(&self.programs.join("postgres"), apt::is_root());
        command.arg("-D").arg(self.directory.join("data"));
        command.args(["-p", &self.port.to_string()]);
        for setting in SETTINGS.iter().chain(self.settings) {
            command.args(["-c", setting]);
        }
        let process = command
            .current_dir(&self.directory)
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start postgres")?;
        let process = self.process.insert(process);
        ready(process, &log)
    }

    /// Ends it by this signal, and waits for that: QUIT is like a crash, INT ends the sessions and shuts down.
    pub fn stop(&mut self, signal: &str) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let id = process.id().to_string();
        let name = format!("-{signal}");
        Command::new("kill").args([&name, &id]).status().ok();
        process.wait().ok();
    }
}

fn ready(process: &mut Child, log: &Path) -> Result<()> {
    let began = Instant::now();
    loop {
        let said = fs::read_to_string(log)?;
        if said.contains(READY) {
            return Ok(());
        }
        let ended = process.try_wait()?;
        if ended.is_some() || began.elapsed() > PATIENCE {
            bail!("the server did not start: {said}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop("QUIT");
        fs::remove_dir_all(&self.directory).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only where the package is there: a unit test installs nothing.
    #[test]
    fn a_server_leaves_nothing_behind() -> Result<()> {
        let Some(programs) = programs() else {
            return Ok(());
        };
        let mut server = start(&programs, CARELESS)?;
        server.stop("INT");
        server.start()?;
        let directory = server.directory.clone();
        let id = server.process.as_ref().map(Child::id);
        let id = id.context("it runs")?;
        assert!(directory.join("data").join("PG_VERSION").exists());
        drop(server);
        assert!(!directory.exists());
        assert!(!Path::new(&format!("/proc/{id}")).exists());
        Ok(())
    }
}

//! The built program as a process of its own.

use crate::database::Database;
use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};
use tempfile::TempDir;
use tests::servers::telegram::FakeTelegram;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
};

/// The path of the program: `cargo xtask test` builds it and says where.
pub fn binary() -> PathBuf {
    match std::env::var_os("COUNTERSIGN_BIN") {
        Some(path) => PathBuf::from(path),
        None => panic!(
            "COUNTERSIGN_BIN is not set: run `cargo xtask test`, or build the program and set it."
        ),
    }
}

/// A data directory and a database, and the process that works on them.
pub struct Program {
    home: Arc<TempDir>,
    database: Database,
    telegram: Option<(String, String)>,
    extra: Vec<(String, String)>,
    /// The command that stays.
    service: &'static [&'static str],
    /// What it is started with, where it runs in a container.
    container: Vec<String>,
    process: Option<Child>,
    output: watch::Sender<String>,
}

impl Program {
    pub fn new(tg: &FakeTelegram) -> Self {
        Self {
            telegram: Some((tg.url().to_owned(), tg.token().to_owned())),
            ..Self::alone()
        }
    }

    /// Beside cloud functions, for what needs a workspace.
    pub fn worker(variables: &[(String, String)]) -> Self {
        let mut program = Self {
            service: &["worker", "--lanes", "sandbox"],
            ..Self::alone()
        };
        let home = program.home.path().join("data");
        // As `infra/deploy/try-container.sh run DIR` starts one.
        if let Ok(container) = std::env::var("COUNTERSIGN_TEST_CONTAINER") {
            program.container = container.split(' ').map(str::to_owned).collect();
            std::fs::create_dir(&home).unwrap();
        }
        program.extra = variables.to_vec();
        program.set("COUNTERSIGN_HOME", &home.to_string_lossy());
        program
    }

    /// Without Telegram.
    pub fn alone() -> Self {
        let home = tempfile::Builder::new()
            .prefix("countersign-flow-")
            .tempdir()
            .unwrap();
        // Started as root, commands run as another user, who has to get through.
        std::fs::set_permissions(
            home.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        Self {
            database: Database::of(home.path()),
            home: Arc::new(home),
            telegram: None,
            extra: Vec::new(),
            service: &["up"],
            container: Vec::new(),
            process: None,
            output: watch::Sender::new(String::new()),
        }
    }

    /// With this database, instead of the one that the tests are run with.
    pub fn on(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// Another process on the same data directory, with the same environment.
    pub fn beside(&self) -> Self {
        Self {
            home: self.home.clone(),
            database: self.database.clone(),
            telegram: self.telegram.clone(),
            extra: self.extra.clone(),
            service: self.service,
            container: self.container.clone(),
            process: None,
            output: watch::Sender::new(String::new()),
        }
    }

    /// A worker for runs, instead of a whole service.
    pub fn for_runs(mut self) -> Self {
        self.service = &["worker", "--lanes", "run,sandbox"];
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.extra.push((name.to_owned(), value.to_owned()));
    }

    pub fn unset(&mut self, name: &str) {
        self.extra.retain(|(set, _)| set != name);
    }

    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// A command of the program on this data directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.container[..] {
            [] => Command::new(binary()),
            [engine, more @ ..] => {
                let mut command = Command::new(engine);
                command.args(more);
                command
            }
        };
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path());
        command
            .env("COUNTERSIGN_HOME", self.home.path().join("data"))
            .env("COUNTERSIGN_LISTEN", "127.0.0.1:0");
        // Nothing listens there: a model server on the developer's machine must not change a test.
        command.env("OLLAMA_HOST", "http://127.0.0.1:9");
        if let Some((url, token)) = &self.telegram {
            command
                .env("TELEGRAM_API_URL", url)
                .env("TELEGRAM_BOT_TOKEN", token);
        }
        if let Some(url) = self.database.url() {
            command.env("COUNTERSIGN_DATABASE_URL", url);
        }
        command.envs(self.extra.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// The same in a process that may have so many KiB of memory of its own.
    pub fn limited(&self, kib: u32, arguments: &[String]) -> Command {
        let limit = format!("ulimit -d {kib}; exec \"$0\" \"$@\"");
        let mut program = self.beside();
        program.container = ["sh", "-c", &limit].map(str::to_owned).to_vec();
        program
            .container
            .push(binary().to_string_lossy().into_owned());
        program.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs a command in a terminal, as script(1) makes one: status, and what was shown.
    pub async fn run_in_terminal(&self, arguments: &[&str]) -> (i32, String) {
        let own = self.command(arguments);
        let own = own.as_std();
        let words = [own.get_program()].into_iter().chain(own.get_args());
        let line: Vec<String> = words
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let mut command = Command::new("script");
        command
            .args(["-qefc", &line.join(" "), "/dev/null"])
            .env_clear()
            .envs(
                own.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::null());
        let output = tokio::time::timeout(Duration::from_secs(60), command.output());
        let output = output.await.expect("the command ended").unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap_or(-1), shown)
    }

    /// Starts `countersign up`, or the worker.
    pub async fn up(&mut self) {
        self.spawn();
        self.wait_for("ready").await;
    }

    /// The same without waiting until it is up: it may never be.
    pub fn spawn(&mut self) {
        let mut child = self.command(self.service).spawn().unwrap();
        // A new one: what the process before it said may still come.
        self.output = watch::Sender::new(String::new());
        collect(child.stdout.take(), self.output.clone());
        collect(child.stderr.take(), self.output.clone());
        self.process = Some(child);
    }

    /// Waits until the process printed this.
    pub async fn wait_for(&self, text: &str) -> String {
        let mut output = self.output.subscribe();
        let found = tokio::time::timeout(
            Duration::from_secs(60),
            output.wait_for(|output| output.contains(text)),
        )
        .await;
        match found {
            Ok(Ok(output)) => output.clone(),
            _ => panic!(
                "the program did not print “{text}”, but:\n{}",
                self.printed()
            ),
        }
    }

    /// Where the process that is up listens.
    pub async fn address(&self) -> String {
        let output = self.wait_for("serving /healthz").await;
        self.address_now()
            .unwrap_or_else(|| panic!("no address in:\n{output}"))
    }

    /// The same as far as it has said so.
    pub fn address_now(&self) -> Option<String> {
        let output = self.output.borrow();
        let mut logged = output
            .lines()
            .filter(|line| line.contains("serving /healthz"))
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        logged.find_map(|line| Some(line["address"].as_str()?.to_owned()))
    }

    pub fn printed(&self) -> String {
        self.output.borrow().clone()
    }

    /// The code of the pairing link that the first start prints.
    pub async fn pairing_code(&self) -> String {
        let output = self.wait_for("?start=").await;
        let code = output.split("?start=").nth(1).unwrap();
        code.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect()
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await.unwrap();
        }
    }

    /// SIGTERM, and the exit status.
    pub async fn terminate(&mut self) -> Option<i32> {
        self.signal("TERM");
        let mut process = self.process.take()?;
        let ended = tokio::time::timeout(Duration::from_secs(60), process.wait())
            .await
            .expect("it ends");
        ended.unwrap().code()
    }

    /// Sends the process a signal.
    pub fn signal(&self, name: &str) {
        let id = self.pid().expect("it runs");
        let sent = std::process::Command::new("kill")
            .args([format!("-{name}"), id.to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Another bot from the next start on.
    pub fn telegram_is(&mut self, tg: &FakeTelegram) {
        self.telegram = Some((tg.url().to_owned(), tg.token().to_owned()));
    }

    /// Of the process that runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(Child::id)
    }

    pub fn is_up(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.try_wait().unwrap().is_none())
    }

    /// It is up, and no part of it ever panicked.
    pub fn assert_well(&mut self) {
        assert!(self.is_up(), "the process ended:\n{}", self.printed());
        assert!(
            !self.printed().contains("panicked"),
            "something panicked:\n{}",
            self.printed()
        );
    }

    /// The SQLite file.
    pub fn database(&self) -> PathBuf {
        self.home.path().join("data/countersign.db")
    }

    /// The database, wherever it is.
    pub fn sql(&self) -> &Database {
        &self.database
    }

    /// A connection to the SQLite file beside the program's own.
    pub fn sqlite(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }

    /// Waits until no job is being worked on: what was sent is also written down. A process that is killed before is a crash in
    /// the middle of something, which its successor waits out until the lease's end.
    pub async fn quiet(&self) {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        for _ in 0..6000 {
            looks.tick().await;
            // Not on this thread: what serves the program, such as the wire to its database, has to go on.
            let database = self.database.clone();
            let asked = tokio::task::spawn_blocking(move || leased(&database));
            if asked.await.unwrap() == 0 {
                return;
            }
        }
        panic!("the program is still at work:\n{}", self.printed());
    }

    /// Jobs that are being worked on.
    pub fn leased(&self) -> i64 {
        leased(&self.database)
    }

    /// What only time would do after a crash: the leases of the process that is gone run out.
    pub fn leases_run_out(&self) {
        let leased = "UPDATE task_queue SET lease_until = 1 WHERE lease_until IS NOT NULL";
        assert!(
            self.sql().execute(leased) > 0,
            "something was being worked on"
        );
    }

    /// Waits until the workspace's file has this many lines.
    pub async fn effects(&self, file: &str, lines: usize) {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        for _ in 0..6000 {
            looks.tick().await;
            if self
                .workspace_file(file)
                .is_some_and(|text| text.lines().count() == lines)
            {
                return;
            }
        }
        panic!(
            "{file} has {:?}\n{}",
            self.workspace_file(file),
            self.printed()
        );
    }

    /// Starts `countersign up` where that can't go well: what it says while it ends with status 1. It is one sentence.
    pub async fn refuses_to_start(&self) -> String {
        let (status, out, err) = self.run(&["up"]).await;
        assert_eq!(status, 1, "{out}\n{err}");
        assert!(
            !err.contains("panicked") && err.trim_end().lines().count() == 1,
            "{err}"
        );
        err
    }

    /// Runs a command to its end: status, stdout, stderr.
    pub async fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(arguments, "").await
    }

    /// The same with something on stdin.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes())
            .await
            .unwrap();
        drop(stdin);
        // Ten megabytes in one line take an unoptimised build some time.
        let output = tokio::time::timeout(Duration::from_secs(300), child.wait_with_output())
            .await
            .expect("the command ended")
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// Where a file is that is there in the only session's workspace.
    pub fn workspace_path(&self, name: &str) -> PathBuf {
        let sessions = std::fs::read_dir(self.home.path().join("data/workspaces")).unwrap();
        let mut paths = sessions
            .filter_map(Result::ok)
            .map(|session| session.path().join(name));
        paths.find(|path| path.exists()).unwrap()
    }

    /// A file of the only session's workspace.
    pub fn workspace_file(&self, name: &str) -> Option<String> {
        let sessions = std::fs::read_dir(self.home.path().join("data/workspaces")).ok()?;
        sessions
            .filter_map(Result::ok)
            .find_map(|session| std::fs::read_to_string(session.path().join(name)).ok())
    }
}

fn leased(database: &Database) -> i64 {
    database.number("SELECT count(*) FROM task_queue WHERE lease_until IS NOT NULL")
}

fn collect(stream: Option<impl AsyncRead + Unpin + Send + 'static>, output: watch::Sender<String>) {
    let Some(stream) = stream else { return };
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            output.send_modify(|output| {
                output.push_str(&line);
                output.push('\n');
            });
        }
    });
}

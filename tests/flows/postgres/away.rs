//! A PostgreSQL server that crashes, restarts, may only be read: really, not as it looks over a cut wire. Each test has a server of
//! its own, from `cargo xtask postgres`.

use super::super::{Program, Team};
use crate::database::Database;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use tests::servers::telegram::FakeTelegram;

/// Ends with the value.
struct Server {
    process: Child,
    /// Its end is the sign to stop.
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    url: String,
}

impl Server {
    fn start() -> Self {
        let xtask = std::env::var_os("COUNTERSIGN_TEST_XTASK")
            .expect("COUNTERSIGN_TEST_XTASK names no xtask: `cargo xtask test` says where it is");
        let mut process = Command::new(xtask)
            .arg("postgres")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let words = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut server = Self {
            process,
            words,
            answers,
            url: String::new(),
        };
        while server.url.is_empty() {
            let line = server.line();
            server.url = line.strip_prefix("ready ").unwrap_or_default().to_owned();
        }
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).unwrap();
        assert!(read > 0, "`cargo xtask postgres` ended");
        line.trim_end().to_owned()
    }

    /// Crash, stop, start; done when this is.
    fn is_told(&mut self, word: &str) {
        writeln!(self.words.as_mut().unwrap(), "{word}").unwrap();
        assert_eq!(self.line(), word);
    }

    /// A team whose program is on it.
    async fn team(&self) -> Team {
        let tg = FakeTelegram::start().await;
        let mut program = Program::new(&tg).on(Database::postgres_at(&self.url));
        program.up().await;
        Team::of(tg, program).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.words.take());
        self.process.wait().unwrap();
    }
}

/// A command that a person approved, in the middle of which the test is when this is done; `go` ends it, and then it leaves `gone`.
pub async fn begins(team: &Team, turn: usize) -> i64 {
    let told = format!(
        "run: echo once >> effects; until test -e go{turn}; do sleep 0.02; done; touch gone{turn}"
    );
    let asked = team.ann.send(&told);
    let card = team
        .ann
        .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
        .await
        .id;
    team.ann.tap(card, "Approve");
    team.program.effects("effects", turn).await;
    card
}

pub async fn ends(team: &Team, turn: usize) {
    let workspace = team.program.workspace_path("effects");
    std::fs::write(workspace.with_file_name(format!("go{turn}")), "").unwrap();
    team.program.effects(&format!("gone{turn}"), 0).await;
}

#[tokio::test]
async fn a_server_that_crashes_or_restarts_in_the_middle_of_a_run_loses_nothing() {
    let mut server = Server::start();
    let mut team = server.team().await;
    for (turn, how) in [(1, "crash"), (2, "stop")] {
        let card = begins(&team, turn).await;
        server.is_told(how);
        let asked = team.ann.send("/help");
        ends(&team, turn).await;
        server.is_told("start");
        team.ann
            .wait_for_message(|m| m.id > card && m.text.contains("run_command"))
            .await;
        team.ann
            .wait_for_message(|m| m.id > asked && m.is_bots() && m.text.contains("/approvals"))
            .await;
        team.program.quiet().await;
        let answers =
            team.ann.messages().into_iter().filter(|m| {
                m.id > card && m.is_bots() && !m.silent && m.text.contains("run_command")
            });
        assert_eq!((team.effects(), answers.count()), (turn, 1), "after {how}");
    }
    let (_, verified, _) = team.program.run(&["audit", "verify", "--json"]).await;
    assert!(verified.contains("\"ok\": true"), "{verified}");
    team.program.assert_well();
}

/// A minute: nobody waits longer for a database. What came of the command can't be written down, so the person is asked.
#[tokio::test]
async fn a_server_that_is_away_for_longer_than_anybody_waits() {
    let mut server = Server::start();
    let mut team = server.team().await;
    let card = begins(&team, 1).await;
    server.is_told("stop");
    ends(&team, 1).await;
    let asked = team.ann.send("/help");
    team.program.wait_for("cannot look for work").await;
    team.program.wait_for("postponed").await;
    server.is_told("start");
    team.ann
        .wait_for_message(|m| m.id > asked && m.is_bots() && m.text.contains("/approvals"))
        .await;
    let asked = team
        .ann
        .wait_for_message(|m| m.id > card && m.text.contains("Did it happen?"))
        .await;
    team.ann.tap(asked.id, "It happened");
    team.ann
        .wait_for_message(|m| m.id > asked.id && m.is_bots() && !m.silent)
        .await;
    team.program.quiet().await;
    assert_eq!(team.effects(), 1);
    team.program.assert_well();
}

#[tokio::test]
async fn who_is_to_stop_does_not_wait_for_a_server_that_is_away() {
    let mut server = Server::start();
    let mut team = server.team().await;
    let card = begins(&team, 1).await;
    server.is_told("stop");
    assert_eq!(team.program.terminate().await, Some(0));
    server.is_told("start");
    team.program.leases_run_out();
    team.program.up().await;
    let asked = team
        .ann
        .wait_for_message(|m| m.id > card && m.text.contains("Did it happen?"))
        .await;
    team.ann.tap(asked.id, "It happened");
    team.ann
        .wait_for_message(|m| m.id > asked.id && m.is_bots() && !m.silent)
        .await;
    assert_eq!(team.effects(), 1);
    team.program.quiet().await;
    team.program.assert_well();
}

#[tokio::test]
async fn a_server_that_may_only_be_read_is_said_and_work_goes_on_when_it_may_be_written() {
    let server = Server::start();
    let mut team = server.team().await;
    team.ask("run: echo before", "before").await;
    team.program.quiet().await;
    let only_read = |on: &str| {
        let sql = team.program.sql();
        sql.execute(&format!(
            "ALTER SYSTEM SET default_transaction_read_only = {on}"
        ));
        sql.execute("SELECT pg_reload_conf()");
    };
    only_read("on");
    let asked = team.ann.send("run: echo while it is read-only");
    let said = team.program.wait_for("may only be read").await;
    assert!(said.contains("name the primary server"), "{said}");
    let (status, _, refused) = team.program.run(&["up"]).await;
    assert!(
        status == 1 && refused.contains("may only be read"),
        "{refused}"
    );
    only_read("off");
    team.ann
        .wait_for_message(|m| m.id > asked && !m.silent && m.text.contains("while it is read-only"))
        .await;
    team.program.assert_well();
}

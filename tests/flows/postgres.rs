//! What only a server's database has: it goes away while the program works, answers get lost, and a team moves to it and back. (The
//! other conversations go through with it as well: `cargo xtask test` plays many of them a second time, `race` with two
//! processes among them.)

mod away;
pub mod aws;
mod clocks;

use super::{Program, Team, backup};
use crate::database::{Database, postgres_server};
use std::path::Path;
use tests::servers::{telegram::FakeTelegram, wire::Wire};

/// The server's host and port.
fn server() -> String {
    let url = postgres_server();
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split('/').next().unwrap().to_owned()
}

/// A team whose program reaches its database over a wire.
async fn wired() -> (Team, Wire) {
    let wire = Wire::to(&server()).await.unwrap();
    let tg = FakeTelegram::start().await;
    let mut program = Program::new(&tg).on(Database::postgres());
    let url = program
        .sql()
        .url()
        .unwrap()
        .replace(&server(), &wire.address());
    program.set("COUNTERSIGN_DATABASE_URL", &url);
    program.up().await;
    (Team::of(tg, program).await, wire)
}

#[tokio::test]
async fn the_database_is_away_while_a_command_runs() {
    let (mut team, wire) = wired().await;
    team.ann
        .send("run: echo once >> effects; until test -e go; do sleep 0.02; done");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.program.effects("effects", 1).await;
    wire.cut().await;
    let asked = team.ann.send("/help");
    let workspace = team.program.workspace_path("effects");
    std::fs::write(workspace.with_file_name("go"), "").unwrap();
    wire.mend();
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("run_command"))
        .await;
    team.ann
        .wait_for_message(|m| m.id > asked && m.is_bots() && m.text.contains("/approvals"))
        .await;
    assert_eq!(team.effects(), 1);
    assert!(
        !team
            .ann
            .messages()
            .iter()
            .any(|m| m.text.contains("Did it happen?"))
    );
    team.program.quiet().await;
    team.program.assert_well();
}

#[tokio::test]
async fn the_answer_to_every_third_commit_is_lost() {
    let (mut team, wire) = wired().await;
    wire.lose_answers_to(b"COMMIT", 3);
    for turn in 1..=3 {
        let asked = team.ann.send(&format!("run: echo {turn} >> effects"));
        let card = team
            .ann
            .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
            .await;
        team.ann.tap(card.id, "Approve");
        team.ann
            .wait_for_message(|m| m.id > card.id && m.is_bots() && !m.silent)
            .await;
    }
    team.program.quiet().await;
    assert_eq!(
        team.program.workspace_file("effects").as_deref(),
        Some("1\n2\n3\n")
    );
    let answers = team.ann.messages().into_iter().filter(|m| {
        m.is_bots()
            && !m.silent
            && m.button("Approve").is_none()
            && m.text.contains("echo 2 >> effects")
    });
    assert_eq!(answers.count(), 2, "its card, and one answer");
    assert!(wire.lost() > 3, "{}", wire.lost());
    let (_, verified, _) = team.program.run(&["audit", "verify", "--json"]).await;
    assert!(verified.contains("\"ok\": true"), "{verified}");
    team.program.assert_well();
}

#[tokio::test]
async fn a_team_moves_from_sqlite_to_postgres_and_back() {
    let mut saved = backup::saved().await;
    saved.team.program.kill().await;
    let before = backup::contents(Path::new(&saved.backup));
    let mut last = saved.backup.clone();
    for database in [Some(Database::postgres()), None] {
        let next = match database {
            Some(database) => backup::elsewhere(&saved).on(database),
            None => backup::elsewhere(&saved),
        };
        backup::done(&next, &["import", &last]).await;
        let verified = backup::done(&next, &["audit", "verify", "--json"]).await;
        assert!(verified.contains("\"ok\": true"), "{verified}");
        let copy = saved
            .team
            .program
            .home()
            .join(format!("copy-{}", last.len()));
        last = copy.to_str().unwrap().to_owned();
        backup::done(&next, &["export", &last]).await;
        assert!(before == backup::contents(&copy), "{last}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_told_of_without_the_password() {
    let mut program = Program::alone();
    let place = server();
    for (url, expected) in [
        (
            format!("postgres://nobody:hush-hush@{place}/postgres"),
            "check the user and the password",
        ),
        (
            format!("postgres://postgres:hush-hush@{place}/nowhere"),
            "createdb",
        ),
        (
            "postgres://a:hush-hush@127.0.0.1:1/x".to_owned(),
            "127.0.0.1:1",
        ),
    ] {
        program.set("COUNTERSIGN_DATABASE_URL", &url);
        let said = program.refuses_to_start().await;
        assert!(said.contains(expected) && !said.contains("hush"), "{said}");
        let (status, out, err) = program.run(&["doctor"]).await;
        assert!(status == 1 && out.contains(expected), "{out}");
        assert!(!out.contains("hush") && !err.contains("hush"), "{out}{err}");
        program.unset("COUNTERSIGN_DATABASE_URL");
    }
}

#[tokio::test]
async fn the_schema_is_looked_at_and_made() {
    let program = Program::alone().on(Database::postgres());
    let check = program.run(&["migrate", "--check"]).await;
    assert!(
        check.0 == 1 && check.1.contains("has no tables yet"),
        "{check:?}"
    );
    let (status, _, err) = program.run(&["export", "copy"]).await;
    assert!(status == 1 && err.contains("nothing to export"), "{err}");
    assert_eq!(program.run(&["migrate"]).await.0, 0);
    assert_eq!(program.run(&["migrate", "--check"]).await.0, 0);
    let (_, doctor, _) = program.run(&["doctor"]).await;
    assert!(doctor.contains("postgres://127.0.0.1"), "{doctor}");
    let newer = "INSERT INTO schema_migrations (id, name, digest) VALUES (99, '0099_later', 'd')";
    program.sql().execute(newer);
    let said = program.refuses_to_start().await;
    assert!(said.contains("newer version"), "{said}");
}

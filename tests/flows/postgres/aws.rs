//! A team that moves through all three databases and comes back as it was. And what a program on a table does when AWS goes away.

use super::{
    super::{
        Program, Team,
        backup::{self, done},
    },
    away::begins,
};
use crate::database::Database;
use archive_file::Line;
use ports::archive::Item;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};
use tests::servers::{telegram::FakeTelegram, wire::Wire};

const TABLE: &str = include_str!("../../../migrations/dynamodb/table.json");

/// The emulator's address.
pub fn emulator() -> String {
    std::env::var("COUNTERSIGN_TEST_AWS")
        .expect("COUNTERSIGN_TEST_AWS names no emulator: `cargo xtask test` starts one")
}

/// An empty table and an empty bucket, and what a program has to be told to use them.
pub struct Place {
    pub name: String,
}

impl Place {
    pub async fn make() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let name = format!("flow-{}-{}", std::process::id(), now.as_nanos());
        let mut table: Value = serde_json::from_str(TABLE).unwrap();
        let table = table.as_object_mut().unwrap();
        // Requests of their own.
        table.retain(|field, _| !field.ends_with("Specification"));
        table.insert("TableName".to_owned(), json!(name));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let made = client
            .post(emulator())
            .header("X-Amz-Target", "DynamoDB_20120810.CreateTable")
            .header("Content-Type", "application/x-amz-json-1.0")
            .body(json!(table).to_string())
            .send()
            .await
            .unwrap();
        assert!(made.status().is_success(), "{}", made.text().await.unwrap());
        let bucket = client.put(format!("{}/{name}", emulator()));
        assert!(bucket.send().await.unwrap().status().is_success());
        Self { name }
    }

    /// The program works here, and reaches AWS at that address.
    pub fn is_of(&self, program: &mut Program, endpoint: &str, audit_key: &str) {
        let database = format!("dynamodb://{}", self.name);
        for (name, value) in [
            ("COUNTERSIGN_DATABASE_URL", database.as_str()),
            ("COUNTERSIGN_BUCKET", &self.name),
            ("COUNTERSIGN_AUDIT_KEY", audit_key),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ] {
            program.set(name, value);
        }
    }
}

/// What is in a backup of each kind, at least.
fn is_rich(contents: &[Line]) -> bool {
    let kinds: [fn(&Line) -> bool; 5] = [
        |line| matches!(line, Line::Store(Item::Record { .. })),
        |line| matches!(line, Line::Store(Item::Entry { .. })),
        |line| matches!(line, Line::Store(Item::Job(_))),
        |line| matches!(line, Line::Blob { .. }),
        |line| matches!(line, Line::File { .. }),
    ];
    kinds.iter().all(|kind| contents.iter().any(kind))
}

#[tokio::test]
async fn a_team_moves_through_all_three_and_is_back_where_it_was() {
    let mut saved = backup::saved().await;
    saved.team.program.kill().await;
    let home = saved.team.program.home();
    let before = backup::contents(Path::new(&saved.backup));
    assert!(is_rich(&before), "{:?}", before.len());
    let audit_key = fs::read_to_string(home.join("data/audit.key")).unwrap();
    let place = Place::make().await;
    let mut on_table = backup::elsewhere(&saved);
    place.is_of(&mut on_table, &emulator(), audit_key.trim());
    let on_server = backup::elsewhere(&saved).on(Database::postgres());
    // Back in the directory of the beginning, which was moved away.
    fs::rename(home.join("data"), home.join("old")).unwrap();
    fs::create_dir(home.join("data")).unwrap();
    fs::copy(home.join("old/audit.key"), home.join("data/audit.key")).unwrap();
    let mut last = saved.backup.clone();
    for (number, next) in [&on_table, &on_server, &saved.team.program]
        .into_iter()
        .enumerate()
    {
        done(next, &["import", &last]).await;
        let verified = done(next, &["audit", "verify", "--json"]).await;
        assert!(verified.contains("\"ok\": true"), "{verified}");
        let copy = home.join(format!("copy-{number}"));
        last = copy.to_str().unwrap().to_owned();
        done(next, &["export", &last]).await;
        assert!(before == backup::contents(&copy), "{last}");
        let (status, _, err) = next.run(&["import", &last]).await;
        assert!(
            status == 1 && err.contains("in the database already"),
            "{err}"
        );
    }
    saved.team.program.up().await;
    saved.team.ann.tap(saved.card, "Approve");
    saved
        .team
        .ann
        .wait_for_message(|m| m.id > saved.card && m.text.contains("once >> effects"))
        .await;
    assert_eq!(saved.team.effects(), 1);
    saved.team.program.assert_well();
}

#[tokio::test]
async fn who_is_to_stop_does_not_wait_for_an_aws_that_is_away() {
    let emulator = emulator();
    let wire = Wire::to(emulator.trim_start_matches("http://"))
        .await
        .unwrap();
    let endpoint = format!("http://{}", wire.address());
    let tg = FakeTelegram::start().await;
    let place = Place::make().await;
    let mut program = Program::new(&tg);
    place.is_of(&mut program, &endpoint, "the-key-of-its-audit");
    program.up().await;
    let mut team = Team::of(tg, program).await;
    begins(&team, 1).await;
    let mut worker = Program::worker(&[]);
    place.is_of(&mut worker, &endpoint, "the-key-of-its-audit");
    worker.up().await;
    wire.cut().await;
    assert_eq!(worker.terminate().await, Some(0));
    assert_eq!(team.program.terminate().await, Some(0));
}

//! The audit: what was done is in it, and whoever changes a row afterwards is found.

use super::{Program, Team};
use serde_json::Value;

async fn verify(program: &Program) -> (i32, Value, String) {
    let (status, text, _) = program.run(&["audit", "verify"]).await;
    let (again, json, err) = program.run(&["audit", "verify", "--json"]).await;
    assert_eq!(status, again, "{err}");
    (status, serde_json::from_str(&json).unwrap(), text)
}

/// Three runs, one of them with a decision, sealed.
async fn history() -> Team {
    let mut team = Team::start().await;
    team.ask("run: echo one", "one").await;
    team.ann.send("run: echo once >> effects");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains("once >> effects"))
        .await;
    team.ask("run: echo three", "three").await;
    let listed = team.ask("/audit", "approval").await;
    assert!(
        listed.contains("Ann") || listed.contains("telegram:1001"),
        "who decided: {listed}"
    );
    team.program.quiet().await;
    team.program.kill().await;
    let (status, out, err) = team.program.run(&["audit", "seal"]).await;
    assert_eq!(status, 0, "{out}\n{err}");
    team
}

#[tokio::test]
async fn an_untouched_audit_holds() {
    let team = history().await;
    let (status, found, text) = verify(&team.program).await;
    assert_eq!((status, &found["ok"]), (0, &Value::Bool(true)), "{text}");
    assert!(
        found["entries"].as_u64().unwrap() > 5 && found["seals"].as_u64().unwrap() >= 1,
        "{found}"
    );
    assert!(
        text.contains("The audit is whole") && text.contains("It holds up to"),
        "{text}"
    );
    let (_, list, _) = team.program.run(&["audit", "list"]).await;
    for action in ["approval.", "call.", "member.joined"] {
        assert!(list.contains(action), "{action} in\n{list}");
    }
}

/// What somebody with the database may do, and where it is found.
#[tokio::test]
async fn a_row_that_is_changed_removed_reordered_or_added_is_found_and_named() {
    let team = history().await;
    let (stream, seq): (String, i64) = team
        .program
        .sqlite()
        .query_row(
            "SELECT id, seq FROM audit_logs WHERE id LIKE '%run:%' AND seq > 0 ORDER BY at LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let name = &stream[stream.find("run:").unwrap()..];
    let here = format!("id = '{stream}' AND seq = {seq}");
    let tampering = [
        format!(
            "UPDATE audit_logs SET entry = json_set(entry, '$.deeds[0].actor', 'member:nobody') WHERE {here}"
        ),
        format!("DELETE FROM audit_logs WHERE {here}"),
        format!("DELETE FROM audit_logs WHERE id = '{stream}'"),
        format!(
            "UPDATE audit_logs SET entry = (SELECT entry FROM audit_logs other WHERE other.id = '{stream}' AND other.seq = {seq} - 1) WHERE {here}"
        ),
        "DELETE FROM audit_seals".to_owned(),
        "UPDATE audit_seals SET entry = json_set(entry, '$.at', 1)".to_owned(),
    ];
    let clean = std::fs::read(checkpointed(&team.program)).unwrap();
    for statement in tampering {
        let changed = team.program.sqlite().execute(&statement, []).unwrap();
        assert!(changed > 0, "{statement}");
        let (status, found, text) = verify(&team.program).await;
        assert_eq!(
            (status, &found["ok"]),
            (1, &Value::Bool(false)),
            "{statement}:\n{text}"
        );
        assert!(
            text.contains("tampered") && (text.contains(name) || statement.contains("seals")),
            "where: {statement}:\n{text}"
        );
        checkpointed(&team.program);
        std::fs::write(team.program.database(), &clean).unwrap();
    }
    let (status, _, text) = verify(&team.program).await;
    assert_eq!(status, 0, "as it was: {text}");
}

/// The database's file, with everything of its log in it and without one.
fn checkpointed(program: &Program) -> std::path::PathBuf {
    let database = program.sqlite();
    database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(database);
    program.database()
}

#[tokio::test]
async fn seals_made_with_another_key_are_found() {
    let team = history().await;
    std::fs::write(
        team.program.home().join("data/audit.key"),
        "another key, which is long enough",
    )
    .unwrap();
    let (status, found, text) = verify(&team.program).await;
    assert_eq!((status, &found["ok"]), (1, &Value::Bool(false)), "{text}");
    assert!(
        text.contains("another key") && found["holds_until"].is_null(),
        "{text}"
    );
}

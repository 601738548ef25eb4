//! No key leaves the process but to whom it belongs: not into the database, files, logs, prompts, sandboxes or messages.

use super::{Team, team::KEY};
use serde_json::json;
use std::path::{Path, PathBuf};
use tests::servers::model::{Asked, Dialect, Reply, Script};

/// Runs `env`, and reads where a key could be.
fn curious(asked: &Asked) -> Reply {
    match asked.calls() {
        0 => Reply::calls([(
            "run_command",
            json!({"command": "env; cat /proc/self/environ /proc/1/environ; cat ../../audit.key"}),
        )]),
        1 => Reply::calls([("read_file", json!({"path": "../../audit.key"}))]),
        _ => Reply::text(&asked.results().join("\n")),
    }
}

#[tokio::test]
async fn no_secret_is_anywhere_but_where_it_belongs() {
    let script = Script::answering(curious);
    let model = tests::servers::model::FakeModel::start_with_key(script, KEY)
        .await
        .unwrap();
    let url = model.url();
    let mut team = Team::with(&[
        ("ANTHROPIC_API_KEY", KEY),
        ("ANTHROPIC_BASE_URL", &url),
        ("COUNTERSIGN_LOG", "trace"),
    ])
    .await;
    team.ann.send("What is in the environment?");
    let card = team.ann.wait_for_button("Approve").await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && !m.silent && m.buttons().is_empty())
        .await;
    let (_, doctor, err) = team.program.run(&["doctor", "--json"]).await;
    team.program.quiet().await;
    team.program.kill().await;

    let token = team.tg.token().to_owned();
    let secret_half = token.split(':').nth(1).unwrap();
    let audit_key = std::fs::read_to_string(team.program.home().join("data/audit.key")).unwrap();
    let secrets = [KEY, secret_half, audit_key.trim()];
    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    places.push((
        "what it printed at level trace".to_owned(),
        team.program.printed().into_bytes(),
    ));
    places.push(("doctor".to_owned(), (doctor + &err).into_bytes()));
    places.push(("the chats".to_owned(), team.tg.transcript().into_bytes()));
    for request in team.tg.requests() {
        places.push((
            format!("{} to Telegram", request.method),
            request.params.to_string().into_bytes(),
        ));
    }
    for request in model.requests() {
        places.push((
            "a request's body to the model".to_owned(),
            request.body.to_vec(),
        ));
    }
    for path in files(&team.program.home()) {
        if !path.ends_with("audit.key") {
            places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    assert!(
        places
            .iter()
            .any(|(place, _)| place.ends_with("countersign.db"))
            && places.len() > 10
    );
    for (place, bytes) in &places {
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{place} holds {}…", &secret[..4]);
        }
    }
    let keys = model.requests().iter().all(|request| {
        request
            .headers
            .get("x-api-key")
            .is_some_and(|key| key == KEY)
    });
    assert!(keys, "the model's server gets its key in the header");
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    entries
        .flat_map(|entry| {
            if entry.path().is_dir() {
                files(&entry.path())
            } else {
                vec![entry.path()]
            }
        })
        .collect()
}

/// At the level that people run it with, texts and arguments stay out of the log too.
#[tokio::test]
async fn logs_hold_no_texts_at_info() {
    let (mut team, _model) = Team::with_model(
        Dialect::OpenAi,
        Script::queue([Reply::status(500), Reply::text("A private answer.")]),
    )
    .await;
    team.ask("A private question", "A private answer").await;
    team.ask("/xyzzy", "no /xyzzy").await;
    for text in ["private", "xyzzy"] {
        assert!(
            !team.program.printed().contains(text),
            "{}",
            team.program.printed()
        );
    }
    team.program.assert_well();
}

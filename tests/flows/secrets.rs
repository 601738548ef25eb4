//! No key leaves the process but to whom it belongs: not into the database, files, logs, prompts, sandboxes or messages.

use super::{Program, Team, team::KEY};
use serde_json::json;
use std::path::{Path, PathBuf};
use tests::servers::model::{Asked, Dialect, FakeModel, Reply, Script};

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
    let model = FakeModel::start_with_key(script, KEY).await.unwrap();
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
    let mut places = places(&team, &model, &["audit.key"]);
    places.push(("doctor".to_owned(), (doctor + &err).into_bytes()));
    none_holds(&places, &[KEY, secret_half, audit_key.trim()]);
    let keys = model.requests().iter().all(|request| {
        request
            .headers
            .get("x-api-key")
            .is_some_and(|key| key == KEY)
    });
    assert!(keys, "the model's server gets its key in the header");
}

/// Everything that was kept, printed and sent, but files that end like this.
fn places(team: &Team, model: &FakeModel, but: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    places.push((
        "what it printed at level trace".to_owned(),
        team.program.printed().into_bytes(),
    ));
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
        if !but.iter().any(|name| path.ends_with(name)) {
            places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    assert!(
        places
            .iter()
            .any(|(place, _)| place.ends_with("countersign.db"))
            && places.len() > 10
    );
    places
}

fn none_holds(places: &[(String, Vec<u8>)], secrets: &[&str]) {
    for (place, bytes) in places {
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{place} holds {}…", &secret[..4]);
        }
    }
}

/// The value that a person asked to keep.
const DEPLOY: &str = "hunter2/\"deploy\"+correct horse";

/// Looks where a tool finds it, then says it aloud, then is refused with it.
fn loose(asked: &Asked) -> Reply {
    match asked.last_user() {
        prompt if prompt.contains("look") && asked.calls() == 0 => Reply::calls([(
            "run_command",
            json!({"command": format!("cat deploy.env; base64 deploy.env; echo '{DEPLOY}'")}),
        )]),
        prompt if prompt.contains("look") => Reply::text(&format!(
            "I was told {DEPLOY} and saw {:?}. That is all.",
            asked.results()
        ))
        .in_pieces(3),
        prompt if prompt.contains("fail") => {
            Reply::status(401).saying(&format!("no such key: {DEPLOY}"))
        }
        _ => Reply::text("Hello."),
    }
}

#[tokio::test]
async fn what_a_person_kept_secret_is_redacted_everywhere() {
    let script = Script::answering(loose);
    let model = FakeModel::start_with_key(script, KEY).await.unwrap();
    let mut team = Team::with(&[
        ("ANTHROPIC_API_KEY", KEY),
        ("ANTHROPIC_BASE_URL", &model.url()),
        ("COUNTERSIGN_LOG", "trace"),
        ("COUNTERSIGN_SECRETS_KEY", "the-key-of-the-flows-secrets"),
        ("COUNTERSIGN_SECRET_OTHER", "another value 4711"),
    ])
    .await;
    team.ask("hi", "Hello").await;
    std::fs::write(
        team.program.workspace_path("").join("deploy.env"),
        format!("KEY={DEPLOY}\n"),
    )
    .unwrap();
    team.program.terminate().await;
    let set = team
        .program
        .run_with(&["secrets", "set", "DEPLOY"], &format!("{DEPLOY}\n"))
        .await;
    assert!(set.0 == 0 && set.1.contains("[secret:DEPLOY]"), "{set:?}");
    let (_, listed, _) = team.program.run(&["secrets", "list"]).await;
    insta::assert_snapshot!(listed, @r"
    NAME                FROM
    DEPLOY              file
    OTHER               configuration
    anthropic.api_key   configuration
    secrets_key         configuration
    telegram.bot_token  configuration
    ");
    team.program.up().await;

    team.ann.send(&format!(
        "My key is {DEPLOY} and another value 4711: look at it."
    ));
    let card = team.ann.wait_for_button("Approve").await;
    assert!(
        card.text.contains("echo '[secret:DEPLOY]'"),
        "{}",
        card.text
    );
    team.ann.tap(card.id, "Approve");
    let answer = team.ann.wait_for_text("That is all").await;
    assert!(
        answer
            .text
            .contains("I was told [secret:DEPLOY] and saw [\"KEY=[secret:DEPLOY]"),
        "{}",
        answer.text
    );
    let failed = team.ask("fail", "could not finish").await;
    assert!(failed.contains("no such key: [secret:DEPLOY]"), "{failed}");
    let (status, ..) = team.program.run(&["audit", "verify"]).await;
    assert_eq!(status, 0, "the audit holds");
    team.program.quiet().await;
    team.program.kill().await;
    let escaped = serde_json::to_string(DEPLOY).unwrap();
    let secrets = [DEPLOY, escaped.trim_matches('"'), "another value 4711"];
    // What Telegram itself shows of what Ann wrote is not ours to change; what we send it is.
    none_holds(&places(&team, &model, &["deploy.env"]), &secrets);
}

#[tokio::test]
async fn a_file_of_secrets_is_looked_after() {
    let mut program = Program::alone();
    let refused = program
        .run_with(&["secrets", "set", "A"], "a value of some length")
        .await;
    assert!(
        refused.0 == 1 && refused.2.contains("COUNTERSIGN_SECRETS_KEY"),
        "{refused:?}"
    );
    program.set("COUNTERSIGN_SECRETS_KEY", "the-key-of-the-flows-secrets");
    let set = program
        .run_with(&["secrets", "set", "A"], "a value of some length")
        .await;
    assert_eq!(set.0, 0, "{set:?}");
    let short = program.run_with(&["secrets", "set", "PIN"], "1234").await;
    assert!(short.1.contains("NOT redacted"), "{short:?}");
    for (arguments, value) in [
        (["secrets", "set", "a b"], "value"),
        (["secrets", "set", "B"], " \n"),
    ] {
        assert_eq!(program.run_with(&arguments, value).await.0, 2);
    }
    // What records are read by, and who is named like this.
    for word in ["operator", "assistant"] {
        let refused = program.run_with(&["secrets", "set", "WORD"], word).await;
        assert!(
            refused.0 == 1 && refused.2.contains("could not be read again"),
            "{refused:?}"
        );
        assert!(!refused.2.contains(word), "{refused:?}");
    }
    assert_eq!(program.run(&["secrets", "remove", "PIN"]).await.0, 0);
    assert_eq!(program.run(&["secrets", "remove", "PIN"]).await.0, 1);
    // A word that holds it is refused where it would break the audit's chain, and the sentence doesn't repeat it.
    let rule = [
        "rules",
        "add",
        "allow",
        "shell_exec",
        "echo a value of some length",
    ];
    let refused = program.run(&rule).await;
    assert!(
        refused.0 == 1 && !refused.2.contains("some length"),
        "{refused:?}"
    );
    let path = program.home().join("data/secrets.json");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let (status, _, error) = program.run(&["runs"]).await;
    assert!(
        status == 1 && error.contains("mode 644") && error.contains("chmod 600"),
        "{error}"
    );
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    program.unset("COUNTERSIGN_SECRETS_KEY");
    let (status, _, error) = program.run(&["runs"]).await;
    assert!(
        status == 1 && error.contains("set COUNTERSIGN_SECRETS_KEY"),
        "{error}"
    );
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

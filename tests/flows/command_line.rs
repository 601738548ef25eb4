//! The command line: every command with what it prints for people, what it prints for programs, and its exit status.

use super::{Program, Team, team::short_id};
use serde_json::Value;
use tests::servers::telegram::User;

async fn json(program: &Program, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let (status, out, err) = program.run(&arguments).await;
    assert_eq!(status, 0, "{arguments:?}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{out}"))
}

/// The one sentence that a command ends with.
async fn refused(program: &Program, arguments: &[&str], expected: i32) -> String {
    let (status, out, err) = program.run(arguments).await;
    assert_eq!(
        (status, out.as_str()),
        (expected, ""),
        "{arguments:?}: {err}"
    );
    assert!(
        err.starts_with("countersign: ") && !err.contains("panicked"),
        "{arguments:?}: {err}"
    );
    err
}

#[tokio::test]
async fn agents_are_made_shown_changed_and_deleted() {
    let program = Program::alone();
    json(&program, &["knowledge", "create", "k1"]).await;
    let prompt = "You look around.\nYou touch nothing.";
    let made = program.run_with(
        &[
            "agents",
            "create",
            "scout",
            "--description",
            "Looks around",
            "--prompt-file",
            "-",
            "--preset",
            "read-only",
            "--model",
            "rehearsal/rehearsal",
            "--skill",
            "maps",
            "--knowledge",
            "k1",
            "--metadata",
            "{\"team\":\"north\"}",
        ],
        prompt,
    );
    let (status, out, err) = made.await;
    assert_eq!(status, 0, "{out}\n{err}");
    let scout = json(&program, &["agents", "show", "scout"]).await;
    for (field, expected) in [
        ("name", "scout"),
        ("description", "Looks around"),
        ("system_prompt", prompt),
        ("provider", "rehearsal"),
        ("model", "rehearsal"),
        ("status", "active"),
    ] {
        assert_eq!(scout[field], expected, "{field}");
    }
    for field in [
        "id",
        "skills",
        "knowledge_ids",
        "permissions",
        "metadata",
        "created_at",
        "updated_at",
    ] {
        assert!(!scout[field].is_null(), "{field} of {scout}");
    }
    assert_eq!(
        (&scout["metadata"]["team"], &scout["skills"][0]),
        (&"north".into(), &"maps".into())
    );

    json(
        &program,
        &[
            "agents",
            "set",
            "scout",
            "--rename",
            "ranger",
            "--preset",
            "ask-first",
        ],
    )
    .await;
    assert!(program.run(&["agents", "list"]).await.1.contains("ranger"));
    let (status, out, _) = program
        .run(&["ask", "--agent", "ranger", "run: echo hi from ranger"])
        .await;
    assert_eq!((status, out.contains("hi from ranger")), (0, true), "{out}");
    json(&program, &["agents", "pause", "ranger"]).await;
    assert!(
        refused(&program, &["ask", "--agent", "ranger", "run: ls"], 1)
            .await
            .contains("paused")
    );
    json(&program, &["agents", "archive", "ranger"]).await;
    assert!(!program.run(&["agents", "list"]).await.1.contains("ranger"));
    assert!(
        program
            .run(&["agents", "list", "--all"])
            .await
            .1
            .contains("ranger")
    );
    json(&program, &["agents", "delete", "ranger"]).await;
    assert!(
        refused(&program, &["agents", "show", "ranger"], 1)
            .await
            .contains("agents list")
    );
    refused(
        &program,
        &["agents", "create", "x", "--preset", "godlike"],
        2,
    )
    .await;
    refused(&program, &["agents", "create", "x", "--metadata", "[1"], 2).await;
    refused(&program, &["agents", "create", "coder"], 1).await;
    refused(&program, &["agents", "set", "coder"], 2).await;
}

#[tokio::test]
async fn ask_answers_denied_and_failed_by_its_status() {
    let program = Program::alone();
    let (status, out, _) = program.run(&["ask", "run: echo yes"]).await;
    assert_eq!((status, out.contains("yes")), (0, true));
    let (status, _, err) = program
        .run(&["ask", "--wait", "1", "run: touch effects"])
        .await;
    assert_eq!(status, 4, "it stays parked: {err}");
    assert!(
        err.contains("touch effects") && err.contains("still waits"),
        "the card is shown: {err}"
    );
    json(&program, &["rules", "add", "deny shell_exec touch *"]).await;
    let (status, out, err) = program.run(&["ask", "run: touch effects"]).await;
    assert!(
        out.contains("deny shell_exec") || err.contains("deny shell_exec"),
        "{status}: {out}\n{err}"
    );
    refused(&program, &["ask", "--agent", "nobody", "hello"], 1).await;
    refused(
        &program,
        &["ask", "--workspace", "/nonexistent", "hello"],
        2,
    )
    .await;
    let (status, _, err) = program.run(&["fly"]).await;
    assert_eq!(status, 2, "{err}");
}

#[tokio::test]
async fn a_call_that_somebody_denies_meanwhile_ends_ask_with_status_3() {
    let mut program = Program::alone();
    program.up().await;
    let asking = async { program.run(&["ask", "--json", "run: touch effects"]).await };
    let denying = async {
        loop {
            let waiting = json(&program, &["approvals", "list"]).await;
            if let Some(id) = waiting[0]["id"].as_str() {
                let shown = program.run(&["approvals", "show", id]).await.1;
                assert!(
                    shown.contains("touch effects") && shown.contains("Impact"),
                    "{shown}"
                );
                return json(&program, &["approvals", "deny", &id[26..], "not", "now"]).await;
            }
        }
    };
    let ((status, out, err), denied) = tokio::join!(asking, denying);
    assert_eq!(denied["approval"]["reason"], "not now");
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status, 3, "{value}\n{err}");
    let journal = program
        .run(&["runs", "journal", value["run"].as_str().unwrap()])
        .await
        .1;
    for event in [
        "started",
        "model_asked",
        "model_replied",
        "call_proposed",
        "approval_asked",
        "approval_decided",
        "finished",
    ] {
        assert!(journal.contains(event), "{event} in\n{journal}");
    }
    assert!(journal.contains("not now"));
}

#[tokio::test]
async fn a_workspace_of_ones_own_is_worked_in_and_kept() {
    let program = Program::alone();
    let own = tempfile::tempdir().unwrap();
    std::fs::write(own.path().join("notes.md"), "buy milk").unwrap();
    let path = own.path().to_str().unwrap();
    let (status, out, err) = program
        .run(&["ask", "--workspace", path, "read: notes.md"])
        .await;
    assert_eq!(
        (status, out.contains("buy milk")),
        (0, true),
        "{out}\n{err}"
    );
    assert!(own.path().join("notes.md").exists());
}

#[tokio::test]
async fn rules_are_added_listed_and_removed() {
    let program = Program::alone();
    let (status, out, err) = program
        .run(&["rules", "add", "allow", "shell_exec", "touch *"])
        .await;
    assert_eq!(status, 0, "{err}");
    let id = short_id(&out.replace(':', " "));
    assert!(
        program
            .run(&["rules", "list"])
            .await
            .1
            .contains("allow shell_exec “touch *”")
    );
    let (status, out, err) = program.run(&["ask", "run: touch effects"]).await;
    assert_eq!(status, 0, "a rule allows it: {out}\n{err}");
    let (status, out, err) = program.run(&["rules", "remove", &id]).await;
    assert_eq!((status, out.contains("touch *")), (0, true), "{err}");
    assert_eq!(
        json(&program, &["rules", "list"]).await,
        serde_json::json!([])
    );
    refused(&program, &["rules", "remove", &id], 1).await;
    refused(
        &program,
        &["rules", "add", "perhaps", "shell_exec", "ls"],
        2,
    )
    .await;
}

#[tokio::test]
async fn pair_makes_a_link_that_works_once() {
    let team = Team::start().await;
    let made = json(&team.program, &["pair", "--role", "operator"]).await;
    assert!(
        made["link"]
            .as_str()
            .unwrap()
            .starts_with("https://t.me/fake_test_bot?start=")
    );
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {}", made["code"].as_str().unwrap()));
    bob.wait_for_text("an operator").await;
    let alone = Program::alone();
    let (status, out, _) = alone.run(&["pair"]).await;
    assert_eq!(status, 0);
    assert!(
        out.contains("/start ") && out.contains("TELEGRAM_BOT_TOKEN"),
        "{out}"
    );
}

#[tokio::test]
async fn migrate_looks_first_and_then_does_it() {
    let program = Program::alone();
    let (status, out, _) = program.run(&["migrate", "--check"]).await;
    assert_eq!(
        (status, out.contains("has no tables yet")),
        (1, true),
        "{out}"
    );
    assert!(!program.database().exists(), "looking makes nothing");
    let (status, out, _) = program.run(&["migrate"]).await;
    assert_eq!(
        (status, out.contains("was brought to schema")),
        (0, true),
        "{out}"
    );
    let (status, out, _) = program.run(&["migrate", "--check"]).await;
    assert_eq!((status, out.contains("up to date")), (0, true), "{out}");
}

#[tokio::test]
async fn doctor_tells_what_is_where_it_comes_from_and_what_to_do() {
    let team = Team::start().await;
    let found = json(&team.program, &["doctor"]).await;
    let checks: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["what"].as_str())
        .collect();
    for what in [
        "data", "database", "model", "sandbox", "telegram", "updates", "port",
    ] {
        assert!(checks.contains(&what), "{what} in {checks:?}");
    }
    let (_, out, _) = team.program.run(&["doctor"]).await;
    assert!(
        out.contains("TELEGRAM_BOT_TOKEN") && out.contains("@fake_test_bot"),
        "{out}"
    );
    assert!(
        !out.contains(team.tg.token().split(':').nth(1).unwrap()),
        "no secret is shown: {out}"
    );
    let mut broken = Program::alone();
    broken.set("OPENAI_BASE_URL", "http://127.0.0.1:9");
    broken.set("COUNTERSIGN_SANDBOX", "off");
    let (status, out, _) = broken.run(&["doctor"]).await;
    assert_eq!(
        (status, out.contains("check OPENAI_API_KEY")),
        (1, true),
        "{out}"
    );
    assert!(out.contains("commands are refused"), "{out}");
}

#[tokio::test]
async fn a_configuration_that_is_wrong_is_one_sentence() {
    let wrong = [
        ("COUNTERSIGN_LISTEN", "everywhere", "COUNTERSIGN_LISTEN"),
        ("COUNTERSIGN_MODEL", "nonsense", "provider/model"),
        ("COUNTERSIGN_SANDBOX", "maybe", "bubblewrap"),
        ("COUNTERSIGN_MAX_STEPS", "many", "whole number"),
        ("TELEGRAM_BOT_TOKEN", "no token", "@BotFather"),
        (
            "COUNTERSIGN_DATABASE_URL",
            "postgres://x",
            "postgres://user",
        ),
        ("COUNTERSIGN_MODEL", "anthropic/claude", "ANTHROPIC_API_KEY"),
    ];
    for (name, value, expected) in wrong {
        let mut program = Program::alone();
        program.set(name, value);
        let said = program.refuses_to_start().await;
        assert!(said.contains(expected), "{name}={value}: {said}");
    }
    let program = Program::alone();
    let file = program.home().join("countersign.toml");
    std::fs::write(&file, "[telegram]\nbot_tokn = \"x\"\n").unwrap();
    let said = refused(
        &program,
        &["--config", file.to_str().unwrap(), "agents", "list"],
        1,
    )
    .await;
    assert!(
        said.contains("bot_tokn") && said.contains("bot_token"),
        "{said}"
    );
}

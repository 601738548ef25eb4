use super::*;
use crate::config::{self, Environment, Places};
use ports::Secret;
use secrecy::SecretString;
use std::{os::unix::fs::PermissionsExt, path::Path};

fn configured(home: &Path, variables: &[(&str, &str)]) -> Config {
    let own = [
        ("COUNTERSIGN_HOME", home.to_str().unwrap()),
        ("OLLAMA_HOST", "http://127.0.0.1:9"),
    ];
    let environment: Environment = own
        .iter()
        .chain(variables)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let places = Places {
        file: None,
        directory: home.parent().unwrap().to_owned(),
        environment,
        root: false,
    };
    config::load(&places).unwrap()
}

async fn refused(config: Config) -> String {
    match Local::open(config).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.0,
    }
}

#[tokio::test]
async fn the_first_start_makes_what_is_needed_and_a_second_process_finds_it() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("data");
    let (one, two) = tokio::join!(
        Local::open(configured(&home, &[])),
        Local::open(configured(&home, &[]))
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.owner, two.owner);
    let names: Vec<String> = agents::list(&two.home, false)
        .await
        .unwrap()
        .into_iter()
        .map(|agent| agent.name)
        .collect();
    assert_eq!(names, ["assistant", "coder", "designer"]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(one.config.database.file().unwrap()), 0o600);
    assert_eq!(mode(&home) & 0o066, 0, "nobody else can list or read it");
}

#[tokio::test]
async fn the_audit_key_is_made_once_beside_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("data");
    let local = Local::open(configured(&home, &[])).await.unwrap();
    let key = directory::audit_key(&local.config, &SystemChance).unwrap();
    assert_eq!(
        directory::audit_key(&local.config, &SystemChance).unwrap(),
        key
    );
    assert!(key.len() >= 24);
    let set = configured(&home, &[("COUNTERSIGN_AUDIT_KEY", "0123456789abcdef")]);
    assert_eq!(
        &*directory::audit_key(&set, &SystemChance).unwrap(),
        b"0123456789abcdef"
    );
}

#[tokio::test]
async fn limits_of_the_configuration_become_those_of_runs() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("data");
    let local = Local::open(configured(&home, &[("COUNTERSIGN_MAX_STEPS", "7")]))
        .await
        .unwrap();
    let setting = repo::get::<Setting>(&*local.home.store, &local.home.team, "limits")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(setting.value.value["steps"], 7);
    // Who says nothing changes nothing.
    Local::open(configured(&home, &[])).await.unwrap();
    let again = repo::get::<Setting>(&*local.home.store, &local.home.team, "limits")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again, setting);
}

#[tokio::test]
async fn a_secret_that_would_take_records_with_it_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("data");
    for word in [
        "operator",
        "approval",
        "telegram",
        "run_command",
        "development",
    ] {
        let error = refused(configured(&home, &[("COUNTERSIGN_SECRET_WORD", word)])).await;
        assert!(
            error.contains("“WORD”") && error.contains("could not be read again"),
            "{error}"
        );
        assert!(!error.contains(word), "{error}");
    }
    let local = Local::open(configured(&home, &[])).await.unwrap();
    let new = agents::Change {
        name: Some("night-watch".to_owned()),
        ..Default::default()
    };
    commit_with(&local.home, async || {
        agents::create(&local.home, &local.owner, new.clone()).await
    })
    .await
    .unwrap();
    // Of an agent's name a part is enough.
    let config = configured(&home, &[("COUNTERSIGN_SECRET_NAME", "ight-watc")]);
    let error = refused(config.clone()).await;
    assert!(error.contains("“NAME”"), "{error}");
    let secret = |value: &str| Secret {
        name: "NEW".to_owned(),
        value: SecretString::from(value.to_owned()),
    };
    let plain = configured(&home, &[]);
    let error = secrets::refuse_new(&plain, secret("night-watch")).await;
    assert!(error.unwrap_err().0.contains("“NEW”"));
    secrets::refuse_new(&plain, secret("night-watch-4711"))
        .await
        .unwrap();
}

#[tokio::test]
async fn bad_starts_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let error = refused(configured(&file, &[])).await;
    assert!(
        error.contains("is not writable") && error.contains("COUNTERSIGN_HOME"),
        "{error}"
    );

    let home = directory.path().join("data");
    let error = refused(configured(
        &home,
        &[("COUNTERSIGN_DATABASE_URL", "absent/x.db")],
    ))
    .await;
    assert!(
        error.contains("does not exist") && error.contains("COUNTERSIGN_DATABASE_URL"),
        "{error}"
    );

    std::fs::write(home.join("countersign.db"), "x".repeat(8192)).unwrap();
    let error = refused(configured(&home, &[])).await;
    assert!(
        error.contains("cannot be used") && error.contains("move it away"),
        "{error}"
    );
}

#[tokio::test]
async fn models_are_found_in_order_and_rehearsal_is_the_last() {
    let home = Path::new("/nowhere/data");
    let default = async |variables: &[(&str, &str)]| {
        models::find(&configured(home, variables))
            .await
            .map(|found| found.models.default.to_string())
    };
    crate_provider();
    assert_eq!(default(&[]).await.unwrap(), "rehearsal/rehearsal");
    let (anthropic, openai) = (("ANTHROPIC_API_KEY", "a"), ("OPENAI_API_KEY", "b"));
    assert!(default(&[openai]).await.unwrap().starts_with("openai/"));
    assert!(
        default(&[openai, anthropic])
            .await
            .unwrap()
            .starts_with("anthropic/")
    );
    assert!(
        default(&[("OPENROUTER_API_KEY", "c")])
            .await
            .unwrap()
            .starts_with("openrouter/")
    );
    let wished = default(&[anthropic, ("COUNTERSIGN_MODEL", "rehearsal/rehearsal")]).await;
    assert_eq!(wished.unwrap(), "rehearsal/rehearsal");
    let error = default(&[("COUNTERSIGN_MODEL", "openai/gpt-5")])
        .await
        .unwrap_err()
        .0;
    assert!(error.contains("set OPENAI_API_KEY"), "{error}");
}

/// TLS needs one for the whole process, which `main` installs.
fn crate_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

use super::*;
use secrecy::ExposeSecret;

fn places(directory: &Path, variables: &[(&str, &str)]) -> Places {
    let mut environment: Environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    environment
        .entry("HOME".to_owned())
        .or_insert_with(|| directory.join("person").display().to_string());
    Places {
        file: None,
        directory: directory.to_owned(),
        environment,
        root: false,
    }
}

fn with_file(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(FILE), text).unwrap();
    load(&places(directory.path(), variables))
}

fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    load(&places(directory.path(), variables))
}

fn refused(result: Result<Config, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

fn shown<'a>(config: &'a Config, key: &str) -> (&'a str, String) {
    let setting = config
        .settings
        .iter()
        .find(|setting| setting.key == key)
        .unwrap();
    (&setting.shown, setting.origin.to_string())
}

#[test]
fn without_anything_every_key_has_a_default() {
    let directory = tempfile::tempdir().unwrap();
    let config = load(&places(directory.path(), &[])).unwrap();
    let home = directory.path().join("person/.local/share/countersign");
    assert_eq!(config.home, home);
    assert_eq!(config.database.file(), Some(&*home.join("countersign.db")));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(config.limits, Limits::default());
    assert!(config.telegram.token.is_none());
    let keys: Vec<&str> = config.settings.iter().map(|setting| setting.key).collect();
    let known: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(keys, known, "doctor shows every key");
    assert!(
        config
            .settings
            .iter()
            .all(|setting| setting.origin == Origin::Default)
    );
}

#[test]
fn root_keeps_its_things_where_services_do() {
    let directory = tempfile::tempdir().unwrap();
    let mut places = places(directory.path(), &[("XDG_DATA_HOME", "/x")]);
    assert_eq!(load(&places).unwrap().home, Path::new("/x/countersign"));
    places.root = true;
    assert_eq!(
        load(&places).unwrap().home,
        Path::new("/var/lib/countersign")
    );
}

#[test]
fn the_environment_is_above_the_file_and_the_file_above_the_default() {
    let text = "version = 1\nworkers = 3\nmodel = \"openai/gpt-5\"\n[limits]\nsteps = 7\ncost_usd = 2.5\n[telegram]\nbot_token = \"1:file\"\n";
    let config = with_file(
        text,
        &[
            ("COUNTERSIGN_WORKERS", "9"),
            ("TELEGRAM_BOT_TOKEN", "2:env"),
        ],
    )
    .unwrap();
    assert_eq!(config.workers, 9);
    assert_eq!(config.limits.steps, 7);
    assert_eq!(config.limits.cost, domain::MicroUsd(2_500_000));
    assert_eq!(
        config.telegram.token.as_ref().unwrap().expose_secret(),
        "2:env"
    );
    assert_eq!(
        shown(&config, "workers"),
        ("9", "COUNTERSIGN_WORKERS".to_owned())
    );
    assert!(shown(&config, "limits.steps").1.ends_with(FILE));
    assert!(shown(&config, "model").1.ends_with(FILE));
    assert_eq!(shown(&config, "limits.tokens").1, "default");
}

#[test]
fn a_secret_is_shown_as_set_and_nowhere_else() {
    let secret = "123456:SECRETsecret";
    let config = with(&[
        ("TELEGRAM_BOT_TOKEN", secret),
        ("OPENAI_API_KEY", "sk-hidden"),
        ("OPENAI_BASE_URL", "http://me:hidden@host/v1"),
    ])
    .unwrap();
    assert_eq!(
        shown(&config, "telegram.bot_token"),
        ("set", "TELEGRAM_BOT_TOKEN".to_owned())
    );
    let all = format!("{config:?}");
    assert!(
        !all.contains("SECRET") && !all.contains("sk-hidden"),
        "{all}"
    );
    let shown = format!("{:?}", config.settings);
    assert!(!shown.contains("hidden"), "{shown}");
    let refusal = refused(with(&[("TELEGRAM_BOT_TOKEN", "SECRET SECRET")]));
    assert!(!refusal.contains("SECRET"), "{refusal}");
}

#[test]
fn an_empty_variable_sets_nothing() {
    let config = with_file(
        "workers = 3",
        &[("COUNTERSIGN_WORKERS", ""), ("TELEGRAM_BOT_TOKEN", " ")],
    )
    .unwrap();
    assert_eq!(config.workers, 3);
    assert!(config.telegram.token.is_none());
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known() {
    let error = refused(with_file("publik_url = \"https://x.org\"", &[]));
    assert!(
        error.contains("sets publik_url") && error.ends_with("Did you mean public_url?"),
        "{error}"
    );
    let error = refused(with_file("[telegram]\ntoken = \"1:a\"", &[]));
    assert!(
        error.contains("telegram.token") && error.ends_with("Did you mean telegram.bot_token?"),
        "{error}"
    );
    let error = refused(with_file("bot_token = \"1:a\"", &[]));
    assert!(
        error.ends_with("Did you mean telegram.bot_token?"),
        "{error}"
    );
    let error = refused(with_file("zzzzzzzzzzzzzzzz = 1", &[]));
    assert!(error.ends_with("which nothing reads."), "{error}");
}

#[test]
fn what_is_no_file_of_ours_is_said() {
    assert!(refused(with_file("this is = = not", &[])).contains("is not TOML"));
    assert!(refused(with_file("version = 2", &[])).contains("has version 2, this program knows 1"));
    assert!(refused(with_file("version = \"one\"", &[])).contains("must be 1"));
    assert!(refused(with_file("workers = [1]", &[])).contains("must be a single value"));
    let directory = tempfile::tempdir().unwrap();
    let mut places = places(directory.path(), &[]);
    places.file = Some("absent.toml".into());
    assert!(
        load(&places)
            .unwrap_err()
            .to_string()
            .contains("absent.toml cannot be read")
    );
}

#[test]
fn an_invalid_value_is_named_with_its_origin() {
    let cases = [
        (
            "COUNTERSIGN_WORKERS",
            "many",
            "workers (from COUNTERSIGN_WORKERS) must be a whole number from 1 to 1000, not “many”.",
        ),
        (
            "COUNTERSIGN_LISTEN",
            "8787",
            "listen (from COUNTERSIGN_LISTEN) must be an address and a port",
        ),
        ("COUNTERSIGN_MODEL", "gpt", "must be provider/model"),
        (
            "COUNTERSIGN_SANDBOX",
            "docker",
            "must be auto, bubblewrap, landlock or off",
        ),
        (
            "COUNTERSIGN_DATABASE_URL",
            "postgres://u:hush-hush@h:port/d",
            "must have the form postgres://user:password@host:port/database",
        ),
        (
            "COUNTERSIGN_DATABASE_URL",
            "dynamodb://t",
            match cfg!(feature = "aws") {
                true => "must be dynamodb:// and the name of a table",
                false => "cargo build --release -p app --features aws",
            },
        ),
        (
            "COUNTERSIGN_DATABASE_URL",
            "sqlite::memory:",
            "must name a file",
        ),
        (
            "COUNTERSIGN_PUBLIC_URL",
            "http://x.org",
            "must begin with https://",
        ),
        ("COUNTERSIGN_PUBLIC_URL", "x.org", "is not an address"),
        ("TELEGRAM_BOT_TOKEN", "abc", "is not a bot token"),
        (
            "COUNTERSIGN_AUDIT_KEY",
            "short",
            "must have at least 16 characters",
        ),
        ("COUNTERSIGN_MAX_COST_USD", "-1", "must be an amount from 0"),
        (
            "COUNTERSIGN_MAX_STEPS",
            "0",
            "must be a whole number from 1",
        ),
        (
            "COUNTERSIGN_APPROVAL_S",
            "5",
            "must be a whole number from 60",
        ),
    ];
    for (name, value, expected) in cases {
        let error = refused(with(&[(name, value)]));
        assert!(error.contains(expected), "{name}={value}: {error}");
    }
}

#[test]
fn databases_and_ollama_are_named_in_the_usual_ways() {
    let directory = tempfile::tempdir().unwrap();
    let database = |url: &str| {
        load(&places(
            directory.path(),
            &[("COUNTERSIGN_DATABASE_URL", url)],
        ))
        .unwrap()
    };
    let shown = |url: &str| database(url).database.to_string();
    assert_eq!(shown("sqlite:///a/b.db"), "/a/b.db");
    assert_eq!(
        shown("sqlite:b.db?mode=rwc"),
        directory.path().join("b.db").to_string_lossy()
    );
    assert_eq!(shown("/a/b.db"), "/a/b.db");
    let config = database("postgres://me:hush%2Fhush@h:99/team?sslmode=require");
    assert_eq!(config.database.file(), None);
    assert_eq!(config.database.to_string(), "postgres://h:99/team");
    assert_eq!(
        config.redaction.text("hush/hush me team"),
        "[secret:database_url] me team"
    );
    assert!(!format!("{config:?}").contains("hush"), "{config:?}");
    // On one's own machine: a word that is everywhere can't be hidden.
    let config = database("postgres://postgres:postgres@h/team");
    assert_eq!(config.redaction.text("postgres"), "postgres");
    let ollama = |host: &str| {
        with(&[("OLLAMA_HOST", host)])
            .unwrap()
            .providers
            .ollama
            .to_string()
    };
    assert_eq!(ollama("0.0.0.0"), "http://127.0.0.1:11434/");
    assert_eq!(ollama("box:99"), "http://box:99/");
    assert_eq!(ollama("https://box/"), "https://box/");
}

#[test]
fn the_file_of_the_data_directory_is_found_when_the_current_one_has_none() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("data");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join(FILE), "workers = 5").unwrap();
    let places = places(directory.path(), &[("COUNTERSIGN_HOME", "data")]);
    let config = load(&places).unwrap();
    assert_eq!((config.workers, config.file), (5, Some(home.join(FILE))));
    std::fs::write(directory.path().join(FILE), "workers = 6").unwrap();
    assert_eq!(load(&places).unwrap().workers, 6);
}

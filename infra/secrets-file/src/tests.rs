//! What is set is there for who has the key, and for nobody else.

use super::*;
use std::os::unix::fs::MetadataExt;

const PASSPHRASE: &str = "a key from outside of the disk";

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("secrets.json")
    }

    fn with(&self, passphrase: &str) -> FileSecrets {
        FileSecrets::new(self.path(), SecretString::from(passphrase.to_owned()))
    }

    fn secrets(&self) -> FileSecrets {
        self.with(PASSPHRASE)
    }
}

fn secret(name: &str, value: &str) -> Secret {
    let (name, value) = (name.to_owned(), SecretString::from(value.to_owned()));
    Secret { name, value }
}

async fn shown(secrets: &FileSecrets) -> Vec<(String, String)> {
    let all = secrets.all().await.unwrap();
    all.iter()
        .map(|secret| (secret.name.clone(), secret.value.expose_secret().to_owned()))
        .collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn what_is_set_is_there_until_it_is_removed() {
    let place = Place::new();
    let secrets = place.secrets();
    assert_eq!(shown(&secrets).await, []);
    assert!(!place.path().exists(), "looking makes nothing");
    secrets.set(secret("token", "first value")).await.unwrap();
    secrets
        .set(secret("pem", "several\nlines \"ä\""))
        .await
        .unwrap();
    secrets.set(secret("token", "second value")).await.unwrap();
    let all = [
        pair("pem", "several\nlines \"ä\""),
        pair("token", "second value"),
    ];
    assert_eq!(shown(&secrets).await, all);
    // Another process.
    assert_eq!(shown(&place.secrets()).await, all);
    assert!(secrets.remove("token").await.unwrap());
    assert!(!secrets.remove("token").await.unwrap());
    assert_eq!(shown(&place.secrets()).await, all[..1]);
    assert!(matches!(
        secrets.set(secret("a b", "x")).await,
        Err(SecretsError::Name(_))
    ));
}

#[tokio::test]
async fn nobody_else_reads_it() {
    let place = Place::new();
    place
        .secrets()
        .set(secret("token", "hunter2-hunter2"))
        .await
        .unwrap();
    let first = fs::read_to_string(place.path()).unwrap();
    assert!(
        !first.contains("hunter2") && !first.contains("token"),
        "{first}"
    );
    for entry in fs::read_dir(place.directory.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
    let wrong = place.with("another key from somewhere").all().await;
    assert_eq!(wrong.unwrap_err(), SecretsError::WrongKey);
    let wrong = place
        .with("another key from somewhere")
        .set(secret("a", "b"))
        .await;
    assert_eq!(wrong.unwrap_err(), SecretsError::WrongKey);
    // The same values under another nonce.
    place
        .secrets()
        .set(secret("token", "hunter2-hunter2"))
        .await
        .unwrap();
    assert_ne!(fs::read_to_string(place.path()).unwrap(), first);
}

#[tokio::test]
async fn what_others_can_read_is_refused_with_the_remedy() {
    let place = Place::new();
    place
        .secrets()
        .set(secret("token", "hunter2-hunter2"))
        .await
        .unwrap();
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = place.secrets().all().await.unwrap_err();
        let path = place.path().display().to_string();
        assert_eq!(
            error,
            SecretsError::Exposed {
                path: path.clone(),
                mode
            }
        );
        assert!(
            error
                .to_string()
                .ends_with(&format!("run chmod 600 {path}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_changed_file_is_noticed() {
    let place = Place::new();
    place
        .secrets()
        .set(secret("token", "hunter2-hunter2"))
        .await
        .unwrap();
    let text = fs::read_to_string(place.path()).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (field, value) in [("sealed", "AAAA"), ("nonce", "00"), ("salt", "zz")] {
        let mut changed = whole.clone();
        changed[field] = value.into();
        fs::write(place.path(), changed.to_string()).unwrap();
        assert!(place.secrets().all().await.is_err(), "{field}");
    }
    let mut newer = whole.clone();
    newer["version"] = 2.into();
    for text in [newer.to_string(), "no JSON".to_owned(), String::new()] {
        fs::write(place.path(), text).unwrap();
        let error = place.secrets().all().await.unwrap_err();
        assert!(matches!(error, SecretsError::Unreadable(_)), "{error}");
    }
}

#[tokio::test]
async fn changes_at_once_are_all_kept() {
    let place = Place::new();
    let setting = (0..6).map(|n| {
        let secrets = place.secrets();
        tokio::spawn(async move { secrets.set(secret(&format!("s{n}"), "some value")).await })
    });
    for set in setting.collect::<Vec<_>>() {
        set.await.unwrap().unwrap();
    }
    assert_eq!(shown(&place.secrets()).await.len(), 6);
}

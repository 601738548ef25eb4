//! Against ministack, which `cargo xtask test` starts; and against nothing at all.

use super::*;
use aws_credential_types::Credentials;

/// A client with made-up credentials; nothing of the machine's configuration is read.
fn client(endpoint: &str) -> Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
        .region(aws_sdk_secretsmanager::config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint)
        .http_client(client_aws::https())
        .build();
    Client::from_conf(config)
}

#[tokio::test]
async fn without_an_answer_nothing_is_there() {
    let error = read(&client("http://127.0.0.1:9"), &["keys".to_owned()]).await;
    assert!(
        matches!(error, Err(ReadError::Unavailable(name, _)) if name == "keys"),
        "it is named"
    );
}

/// Where there is no emulator, xtask leaves this module out by its name, and says so.
mod aws {
    use super::*;
    use secrecy::ExposeSecret;

    #[tokio::test]
    async fn secrets_are_laid_over_each_other_and_a_wrong_one_is_named() {
        let endpoint = std::env::var("COUNTERSIGN_TEST_AWS")
            .expect("COUNTERSIGN_TEST_AWS names an AWS emulator: `cargo xtask test` starts one");
        let client = client(&endpoint);
        let own = |name: &str| format!("{name}-{}", std::process::id());
        for (name, text) in [
            ("keys", r#"{"A": "one", "B": "two"}"#),
            ("more", r#"{"B": "three"}"#),
            ("number", r#"{"A": 7}"#),
            ("text", "a token"),
        ] {
            let made = client.create_secret().name(own(name)).secret_string(text);
            made.send().await.unwrap();
        }
        let values = read(&client, &[own("keys"), own("more")]).await.unwrap();
        let shown: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        assert_eq!(shown, [("A", "one"), ("B", "three")]);
        let refused =
            async |name: &str| read(&client, &[own("keys"), own(name)]).await.unwrap_err();
        assert_eq!(refused("number").await, ReadError::Malformed(own("number")));
        assert_eq!(refused("text").await, ReadError::Malformed(own("text")));
        assert_eq!(refused("absent").await, ReadError::Missing(own("absent")));
    }
}

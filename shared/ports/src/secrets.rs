//! Values that nobody may see, by name: what is in here is taken out of everything that is kept or leaves (`domain::redact`), and
//! is given only to who needs it for its work.

use secrecy::SecretString;

/// A value under its name. `Debug` shows the name only.
#[derive(Clone, Debug)]
pub struct Secret {
    pub name: String,
    pub value: SecretString,
}

#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum SecretsError {
    #[error("{0}")]
    Name(String),
    #[error("secrets of the environment are set and removed where it is set")]
    ReadOnly,
    #[error("others can read it (mode {mode:o}): run chmod 600 {path}")]
    Exposed { path: String, mode: u32 },
    #[error("it does not open with this key, or somebody changed it")]
    WrongKey,
    #[error("it is no file of secrets, or of a newer program: {0}")]
    Unreadable(String),
    #[error("{0}")]
    Io(String),
}

#[async_trait::async_trait]
pub trait Secrets: Send + Sync {
    /// All of them, by name.
    async fn all(&self) -> Result<Vec<Secret>, SecretsError>;

    /// Adds or replaces one. When this answers, it is kept.
    async fn set(&self, secret: Secret) -> Result<(), SecretsError>;

    /// Whether there was one of that name.
    async fn remove(&self, name: &str) -> Result<bool, SecretsError>;
}

/// Whether it can be a name: it stands in texts, in JSON and in the names of variables.
///
/// # Errors
/// [`SecretsError::Name`], a sentence.
pub fn check_name(name: &str) -> Result<(), SecretsError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(SecretsError::Name(
        "a secret's name has 1 to 64 letters, digits, dots, - and _".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        for name in ["GITHUB_TOKEN", "anthropic.api_key", "a-1"] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in ["", "a b", "a]", "ä", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_value_is_not_shown() {
        let value = SecretString::from("hunter22".to_owned());
        let secret = Secret {
            name: "pin".to_owned(),
            value,
        };
        assert!(!format!("{secret:?}").contains("hunter22"));
    }
}

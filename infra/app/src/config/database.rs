//! Which database a URL means. SQLite and PostgreSQL are built in, DynamoDB with the feature `aws`; for others a clear word.

use secrecy::SecretString;
use std::{
    fmt,
    path::{Path, PathBuf},
};
use url::Url;

#[derive(Clone, Debug)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server, and what people are shown of its URL.
    Postgres { url: SecretString, shown: String },
    /// A table's name.
    #[cfg(feature = "aws")]
    DynamoDb(String),
}

impl Database {
    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres { .. } => None,
            #[cfg(feature = "aws")]
            Self::DynamoDb(_) => None,
        }
    }

    /// Whether cloud functions may work on it too.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        #[cfg(feature = "aws")]
        if let Self::DynamoDb(_) = self {
            return true;
        }
        false
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres { shown, .. } => f.write_str(shown),
            #[cfg(feature = "aws")]
            Self::DynamoDb(table) => write!(f, "dynamodb://{table}"),
        }
    }
}

/// The database that the text names; a relative path counts from `directory`.
///
/// # Errors
/// The rest of a sentence that begins with the setting's name. The text is not in it: it may hold a password.
pub fn named(text: &str, directory: &Path) -> Result<Database, String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("postgres" | "postgresql") => server(text),
        Some("dynamodb") => table(text),
        Some("mysql") => Err(
            "names mysql, which this program does not know: name a SQLite file or a PostgreSQL server"
                .to_owned(),
        ),
        _ => file(text).map(|path| Database::Sqlite(directory.join(path))),
    }
}

/// What nobody may see of a PostgreSQL URL: all of it, and the password in it, unless that is a word that stands in the URL a second
/// time (the user's or the database's name, as people have it on their own machines). Hidden, such a word would be missing everywhere.
pub fn secrets(text: &str) -> Vec<String> {
    let mut secrets = vec![text.to_owned()];
    if let Ok(url) = Url::parse(text)
        && let Some(password) = url.password()
        && ![url.username(), url.path().trim_start_matches('/')].contains(&password)
    {
        let plain = url::form_urlencoded::parse(password.replace('+', "%2B").as_bytes())
            .next()
            .map(|(plain, _)| plain.into_owned());
        secrets.extend(plain);
    }
    secrets
}

#[cfg(feature = "aws")]
fn table(text: &str) -> Result<Database, String> {
    let name = text.split_once("://").map_or("", |(_, name)| name);
    let named = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    // DynamoDB's own rule for names of tables.
    match (3..=255).contains(&name.len()) && name.chars().all(named) {
        true => Ok(Database::DynamoDb(name.to_owned())),
        false => Err("must be dynamodb:// and the name of a table".to_owned()),
    }
}

#[cfg(not(feature = "aws"))]
fn table(_: &str) -> Result<Database, String> {
    Err(
        "names a DynamoDB table, for which this program was not built: build one that knows them with \
         `cargo build --release -p app --features aws`"
            .to_owned(),
    )
}

fn server(text: &str) -> Result<Database, String> {
    let form = "must have the form postgres://user:password@host:port/database";
    let url = Url::parse(text).map_err(|_| form)?;
    let host = url.host_str().unwrap_or_default();
    let name = url.path();
    if name.trim_start_matches('/').is_empty() {
        return Err(form.to_owned());
    }
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    Ok(Database::Postgres {
        shown: format!("postgres://{host}{port}{name}"),
        url: SecretString::from(text.to_owned()),
    })
}

fn file(text: &str) -> Result<PathBuf, String> {
    let path = text
        .strip_prefix("sqlite://")
        .or_else(|| text.strip_prefix("sqlite:"))
        .or_else(|| text.strip_prefix("file://"))
        .unwrap_or(text);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.is_empty() || path == ":memory:" {
        return Err("must name a file: a database in memory would lose what waits".to_owned());
    }
    if path.contains("://") {
        return Err("must be a path, sqlite://path or a postgres:// URL".to_owned());
    }
    if path.ends_with('/') {
        return Err("must name a file, not a directory".to_owned());
    }
    Ok(Path::new(path).to_owned())
}

//! The configuration: one versioned TOML file and the environment above it. Nothing else in the program reads either; parts
//! are given what they need as values. Each value keeps its origin for `countersign doctor`, secrets show only that they
//! are set.

pub mod cloud;
mod database;
pub mod environment;
mod keys;
mod layers;
mod read;

#[cfg(test)]
mod tests;

pub use cloud::{Cloud, Role};
pub use database::Database;
pub use keys::{KEYS, Key, nearest};
pub use layers::{Environment, Origin};

use crate::redacted::Redaction;
use domain::run::Limits;
use layers::Layers;
use ports::{Secret, model::ModelRef};
use read::Reader;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use url::Url;

/// The name of the file, in the current directory or the data directory.
pub const FILE: &str = "countersign.toml";

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory.
    pub home: PathBuf,
    pub database: Database,
    pub public_url: Option<Url>,
    pub listen: SocketAddr,
    pub model: Option<ModelRef>,
    /// What `tier/fast` and `tier/strong` stand for, by the second word.
    pub tiers: BTreeMap<String, ModelRef>,
    pub sandbox: SandboxChoice,
    /// Runs that work at the same time in this process.
    pub workers: usize,
    pub audit_key: Option<SecretString>,
    /// What the file of secrets is encrypted with.
    pub secrets_key: Option<SecretString>,
    /// Every secret value of the configuration, under its key, and those of the environment.
    pub secrets: Vec<Secret>,
    /// What nobody may see, in this whole process: these secrets, and those that are found later.
    pub redaction: Redaction,
    /// A tracing filter, when one was set.
    pub log: Option<String>,
    pub telegram: Telegram,
    pub providers: Providers,
    pub limits: Limits,
    /// How long a card waits unless a rule says otherwise.
    pub approval_expires: Duration,
    pub shutdown: Duration,
    /// How long one PDF may be read.
    pub pdf: Duration,
    pub cloud: Cloud,
    /// Every value with its origin, in the order of [`KEYS`].
    pub settings: Vec<Setting>,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Telegram {
    pub token: Option<SecretString>,
    /// Telegram's own if not set.
    pub api_url: Option<Url>,
    /// Whether Telegram's unofficial rates are kept without waiting for a 429.
    pub paced: bool,
}

#[derive(Clone, Debug)]
pub struct Providers {
    pub anthropic: Provider,
    pub openai: Provider,
    pub openrouter: Option<SecretString>,
    /// Where a local Ollama would answer.
    pub ollama: Url,
    /// Whether somebody said where it is; else it is looked for, and its absence is no fault.
    pub ollama_set: bool,
}

#[derive(Clone, Debug)]
pub struct Provider {
    pub key: Option<SecretString>,
    /// The provider's own if not set.
    pub base_url: Option<Url>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SandboxChoice {
    /// The strongest that works here.
    Auto,
    Bubblewrap,
    Landlock,
    /// Commands are refused.
    Off,
}

/// One value, for `doctor`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    pub key: &'static str,
    pub about: &'static str,
    /// What applies; for a secret only whether it is set.
    pub shown: String,
    pub origin: Origin,
}

/// Each is a sentence: what is wrong and what to do.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    #[error("The configuration file {} cannot be read: {why}.", .path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("The configuration file {} is not TOML: {why}.", .path.display())]
    NotToml { path: PathBuf, why: String },
    #[error("The configuration file {} has version {version}, this program knows 1: install a newer program.", .path.display())]
    TooNew { path: PathBuf, version: i128 },
    #[error("The configuration file {} sets {key}, which nothing reads.{hint}", .path.display())]
    UnknownKey {
        path: PathBuf,
        key: String,
        /// The nearest key, as a sentence with a space before it, or nothing.
        hint: String,
    },
    #[error("{key} (from {origin}) {why}.")]
    Invalid {
        key: String,
        origin: Origin,
        why: String,
    },
}

/// From where a configuration is read.
#[derive(Clone, Debug)]
pub struct Places {
    /// `--config FILE`: it, and no other file.
    pub file: Option<PathBuf>,
    pub directory: PathBuf,
    pub environment: Environment,
    /// Whether the process is root, which has another data directory.
    pub root: bool,
}

impl Places {
    /// This process's.
    #[must_use]
    pub fn of_this_process(file: Option<PathBuf>) -> Self {
        let environment = std::env::vars_os()
            // What is not UTF-8 is no setting of ours.
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            file,
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            environment,
            root: rustix::process::geteuid().is_root(),
        }
    }

    /// The data directory unless something sets it.
    fn default_home(&self) -> PathBuf {
        if self.root {
            return PathBuf::from("/var/lib/countersign");
        }
        let directory = |name: &str| {
            let value = self.environment.get(name)?;
            // The XDG specification: what is not absolute is to be ignored.
            Path::new(value).is_absolute().then(|| PathBuf::from(value))
        };
        directory("XDG_DATA_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".local/share")))
            .unwrap_or_else(|| self.directory.clone())
            .join("countersign")
    }

    /// The one file to read: the named one, else that of the current directory, else that of the data directory.
    fn find_file(&self) -> Option<PathBuf> {
        if let Some(path) = &self.file {
            return Some(self.directory.join(path));
        }
        let home = self
            .environment
            .get("COUNTERSIGN_HOME")
            .filter(|value| !value.trim().is_empty())
            .map_or_else(|| self.default_home(), |home| self.directory.join(home));
        [self.directory.join(FILE), home.join(FILE)]
            .into_iter()
            .find(|path| path.exists())
    }
}

/// Reads and checks everything.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(places: &Places) -> Result<Config, ConfigError> {
    let file = places.find_file();
    let layers = Layers::new(file.clone(), &places.environment)?;
    let mut read = Reader::new(layers);
    read.number("version", 1, 1..=1)?;
    let home = read.path("home", &places.directory, places.default_home())?;
    let database = read.database(&places.directory, &home)?;
    let config = Config {
        public_url: read.public_url()?,
        listen: read.parsed(
            "listen",
            SocketAddr::from(([127, 0, 0, 1], 8787)),
            "must be an address and a port, such as 127.0.0.1:8787",
        )?,
        model: read.model("model")?,
        tiers: read.tiers()?,
        sandbox: read.sandbox()?,
        workers: usize::try_from(read.number("workers", 32, 1..=1000)?).unwrap_or(32),
        audit_key: read.secret("audit_key", 16)?,
        secrets_key: read.secret("secrets_key", 16)?,
        secrets: Vec::new(),
        redaction: Redaction::default(),
        log: read.log()?,
        telegram: Telegram {
            token: read.bot_token()?,
            api_url: read.url("telegram.api_url")?,
            paced: read.parsed("telegram.paced", true, "must be true or false")?,
        },
        providers: Providers {
            anthropic: Provider {
                key: read.secret("anthropic.api_key", 1)?,
                base_url: read.url("anthropic.base_url")?,
            },
            openai: Provider {
                key: read.secret("openai.api_key", 1)?,
                base_url: read.url("openai.base_url")?,
            },
            openrouter: read.secret("openrouter.api_key", 1)?,
            ollama_set: read.is_set("ollama.host")?,
            ollama: read.ollama()?,
        },
        limits: read.limits()?,
        approval_expires: read.seconds("limits.approval_s", 24 * 3600, 60..=30 * 24 * 3600)?,
        shutdown: read.seconds("limits.shutdown_s", 10, 0..=3600)?,
        pdf: read.seconds("limits.pdf_s", 90, 1..=600)?,
        cloud: Cloud::read(&mut read)?,
        home,
        database,
        settings: Vec::new(),
        file,
    };
    let mut secrets = environment::secrets(&places.environment)?;
    secrets.append(&mut read.secrets);
    config.redaction.set("configuration", secrets.clone());
    Ok(Config {
        settings: read.into_settings(),
        secrets,
        ..config
    })
}

//! Reads values one by one: checks each, and notes what applies and why for `doctor`.

mod models;

use super::{
    ConfigError, Database, KEYS, Key, Origin, SandboxChoice, Setting, database, layers::Layers,
};
use domain::{MicroUsd, run::Limits};
use ports::Secret;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    fmt::Display,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};
use url::Url;

pub(super) struct Reader {
    layers: Layers,
    settings: BTreeMap<&'static str, (String, Origin)>,
    /// Every value that was read and must not be shown.
    pub(super) secrets: Vec<Secret>,
}

type Read<T> = Result<T, ConfigError>;

fn invalid(key: &'static str, origin: Origin, why: impl Into<String>) -> ConfigError {
    ConfigError::Invalid {
        key: key.to_owned(),
        origin,
        why: why.into(),
    }
}

impl Reader {
    pub(super) fn new(layers: Layers) -> Self {
        Self {
            layers,
            settings: BTreeMap::new(),
            secrets: Vec::new(),
        }
    }

    pub(super) fn into_settings(self) -> Vec<Setting> {
        let mut settings = self.settings;
        KEYS.iter()
            .filter_map(|Key { path, about, .. }| {
                let (shown, origin) = settings.remove(path)?;
                Some(Setting {
                    key: path,
                    about,
                    shown,
                    origin,
                })
            })
            .collect()
    }

    fn note(&mut self, key: &'static str, shown: impl Display, origin: Origin) {
        self.settings.insert(key, (shown.to_string(), origin));
    }

    fn unset<T>(&mut self, key: &'static str) -> Option<T> {
        self.note(key, "not set", Origin::Default);
        None
    }

    pub(super) fn is_set(&self, key: &'static str) -> Read<bool> {
        Ok(self.layers.text(key)?.is_some())
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Read<u64> {
        let Some((text, origin)) = self.layers.text(key)? else {
            self.note(key, default, Origin::Default);
            return Ok(default);
        };
        match text.trim().replace('_', "").parse::<u64>() {
            Ok(number) if range.contains(&number) => {
                self.note(key, number, origin);
                Ok(number)
            }
            _ => {
                let why = format!(
                    "must be a whole number from {} to {}, not “{text}”",
                    range.start(),
                    range.end()
                );
                Err(invalid(key, origin, why))
            }
        }
    }

    pub(super) fn seconds(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Read<Duration> {
        self.number(key, default, range).map(Duration::from_secs)
    }

    pub(super) fn parsed<T: FromStr + Display>(
        &mut self,
        key: &'static str,
        default: T,
        why: &str,
    ) -> Read<T> {
        let Some((text, origin)) = self.layers.text(key)? else {
            self.note(key, &default, Origin::Default);
            return Ok(default);
        };
        let value = text
            .trim()
            .parse()
            .map_err(|_| invalid(key, origin.clone(), format!("{why}, not “{text}”")))?;
        self.note(key, &value, origin);
        Ok(value)
    }

    /// What says itself what is wrong with a text.
    pub(super) fn optional<T>(&mut self, key: &'static str) -> Read<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some((text, origin)) = self.layers.text(key)? else {
            return Ok(self.unset(key));
        };
        let value = text.trim().parse();
        let value = value.map_err(|why: T::Err| invalid(key, origin.clone(), why.to_string()))?;
        self.note(key, text, origin);
        Ok(Some(value))
    }

    /// A path; a relative one counts from `directory`.
    pub(super) fn path(
        &mut self,
        key: &'static str,
        directory: &Path,
        default: PathBuf,
    ) -> Read<PathBuf> {
        let (path, origin) = match self.layers.text(key)? {
            Some((text, origin)) => (directory.join(text), origin),
            None => (default, Origin::Default),
        };
        self.note(key, path.display(), origin);
        Ok(path)
    }

    pub(super) fn database(&mut self, directory: &Path, home: &Path) -> Read<Database> {
        let key = "database_url";
        let Some((text, origin)) = self.layers.text(key)? else {
            let database = Database::Sqlite(home.join("countersign.db"));
            self.note(key, &database, Origin::Default);
            return Ok(database);
        };
        let database = match database::named(&text, directory) {
            Ok(database) => database,
            Err(why) => return Err(invalid(key, origin, why)),
        };
        self.note(key, &database, origin);
        if let Database::Postgres { .. } = database {
            for secret in database::secrets(&text) {
                self.hide(key, &secret);
            }
        }
        Ok(database)
    }

    /// A secret of at least `least` characters. The value never appears in an error either.
    pub(super) fn secret(&mut self, key: &'static str, least: usize) -> Read<Option<SecretString>> {
        let Some((text, origin)) = self.layers.text(key)? else {
            return Ok(self.unset(key));
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(invalid(
                key,
                origin,
                "must not contain white space: copy it again",
            ));
        }
        if text.len() < least {
            return Err(invalid(
                key,
                origin,
                format!("must have at least {least} characters"),
            ));
        }
        self.note(key, "set", origin);
        self.hide(key, &text);
        Ok(Some(SecretString::from(text)))
    }

    fn hide(&mut self, key: &str, value: &str) {
        self.secrets.push(Secret {
            name: key.to_owned(),
            value: SecretString::from(value.to_owned()),
        });
    }

    pub(super) fn bot_token(&mut self) -> Read<Option<SecretString>> {
        let key = "telegram.bot_token";
        if let Some((text, origin)) = self.layers.text(key)? {
            let fits = text.split_once(':').is_some_and(|(id, rest)| {
                !id.is_empty()
                    && id.bytes().all(|b| b.is_ascii_digit())
                    && !rest.is_empty()
                    && rest
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            });
            if !fits {
                let why =
                    "is not a bot token: it looks like 123456:ABC-DEF, and @BotFather tells yours";
                return Err(invalid(key, origin, why));
            }
            // The number before it is the bot's public id.
            self.hide(key, text.split(':').next_back().unwrap_or(&text));
        }
        self.secret(key, 3)
    }

    pub(super) fn url(&mut self, key: &'static str) -> Read<Option<Url>> {
        let Some((text, origin)) = self.layers.text(key)? else {
            return Ok(self.unset(key));
        };
        let url = web_address(text.trim()).map_err(|why| invalid(key, origin.clone(), why))?;
        self.note(key, without_credentials(&url), origin);
        if let Some(password) = url.password() {
            self.hide(key, password);
        }
        Ok(Some(url))
    }

    pub(super) fn public_url(&mut self) -> Read<Option<Url>> {
        let url = self.url("public_url")?;
        match url {
            // Telegram delivers over https only; a self-hosted Bot API server may use http inside its network.
            Some(url) if url.scheme() == "http" && !self.is_set("telegram.api_url")? => {
                let origin = self
                    .settings
                    .get("public_url")
                    .map(|(_, origin)| origin.clone());
                let why = "must begin with https://, because Telegram delivers nowhere else";
                Err(invalid(
                    "public_url",
                    origin.unwrap_or(Origin::Default),
                    why,
                ))
            }
            url => Ok(url),
        }
    }

    /// Ollama's own convention: `host`, `host:port` or a URL.
    pub(super) fn ollama(&mut self) -> Read<Url> {
        let key = "ollama.host";
        let (text, origin) = self
            .layers
            .text(key)?
            .unwrap_or_else(|| ("127.0.0.1:11434".to_owned(), Origin::Default));
        let with_scheme = if text.contains("://") {
            text
        } else {
            format!("http://{text}")
        };
        let mut url = web_address(&with_scheme).map_err(|why| invalid(key, origin.clone(), why))?;
        // 0.0.0.0 is where a server listens, not where a client goes.
        if url.host_str() == Some("0.0.0.0") {
            let _ = url.set_host(Some("127.0.0.1"));
        }
        if url.port().is_none() && url.scheme() == "http" {
            let _ = url.set_port(Some(11434));
        }
        self.note(key, without_credentials(&url), origin);
        if let Some(password) = url.password() {
            self.hide(key, password);
        }
        Ok(url)
    }

    pub(super) fn sandbox(&mut self) -> Read<SandboxChoice> {
        let (text, origin) = self
            .layers
            .text("sandbox")?
            .unwrap_or_else(|| ("auto".to_owned(), Origin::Default));
        let choice = match text.trim() {
            "auto" => SandboxChoice::Auto,
            "bubblewrap" | "bwrap" => SandboxChoice::Bubblewrap,
            "landlock" => SandboxChoice::Landlock,
            "off" | "false" => SandboxChoice::Off,
            other => {
                let why = format!("must be auto, bubblewrap, landlock or off, not “{other}”");
                return Err(invalid("sandbox", origin, why));
            }
        };
        self.note("sandbox", text, origin);
        Ok(choice)
    }

    pub(super) fn log(&mut self) -> Read<Option<String>> {
        let Some((text, origin)) = self.layers.text("log")? else {
            return Ok(self.unset("log"));
        };
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&text) {
            return Err(invalid(
                "log",
                origin,
                format!("is not a log filter: {error}"),
            ));
        }
        self.note("log", &text, origin);
        Ok(Some(text))
    }

    pub(super) fn limits(&mut self) -> Read<Limits> {
        let default = Limits::default();
        let steps = self.number("limits.steps", u64::from(default.steps), 1..=100_000)?;
        Ok(Limits {
            steps: u32::try_from(steps).unwrap_or(default.steps),
            tokens: self.number(
                "limits.tokens",
                default.tokens,
                1..=u64::from(u32::MAX) * 1000,
            )?,
            cost: self.dollars("limits.cost_usd", default.cost)?,
            wall_s: self.number("limits.wall_s", default.wall_s, 1..=30 * 24 * 3600)?,
        })
    }

    fn dollars(&mut self, key: &'static str, default: MicroUsd) -> Read<MicroUsd> {
        let Some((text, origin)) = self.layers.text(key)? else {
            self.note(key, default, Origin::Default);
            return Ok(default);
        };
        match text.trim().trim_start_matches('$').parse::<f64>() {
            Ok(dollars) if (0.0..=1_000_000.0).contains(&dollars) => {
                // In range, so nothing is lost but fractions of a millionth.
                #[allow(clippy::cast_possible_truncation)]
                let cost = MicroUsd((dollars * 1e6).round() as i64);
                self.note(key, cost, origin);
                Ok(cost)
            }
            _ => Err(invalid(
                key,
                origin,
                format!("must be an amount from 0 to 1000000, such as 2.50, not “{text}”"),
            )),
        }
    }
}

fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("is not an address ({error}): write it as https://host"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("must begin with https:// or http://".to_owned());
    }
    Ok(url)
}

/// An address may carry a name and a password; they are secrets.
fn without_credentials(url: &Url) -> Url {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown
}

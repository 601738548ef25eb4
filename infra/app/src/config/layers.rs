//! The layers of the configuration, the environment above the file, through figment: each value with where it came from.

use super::{
    ConfigError,
    keys::{KEYS, Key, nearest},
};
use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Variables of the environment by name. Passed in, so that tests have their own.
pub type Environment = BTreeMap<String, String>;

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    Default,
    File(PathBuf),
    Variable(&'static str),
    /// A variable that is no setting.
    Environment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Environment => f.write_str("the environment"),
        }
    }
}

/// What was set, by whom. No defaults in it.
pub(super) struct Layers {
    figment: Figment,
    file: Option<PathBuf>,
    environment: Environment,
}

impl Layers {
    pub(super) fn new(
        file: Option<PathBuf>,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(path) = &file {
            let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                path: path.clone(),
                why: error.to_string(),
            })?;
            let layer = Figment::from(Toml::string(&text));
            check_file(path, &layer)?;
            figment = figment.merge(layer);
        }
        let figment = figment.merge(Variables(environment));
        Ok(Self {
            figment,
            file,
            environment: environment.clone(),
        })
    }

    /// The value as a text, with its origin.
    pub(super) fn text(&self, path: &str) -> Result<Option<(String, Origin)>, ConfigError> {
        let Ok(value) = self.figment.find_value(path) else {
            return Ok(None);
        };
        let origin = self.origin(path);
        let text = match &value {
            Value::String(_, text) => text.clone(),
            Value::Num(_, number) => number
                .to_i128()
                .map(|n| n.to_string())
                .or_else(|| number.to_f64().map(|n| n.to_string()))
                .unwrap_or_default(),
            Value::Bool(_, yes) => yes.to_string(),
            _ => {
                return Err(ConfigError::Invalid {
                    key: path.to_owned(),
                    origin,
                    why: "must be a single value, not a list or a section".to_owned(),
                });
            }
        };
        Ok(Some((text, origin)))
    }

    fn origin(&self, path: &str) -> Origin {
        let variable = KEYS
            .iter()
            .find(|key| key.path == path)
            .and_then(|key| set_variable(key, &self.environment));
        match (variable, &self.file) {
            (Some((name, _)), _) => Origin::Variable(name),
            (None, Some(file)) => Origin::File(file.clone()),
            (None, None) => Origin::Default,
        }
    }
}

/// The variable that sets a key. An empty one sets nothing: that is how shells and unit files switch one off.
fn set_variable<'a>(
    key: &'static Key,
    environment: &'a Environment,
) -> Option<(&'static str, &'a str)> {
    key.variables.iter().find_map(|name| {
        let value = environment.get(*name)?.trim();
        (!value.is_empty()).then_some((*name, value))
    })
}

/// The environment as a layer. Values stay texts: a token that happens to be a number is no number.
struct Variables<'a>(&'a Environment);

impl Provider for Variables<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut dict = Dict::new();
        for key in KEYS {
            let Some((_, text)) = set_variable(key, self.0) else {
                continue;
            };
            let value = Value::from(text);
            match key.path.split_once('.') {
                None => {
                    dict.insert(key.path.to_owned(), value);
                }
                Some((section, name)) => {
                    let entry = dict
                        .entry(section.to_owned())
                        .or_insert_with(|| Value::from(Dict::new()));
                    if let Value::Dict(_, inner) = entry {
                        inner.insert(name.to_owned(), value);
                    }
                }
            }
        }
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// The file must be TOML, of a version that is known, and without keys that nobody reads.
fn check_file(path: &Path, layer: &Figment) -> Result<(), ConfigError> {
    let top: Dict = layer.extract().map_err(|error| ConfigError::NotToml {
        path: path.to_owned(),
        why: error.to_string().trim().to_owned(),
    })?;
    if let Some(version) = top.get("version") {
        let number = version.to_num().and_then(|number| number.to_i128());
        match number {
            Some(1) => {}
            Some(newer) if newer > 1 => {
                return Err(ConfigError::TooNew {
                    path: path.to_owned(),
                    version: newer,
                });
            }
            _ => {
                return Err(ConfigError::Invalid {
                    key: "version".to_owned(),
                    origin: Origin::File(path.to_owned()),
                    why: "must be 1".to_owned(),
                });
            }
        }
    }
    for key in leaves("", &top) {
        if !KEYS.iter().any(|known| known.path == key) {
            return Err(ConfigError::UnknownKey {
                hint: nearest(&key)
                    .map_or_else(String::new, |known| format!(" Did you mean {known}?")),
                path: path.to_owned(),
                key,
            });
        }
    }
    Ok(())
}

fn leaves(prefix: &str, dict: &Dict) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in dict {
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Dict(_, inner) if !inner.is_empty() => found.extend(leaves(&path, inner)),
            // An empty section sets nothing, if there is one of that name.
            Value::Dict(..)
                if KEYS
                    .iter()
                    .any(|key| key.path.starts_with(&format!("{path}."))) => {}
            _ => found.push(path),
        }
    }
    found
}

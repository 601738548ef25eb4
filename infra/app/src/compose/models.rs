//! Which models there are: the providers for which something is configured, and the one that agents without a wish get.

use super::BadStart;
use crate::config::{Config, Provider};
use model_http::{Dialect, HttpModel, SecretString};
use model_rehearsal::Rehearsal;
use ports::{
    Model,
    model::{ModelRef, Models},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use url::Url;

/// What an agent gets of a provider when nobody says which: good at tools, at a middle price. From the price table.
const ANTHROPIC: &str = "claude-sonnet-5-5";
const OPENAI: &str = "gpt-5.6-terra";
const OPENROUTER: &str = "anthropic/claude-sonnet-5.5";

/// A listener on this machine accepts within this, or is not there.
const CONNECT: Duration = Duration::from_millis(250);

/// The models of this process.
#[derive(Clone)]
pub struct Found {
    pub models: Models,
    /// Those that are servers, for `doctor`.
    pub servers: BTreeMap<&'static str, Arc<HttpModel>>,
    /// Where the default comes from, and how to get a better one.
    pub why: String,
}

/// # Errors
/// [`BadStart`] when the configuration names a model that cannot be had.
pub async fn find(config: &Config) -> Result<Found, BadStart> {
    let mut servers = configured(config)?;
    let mut default = config
        .model
        .clone()
        .map(|model| (model, "from the setting `model`".to_owned()));
    if default.is_none() {
        default = first(config, &servers).await?;
    }
    let wants_ollama = default
        .as_ref()
        .is_some_and(|(model, _)| model.provider == "ollama");
    if default.is_none() || wants_ollama || config.providers.ollama_set {
        let names = if default.is_none() {
            ollama(&config.providers.ollama).await
        } else {
            Some(Vec::new())
        };
        if let Some(names) = names {
            let server = server(
                Dialect::OpenAi,
                "ollama",
                config.providers.ollama.as_str(),
                None,
            )?;
            servers.insert("ollama", server);
            if let (None, Some(name)) = (&default, names.first()) {
                default = Some((model("ollama", name), "a local Ollama answers".to_owned()));
            }
        }
    }
    let (default, why) = default.unwrap_or_else(|| {
        let why = "not a language model; set ANTHROPIC_API_KEY, OPENAI_API_KEY or OPENROUTER_API_KEY, or start Ollama";
        (model(model_rehearsal::NAME, model_rehearsal::NAME), why.to_owned())
    });
    let mut providers: BTreeMap<String, Arc<dyn Model>> = BTreeMap::new();
    for (name, server) in &servers {
        providers.insert((*name).to_owned(), server.clone());
    }
    providers.insert(model_rehearsal::NAME.to_owned(), Arc::new(Rehearsal));
    if !providers.contains_key(&default.provider) {
        return Err(BadStart(missing(&default, &providers)));
    }
    Ok(Found {
        models: Models {
            tiers: tiers(config, &providers)?,
            providers,
            default,
        },
        servers,
        why,
    })
}

/// What `tier/fast` and `tier/strong` stand for, where the configuration says so.
fn tiers(
    config: &Config,
    there: &BTreeMap<String, Arc<dyn Model>>,
) -> Result<BTreeMap<String, ModelRef>, BadStart> {
    let mut tiers = BTreeMap::new();
    for (tier, model) in &config.tiers {
        if !there.contains_key(&model.provider) {
            let (names, provider) = (there.keys().cloned().collect::<Vec<_>>(), &model.provider);
            return Err(BadStart(format!(
                "The setting `model_{tier}` is {model}, but {provider} is not configured: choose a model of {}.",
                names.join(", ")
            )));
        }
        tiers.insert(tier.clone(), model.clone());
    }
    Ok(tiers)
}

fn missing(wanted: &ModelRef, there: &BTreeMap<String, Arc<dyn Model>>) -> String {
    let how = match wanted.provider.as_str() {
        "anthropic" => "set ANTHROPIC_API_KEY".to_owned(),
        "openai" => "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys".to_owned(),
        "openrouter" => "set OPENROUTER_API_KEY".to_owned(),
        _ => "there is no such provider".to_owned(),
    };
    let there: Vec<&str> = there.keys().map(String::as_str).collect();
    format!(
        "COUNTERSIGN_MODEL is {wanted}, but {} is not configured: {how}, or choose a model of {}.",
        wanted.provider,
        there.join(", ")
    )
}

fn model(provider: &str, name: &str) -> ModelRef {
    ModelRef {
        provider: provider.to_owned(),
        model: name.to_owned(),
    }
}

fn server(
    dialect: Dialect,
    name: &'static str,
    url: &str,
    key: Option<SecretString>,
) -> Result<Arc<HttpModel>, BadStart> {
    match HttpModel::new(dialect, name, url, key) {
        Ok(server) => {
            if server.is_exposed() {
                tracing::warn!(
                    provider = name,
                    "key and conversations go there unencrypted: use https"
                );
            }
            Ok(Arc::new(server))
        }
        Err(error) => Err(BadStart(format!(
            "The model provider {name} cannot be used: {error}."
        ))),
    }
}

/// One server per provider that has a key, or an address of one's own.
fn configured(config: &Config) -> Result<BTreeMap<&'static str, Arc<HttpModel>>, BadStart> {
    let mut servers = BTreeMap::new();
    let providers = &config.providers;
    let known = [
        (
            "anthropic",
            Dialect::Anthropic,
            &providers.anthropic,
            model_http::ANTHROPIC,
        ),
        (
            "openai",
            Dialect::OpenAi,
            &providers.openai,
            model_http::OPENAI,
        ),
    ];
    for (name, dialect, Provider { key, base_url }, usual) in known {
        if key.is_some() || base_url.is_some() {
            let url = base_url.as_ref().map_or(usual, Url::as_str);
            servers.insert(name, server(dialect, name, url, key.clone())?);
        }
    }
    if let Some(key) = &providers.openrouter {
        let server = server(
            Dialect::OpenAi,
            "openrouter",
            model_http::OPENROUTER,
            Some(key.clone()),
        )?;
        servers.insert("openrouter", server);
    }
    Ok(servers)
}

/// The first provider that is configured, in this order.
async fn first(
    config: &Config,
    servers: &BTreeMap<&'static str, Arc<HttpModel>>,
) -> Result<Option<(ModelRef, String)>, BadStart> {
    if servers.contains_key("anthropic") {
        return Ok(Some((
            model("anthropic", ANTHROPIC),
            "because ANTHROPIC_API_KEY is set".to_owned(),
        )));
    }
    if let Some(server) = servers.get("openai") {
        let Some(url) = &config.providers.openai.base_url else {
            return Ok(Some((
                model("openai", OPENAI),
                "because OPENAI_API_KEY is set".to_owned(),
            )));
        };
        // A server of one's own has models of its own.
        return match server.probe().await {
            Ok(names) => match names.first() {
                Some(name) => Ok(Some((model("openai", name), format!("the first model of {}", url.host_str().unwrap_or("the server"))))),
                None => Err(BadStart("The server at OPENAI_BASE_URL offers no model: load one, or set COUNTERSIGN_MODEL.".to_owned())),
            },
            // It may come up later; then its name must be known.
            Err(error) => {
                tracing::warn!(%error, "the server at OPENAI_BASE_URL does not list its models");
                Ok(Some((model("openai", OPENAI), "the server at OPENAI_BASE_URL did not say which models it has; set COUNTERSIGN_MODEL".to_owned())))
            }
        };
    }
    if servers.contains_key("openrouter") {
        return Ok(Some((
            model("openrouter", OPENROUTER),
            "because OPENROUTER_API_KEY is set".to_owned(),
        )));
    }
    Ok(None)
}

/// The models of an Ollama that answers. A connection is tried first, because it is cheap and most machines have none.
async fn ollama(url: &Url) -> Option<Vec<String>> {
    let address = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    tokio::time::timeout(CONNECT, TcpStream::connect(address))
        .await
        .ok()?
        .ok()?;
    model_http::detect_ollama(url.as_str()).await
}

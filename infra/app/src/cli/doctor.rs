//! `countersign doctor`: tries everything that the program relies on, and says what to do about each. It sends nothing but
//! questions, and changes nothing.

mod database;

use super::{
    Context, Failure,
    output::{fields, table},
    up,
};
use crate::{
    compose::{BadStart, directory, models, sandbox, secrets, surfaces},
    config::{Config, SandboxChoice},
    http,
};
use bot::telegram::ApiError;
use serde::Serialize;
use std::os::unix::fs::PermissionsExt;

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Health {
    Good,
    /// It works, and could be better.
    Fair,
    Broken,
}

#[derive(Serialize, Debug)]
struct Check {
    what: &'static str,
    health: Health,
    /// What is, and what to do about it.
    found: String,
}

fn check(what: &'static str, health: Health, found: impl Into<String>) -> Check {
    Check {
        what,
        health,
        found: found.into(),
    }
}

pub async fn run(context: Context) -> Result<u8, Failure> {
    let Context { config, output, .. } = context;
    let mut checks = vec![home(&config)];
    let found = models::find(&config).await;
    checks.extend(database::checks(&config, found.as_ref().ok()).await);
    let (models, sandbox, telegram, port) = tokio::join!(
        models(found),
        sandbox(&config),
        telegram(&config),
        port(&config)
    );
    checks.extend(models);
    checks.extend([sandbox, telegram, webhook(&config), port]);
    checks.push(match secrets::hide_file(&config).await {
        Ok(count) => check("secrets", Health::Good, format!("{count} in the file")),
        Err(error) => check("secrets", Health::Broken, error.0),
    });
    // What a server answered may quote the key.
    for check in &mut checks {
        check.found = config.redaction.text(&check.found);
    }
    let broken = checks.iter().any(|check| check.health == Health::Broken);
    let settings: Vec<serde_json::Value> = config
        .settings
        .iter()
        .map(|setting| serde_json::json!({"key": setting.key, "value": setting.shown, "origin": setting.origin.to_string(), "about": setting.about}))
        .collect();
    let value = serde_json::json!({"healthy": !broken, "checks": checks, "settings": settings});
    output.show(&value, || report(&checks, &config))?;
    Ok(u8::from(broken))
}

fn report(checks: &[Check], config: &Config) -> String {
    let lines: Vec<(&str, String)> = checks
        .iter()
        .map(|check| {
            let sign = match check.health {
                Health::Good => "✓",
                Health::Fair => "!",
                Health::Broken => "✗",
            };
            (check.what, format!("{sign} {}", check.found))
        })
        .collect();
    let rows: Vec<Vec<String>> = config
        .settings
        .iter()
        .map(|setting| {
            vec![
                setting.key.to_owned(),
                setting.shown.clone(),
                setting.origin.to_string(),
                setting.about.to_owned(),
            ]
        })
        .collect();
    format!(
        "{}\n\n{}",
        fields(&lines),
        table(&["setting", "value", "from", "what it is"], &rows, "")
    )
}

fn home(config: &Config) -> Check {
    let home = &config.home;
    let Ok(found) = std::fs::metadata(home) else {
        return check(
            "data",
            Health::Good,
            format!(
                "{} does not exist yet; the first start makes it",
                home.display()
            ),
        );
    };
    if let Err(error) = directory::writable(home) {
        return check("data", Health::Broken, error.0);
    }
    let others = found.permissions().mode() & 0o066;
    if others != 0 {
        return check(
            "data",
            Health::Fair,
            format!(
                "others can read or write {}: chmod go-rw {}",
                home.display(),
                home.display()
            ),
        );
    }
    check("data", Health::Good, home.display().to_string())
}

async fn models(found: Result<models::Found, BadStart>) -> Vec<Check> {
    let found = match found {
        Ok(found) => found,
        Err(error) => return vec![check("model", Health::Broken, error.0)],
    };
    let default = &found.models.default;
    let rehearsal = default.provider == model_rehearsal::NAME;
    let mut checks = vec![check(
        "model",
        if rehearsal {
            Health::Fair
        } else {
            Health::Good
        },
        format!("{default}: {}", found.why),
    )];
    for (name, server) in &found.servers {
        let is_default = *name == default.provider;
        checks.push(match server.probe().await {
            Ok(names) if is_default && !names.contains(&default.model) => {
                check("provider", Health::Fair, format!("{name} answers, but does not list {}: set COUNTERSIGN_MODEL to one that it has", default.model))
            }
            Ok(names) => check("provider", Health::Good, format!("{name} answers with {} models", names.len())),
            // Somebody else's agents may still want it; the default one is what counts.
            Err(error) => {
                let health = if is_default || !matches!(*name, "ollama") { Health::Broken } else { Health::Fair };
                check("provider", health, format!("{name}: {error}: {}", remedy(name)))
            }
        });
    }
    checks
}

fn remedy(provider: &str) -> &'static str {
    match provider {
        "anthropic" => "check ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL",
        "openai" => "check OPENAI_API_KEY and OPENAI_BASE_URL",
        "openrouter" => "check OPENROUTER_API_KEY",
        _ => "start it, or check OLLAMA_HOST",
    }
}

async fn sandbox(config: &Config) -> Check {
    let picked = sandbox::pick(config).await;
    let health = match (&picked.tier, config.sandbox) {
        (Ok(tier), _) if tier.degraded.is_empty() => Health::Good,
        // Wanted so.
        (Ok(_), _) | (Err(_), SandboxChoice::Off) => Health::Fair,
        (Err(_), _) => Health::Broken,
    };
    check("sandbox", health, up::sandbox(&picked))
}

async fn telegram(config: &Config) -> Check {
    let what = "telegram";
    let Some(api) = surfaces::telegram(config) else {
        return check(
            what,
            Health::Fair,
            "not configured: set TELEGRAM_BOT_TOKEN (@BotFather gives one)",
        );
    };
    match api.me().await {
        Ok(me) => check(what, Health::Good, format!("@{}", me.username)),
        Err(ApiError::Refused {
            code: 401 | 404, ..
        }) => check(
            what,
            Health::Broken,
            "does not know the token: copy it again from @BotFather into TELEGRAM_BOT_TOKEN",
        ),
        Err(error) => check(
            what,
            Health::Broken,
            format!("{error}: check the network, and TELEGRAM_API_URL where it is set"),
        ),
    }
}

fn webhook(config: &Config) -> Check {
    match (&config.telegram.token, &config.public_url) {
        (None, _) => check("updates", Health::Good, "none without Telegram"),
        (Some(_), None) => check(
            "updates",
            Health::Good,
            "by long polling; set COUNTERSIGN_PUBLIC_URL for a webhook",
        ),
        (Some(_), Some(url)) => check(
            "updates",
            Health::Good,
            format!("pushed to {url}, which must lead to {}", config.listen),
        ),
    }
}

async fn port(config: &Config) -> Check {
    match http::bind(config.listen).await {
        Ok(_) => check("port", Health::Good, format!("{} is free", config.listen)),
        Err(_) if is_ours(config).await => check(
            "port",
            Health::Good,
            format!("{}: a `countersign up` is running", config.listen),
        ),
        Err(sentence) => check("port", Health::Broken, sentence),
    }
}

/// Whether what listens there answers as we do.
async fn is_ours(config: &Config) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect(config.listen).await.ok()?;
        stream
            .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
            .await
            .ok()?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer).await.ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer.contains(" 200 ") && answer.ends_with("ok\n")).then_some(())
    };
    let limit = std::time::Duration::from_secs(2);
    matches!(tokio::time::timeout(limit, asked).await, Ok(Some(())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::word;

    #[test]
    fn states_have_stable_names() {
        assert_eq!(
            [Health::Good, Health::Fair, Health::Broken].map(|health| word(&health)),
            ["good", "fair", "broken"]
        );
    }
}

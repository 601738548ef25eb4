//! `countersign secrets`: values that no agent, message, record or log may show. A value is read from stdin, never from the command
//! line, which other users and the shell's history can see.

use super::{Context, Failure, output::table};
use crate::{
    compose::{directory, secrets},
    config::{Config, environment::EnvironmentSecrets},
};
use domain::redact::SHORTEST;
use ports::{
    Secret, Secrets,
    secrets::{SecretsError, check_name},
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use secrets_file::FileSecrets;
use serde::Serialize;
use std::io::{self, IsTerminal, Read, Stdin};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Keep a value under a name; the value is read from standard input, or asked for
    Set { name: String },
    /// Names of all secrets, and where they come from
    List,
    /// Forget a value
    Remove { name: String },
}

#[derive(Serialize)]
struct Known {
    name: String,
    from: &'static str,
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let Context { config, output, .. } = context;
    match arguments.command {
        Command::Set { name } => {
            check_name(&name).map_err(|error| Failure::usage(format!("“{name}”: {error}.")))?;
            let file = file(&config)?;
            let value = value(&name)?;
            let short = value.len() < SHORTEST;
            let secret = Secret {
                name: name.clone(),
                value: SecretString::from(value),
            };
            directory::prepare(&config)?;
            secrets::refuse_new(&config, secret.clone()).await?;
            file.set(secret)
                .await
                .map_err(|error| bad(&config, &error))?;
            output.show(&serde_json::json!({"name": name, "redacted": !short}), || match short {
                true => format!("“{name}” is kept. It has fewer than {SHORTEST} characters, so it cannot be told from ordinary words and is NOT redacted."),
                false => format!("“{name}” is kept. From now on [secret:{name}] stands wherever it would be kept or shown; what was kept before stays as it is."),
            })?;
        }
        Command::List => {
            let known = known(&config).await?;
            let row = |one: &Known| vec![one.name.clone(), one.from.to_owned()];
            output.show(&known, || {
                let rows: Vec<Vec<String>> = known.iter().map(row).collect();
                table(
                    &["name", "from"],
                    &rows,
                    "There is no secret yet: `countersign secrets set NAME`.",
                )
            })?;
        }
        Command::Remove { name } => {
            let removed = file(&config)?.remove(&name).await;
            if !removed.map_err(|error| bad(&config, &error))? {
                return Err(Failure::new(format!(
                    "There is no secret “{name}” in the file: `countersign secrets list` shows which there are."
                )));
            }
            output.show(&serde_json::json!({"removed": name}), || {
                format!("“{name}” is forgotten.")
            })?;
        }
    }
    Ok(0)
}

fn bad(config: &Config, error: &SecretsError) -> Failure {
    secrets::bad(config, error).into()
}

fn file(config: &Config) -> Result<FileSecrets, Failure> {
    secrets::file(config)?.ok_or_else(|| {
        Failure::new(
            "Secrets are encrypted with a key from the environment: set COUNTERSIGN_SECRETS_KEY, for example to what `openssl rand -base64 32` prints, and keep it, because without it the secrets are lost.",
        )
    })
}

/// Each name once for where it comes from.
async fn known(config: &Config) -> Result<Vec<Known>, Failure> {
    let configured = EnvironmentSecrets(config.secrets.clone());
    let mut sources: Vec<(&'static str, Box<dyn Secrets>)> =
        vec![("configuration", Box::new(configured))];
    if let Some(file) = secrets::file(config)? {
        sources.push(("file", Box::new(file)));
    }
    let mut known: Vec<Known> = Vec::new();
    for (from, source) in sources {
        let all = source.all().await.map_err(|error| bad(config, &error))?;
        known.extend(
            all.into_iter()
                .map(|Secret { name, .. }| Known { name, from }),
        );
    }
    known.sort_by(|a, b| (&a.name, a.from).cmp(&(&b.name, b.from)));
    known.dedup_by(|a, b| (&a.name, a.from) == (&b.name, b.from));
    Ok(known)
}

/// The value, without the line's end that `echo` and the Enter key add.
fn value(name: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    let read = if stdin.is_terminal() {
        eprint!("Value of {name} (not shown): ");
        let read = without_echo(&stdin);
        eprintln!();
        read
    } else {
        let mut text = String::new();
        stdin.lock().read_to_string(&mut text).map(|_| text)
    };
    let mut text =
        read.map_err(|error| Failure::new(format!("The value cannot be read: {error}.")))?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    match text.trim().is_empty() {
        true => Err(Failure::usage(
            "There is no value: type it, or pipe it in (`countersign secrets set NAME < file`).",
        )),
        false => Ok(text),
    }
}

fn without_echo(stdin: &Stdin) -> io::Result<String> {
    /// The terminal as it was, put back however reading ends.
    struct Before<'a>(&'a Stdin, Termios);
    impl Drop for Before<'_> {
        fn drop(&mut self) {
            let _ = tcsetattr(self.0, OptionalActions::Now, &self.1);
        }
    }
    let before = tcgetattr(stdin)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let _before = Before(stdin, before);
    tcsetattr(stdin, OptionalActions::Flush, &silent)?;
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    Ok(line)
}

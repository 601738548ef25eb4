//! The command line: one file per command. Each prints tables for people, and with `--json` one JSON value for programs; what
//! goes wrong is one sentence on stderr and a status.
//!
//! | status | means |
//! |---|---|
//! | 0 | done |
//! | 1 | it failed, or could not start |
//! | 2 | the command line is wrong |
//! | 3 | `ask`: nobody agreed to the last call that needed it |
//! | 4 | `ask --wait`: still waiting for a decision |

mod agents;
mod approvals;
mod ask;
mod audit;
mod budgets;
mod chat;
mod choice;
mod doctor;
mod export;
mod failure;
mod follow;
mod import;
mod knowledge;
mod mcp;
mod memory;
mod migrate;
mod output;
mod pair;
mod read_pdf;
mod rules;
mod runs;
mod secrets;
mod sessions;
mod skills;
mod stop;
mod up;
mod webhook;
mod worker;

pub use failure::Failure;

use crate::{
    compose::{Local, vault},
    config::{self, Config, Places},
    telemetry::{self, Loudness},
};
use clap::{CommandFactory, Parser, Subcommand};
use output::Output;
use std::{ffi::OsString, path::PathBuf};

/// Agents that work for you in Telegram, and act only on your countersignature.
#[derive(Parser, Debug)]
#[command(name = "countersign", version, about, disable_help_subcommand = true)]
pub struct Arguments {
    /// The configuration file, instead of countersign.toml here or in the data directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Commands that without a verb show what there is.
const LISTS: [&str; 10] = [
    "agents",
    "runs",
    "approvals",
    "rules",
    "audit",
    "knowledge",
    "skills",
    "mcp",
    "memory",
    "sessions",
];

impl Arguments {
    /// The command line of this process. One that is wrong ends the process, as does a question for help.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::read(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// # Errors
    /// What is wrong with it.
    fn read<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Result<Self, clap::Error> {
        let mut words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        if let Some(at) = verb_missing(&words) {
            words.insert(at, "list".into());
        }
        Self::try_parse_from(words)
    }
}

/// Where a `list` has to stand: behind a command of [`LISTS`] that has no verb, whatever flags it has.
fn verb_missing(words: &[OsString]) -> Option<usize> {
    let is_flag = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    // In front of the command there may be flags, one of which has a value.
    let before = |at: usize| words.get(at - 1).is_some_and(|word| word == "--config");
    let at = (1..words.len()).find(|at| !is_flag(&words[*at]) && !before(*at))?;
    let name = words[at].to_str().filter(|name| LISTS.contains(name))?;
    let rest = &words[at + 1..];
    let described = description();
    let command = described.find_subcommand(name)?;
    let speaks = |word: &OsString| {
        let verb = word
            .to_str()
            .is_some_and(|word| command.find_subcommand(word).is_some());
        verb || word == "-h" || word == "--help"
    };
    // A word that is no verb is a typing error, which the parser explains better.
    let none = rest.first().is_none_or(is_flag) && !rest.iter().any(speaks);
    none.then_some(at + 1)
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Start the service (also without any command)
    Up(up::Arguments),
    /// Work on some lanes of a team, beside other processes
    Worker(worker::Arguments),
    /// Set, show and delete the address to which Telegram pushes
    Webhook(webhook::Arguments),
    /// Do one task and exit
    Ask(ask::Arguments),
    /// Talk to an agent here
    Chat(chat::Arguments),
    /// List, show and change agents
    Agents(agents::Arguments),
    /// List conversations, begin another one, go back to an earlier one
    Sessions(sessions::Arguments),
    /// List, show and cancel runs
    Runs(runs::Arguments),
    /// List and decide approvals
    Approvals(approvals::Arguments),
    /// List, add and remove permission rules
    Rules(rules::Arguments),
    /// Add, list and search documents that agents look things up in
    Knowledge(knowledge::Arguments),
    /// List, install and remove skills, and give them to agents
    Skills(skills::Arguments),
    /// Servers of further tools: add, look at, approve, restart, remove
    Mcp(mcp::Arguments),
    /// What is remembered: list, show and edit it
    Memory(memory::Arguments),
    /// List and set what models may cost
    Budgets(budgets::Arguments),
    /// Show, seal and verify the audit
    Audit(audit::Arguments),
    /// Print a one-time code that pairs a person
    Pair(pair::Arguments),
    /// Keep values that no agent, message or record may show
    Secrets(secrets::Arguments),
    /// Check everything and say what to do about it
    Doctor,
    /// Bring the database's schema up to date
    Migrate(migrate::Arguments),
    /// Write a backup of everything into one file, also while the service runs
    Export(export::Arguments),
    /// Bring a backup into an empty data directory
    Import(import::Arguments),
    /// What this program does inside the sandbox to a PDF
    #[command(name = extract_pdf::COMMAND, hide = true)]
    ReadPdf(read_pdf::Arguments),
}

/// What every command is given.
pub struct Context {
    pub config: Config,
    pub output: Output,
    /// What the person edits texts with.
    pub editor: Option<String>,
}

impl Context {
    async fn open(self) -> Result<(Local, Output), Failure> {
        Ok((Local::open(self.config).await?, self.output))
    }
}

/// Runs a command line and answers the exit status. A failure is printed already.
pub async fn run(arguments: Arguments) -> u8 {
    match start(arguments).await {
        Ok(status) => status,
        Err(failure) => {
            // One line, also where it came from an error with several.
            let text = failure
                .text
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            if !text.is_empty() {
                eprintln!("countersign: {text}");
            }
            failure.status
        }
    }
}

async fn start(arguments: Arguments) -> Result<u8, Failure> {
    // It has no data directory, and needs none.
    if let Some(Command::ReadPdf(arguments)) = &arguments.command {
        return read_pdf::run(arguments);
    }
    let places = vault::unlocked(Places::of_this_process(arguments.config)).await?;
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| places.environment.get(*name))
        .filter(|editor| !editor.trim().is_empty())
        .cloned();
    let config = config::load(&places).map_err(|error| Failure::new(error.to_string()))?;
    let command = arguments
        .command
        .unwrap_or(Command::Up(up::Arguments::default()));
    let loudness = match command {
        // In a conversation, lines of the log would stand between the lines of the people.
        Command::Up(ref arguments) if !arguments.talks() => Loudness::Service,
        Command::Worker(_) => Loudness::Service,
        _ => Loudness::Command,
    };
    let redaction = config.redaction.clone();
    telemetry::log(config.log.as_deref(), loudness, redaction.clone());
    let context = Context {
        config,
        output: Output {
            json: arguments.json,
        },
        editor,
    };
    let done = dispatch(command, context).await;
    done.map_err(|failure| Failure {
        text: redaction.text(&failure.text),
        ..failure
    })
}

async fn dispatch(command: Command, context: Context) -> Result<u8, Failure> {
    match command {
        Command::Up(arguments) => up::run(context, arguments).await,
        Command::Worker(arguments) => worker::run(context, &arguments).await,
        Command::Webhook(arguments) => webhook::run(context, arguments).await,
        Command::Ask(arguments) => ask::run(context, arguments).await,
        Command::Chat(arguments) => chat::run(context, arguments).await,
        Command::Agents(arguments) => agents::run(context, arguments).await,
        Command::Sessions(arguments) => sessions::run(context, arguments).await,
        Command::Runs(arguments) => runs::run(context, arguments).await,
        Command::Approvals(arguments) => approvals::run(context, arguments).await,
        Command::Rules(arguments) => rules::run(context, arguments).await,
        Command::Knowledge(arguments) => knowledge::run(context, arguments).await,
        Command::Skills(arguments) => skills::run(context, arguments).await,
        Command::Mcp(arguments) => mcp::run(context, arguments).await,
        Command::Memory(arguments) => memory::run(context, arguments).await,
        Command::Budgets(arguments) => budgets::run(context, arguments).await,
        Command::Audit(arguments) => audit::run(context, arguments).await,
        Command::Pair(arguments) => pair::run(context, arguments).await,
        Command::Secrets(arguments) => secrets::run(context, arguments).await,
        Command::Doctor => doctor::run(context).await,
        Command::Migrate(arguments) => migrate::run(context, &arguments).await,
        Command::Export(arguments) => export::run(context, &arguments).await,
        Command::Import(arguments) => import::run(context, &arguments).await,
        Command::ReadPdf(arguments) => read_pdf::run(&arguments),
    }
}

/// The command line's own description, for documentation and its tests.
#[must_use]
pub fn description() -> clap::Command {
    Arguments::command()
}

#[cfg(test)]
mod tests;

//! `countersign agents`: list, show and change agents.

mod past;

use super::{
    Context, Failure, ask,
    output::{self, fields, table, when, word},
};
use crate::compose::Local;
use domain::{
    Micros,
    agent::{Agent, AgentStatus},
};
use handlers::{
    agents::{self, Change},
    commit_with,
};
use std::{io::Read, path::PathBuf};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All agents
    List {
        /// The archived ones too
        #[arg(long)]
        all: bool,
    },
    /// Everything about one agent
    Show { name: String },
    /// Make a new agent of this name, or from a description in plain words: "a careful reviewer of our Rust PRs"
    Create {
        #[arg(value_name = "NAME|WORDS")]
        name: String,
        #[command(flatten)]
        fields: Fields,
        /// From words: wait for the decision this long; 60 where nobody can be asked here
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u64>,
    },
    /// Change an agent
    Set {
        name: String,
        #[command(flatten)]
        fields: Fields,
        /// Give it another name
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
    },
    /// Let it start no new runs
    Pause { name: String },
    /// Let it work again, also one that was archived
    Resume { name: String },
    /// Take it out of the lists
    Archive { name: String },
    /// Delete an archived agent
    Delete { name: String },
    /// Give it another name
    Rename { name: String, new: String },
    /// Make another one that is the same
    Duplicate { name: String, new: String },
    /// Every change: who, when and what
    History { name: String },
    /// Take the latest change back; once more, the one before it
    Undo { name: String },
    /// Print it as a file: its properties as YAML, then what it is told
    Export { name: String },
    /// Make or change the agent that a file says; - for standard input
    Import { file: PathBuf },
}

#[derive(clap::Args, Debug)]
struct Fields {
    /// What it is for, in one line
    #[arg(long)]
    description: Option<String>,
    /// What it is told
    #[arg(long, value_name = "TEXT", conflicts_with = "prompt_file")]
    prompt: Option<String>,
    /// What it is told, from a file; - for standard input
    #[arg(long, value_name = "FILE")]
    prompt_file: Option<PathBuf>,
    /// provider/model; empty for the default one
    #[arg(long)]
    model: Option<String>,
    /// provider/model to use when the first does not answer; may be given several times
    #[arg(long)]
    fallback: Option<Vec<String>>,
    /// The preset of its permissions: ask-first, read-only, development, full-access
    #[arg(long)]
    preset: Option<String>,
    /// May be given several times
    #[arg(long)]
    skill: Option<Vec<String>>,
    /// A knowledge collection, by name or id; may be given several times
    #[arg(long)]
    knowledge: Option<Vec<String>>,
    /// Further properties, a JSON object
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

impl Fields {
    fn change(self) -> Result<Change, Failure> {
        let metadata = self.metadata.map(|text| {
            serde_json::from_str(&text).map_err(|error| {
                Failure::usage(format!("--metadata must be a JSON object: {error}."))
            })
        });
        let prompt = match &self.prompt_file {
            Some(path) => Some(read(path)?),
            None => self.prompt,
        };
        Ok(Change {
            description: self.description,
            system_prompt: prompt,
            model: self.model,
            fallbacks: self.fallback,
            preset: self.preset.map(known_preset).transpose()?,
            skills: self.skill,
            knowledge_ids: self.knowledge,
            metadata: metadata.transpose()?,
            ..Change::default()
        })
    }
}

pub(super) fn read(path: &PathBuf) -> Result<String, Failure> {
    let mut text = String::new();
    let result = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    result.map_err(|error| Failure::new(format!("{} cannot be read: {error}.", path.display())))?;
    Ok(text)
}

fn known_preset(name: String) -> Result<String, Failure> {
    let presets = catalog::policies().map_err(|error| Failure::new(error.to_string()))?;
    if presets.iter().any(|preset| preset.name == name) {
        return Ok(name);
    }
    let names: Vec<&str> = presets.iter().map(|preset| preset.name.as_str()).collect();
    Err(Failure::usage(format!(
        "“{name}” is not a preset: choose one of {}.",
        names.join(", ")
    )))
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    if let Command::Create { name, wait, .. } = &arguments.command
        && name.contains(char::is_whitespace)
    {
        return ask::design(local, output, name, *wait).await;
    }
    let home = &local.home;
    match arguments.command {
        Command::List { all } => {
            let agents = agents::list(home, all).await?;
            output.show(&agents, || list(&agents))?;
        }
        Command::Show { name } => {
            let agent = agents::find(home, &name).await?.value;
            let knows = agents::known_as(home, past::reader(&local), &agent).await?;
            output.show(&agent, || show(&agent, &knows, home.now()))?;
        }
        Command::Create { name, fields, .. } => {
            let change = Change {
                name: Some(name),
                ..fields.change()?
            };
            let agent = commit_with(home, async || {
                agents::create(home, &local.owner, change.clone()).await
            })
            .await?;
            output.show(&agent, || {
                format!(
                    "Agent {} was made: countersign ask --agent {} \"…\"",
                    agent.name, agent.name
                )
            })?;
        }
        Command::Set {
            name,
            fields,
            rename,
        } => {
            let change = Change {
                name: rename,
                ..fields.change()?
            };
            if change == Change::default() {
                return Err(Failure::usage(
                    "Nothing to change was named: see `countersign agents set --help`.",
                ));
            }
            set(&local, output, &name, change).await?;
        }
        Command::Pause { name } => status(&local, output, &name, AgentStatus::Paused).await?,
        Command::Resume { name } => status(&local, output, &name, AgentStatus::Active).await?,
        Command::Archive { name } => status(&local, output, &name, AgentStatus::Archived).await?,
        other => return past::run(&local, output, other).await.map(|()| 0),
    }
    Ok(0)
}

async fn status(
    local: &Local,
    output: output::Output,
    name: &str,
    status: AgentStatus,
) -> Result<(), Failure> {
    let change = Change {
        status: Some(status),
        ..Change::default()
    };
    set(local, output, name, change).await
}

async fn set(
    local: &Local,
    output: output::Output,
    name: &str,
    change: Change,
) -> Result<(), Failure> {
    let home = &local.home;
    let agent = commit_with(home, async || {
        agents::change(home, &local.owner, name, change.clone()).await
    })
    .await?;
    output.show(&agent, || {
        format!(
            "Agent {} is {} (version {}).",
            agent.name,
            word(&agent.status),
            agent.version
        )
    })
}

fn model(agent: &Agent) -> String {
    match (agent.provider.as_str(), agent.model.as_str()) {
        ("", _) | (_, "") => "default".to_owned(),
        (provider, model) => format!("{provider}/{model}"),
    }
}

fn list(agents: &[Agent]) -> String {
    let rows: Vec<Vec<String>> = agents
        .iter()
        .map(|agent| {
            vec![
                agent.name.clone(),
                word(&agent.status),
                model(agent),
                agent.permissions.preset.clone(),
                agent.description.clone(),
            ]
        })
        .collect();
    table(
        &["name", "status", "model", "preset", "description"],
        &rows,
        "No agents: make one with `countersign agents create NAME`.",
    )
}

fn show(agent: &Agent, knows: &[String], now: Micros) -> String {
    fields(&[
        ("name", agent.name.clone()),
        ("id", agent.id.to_string()),
        ("status", word(&agent.status)),
        ("description", agent.description.clone()),
        ("model", model(agent)),
        ("fallbacks", agent.fallbacks.join(", ")),
        ("preset", agent.permissions.preset.clone()),
        (
            "rules",
            agent
                .permissions
                .rules
                .iter()
                .map(bot::text::en::rule)
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        ("skills", agent.skills.join(", ")),
        ("knowledge", knows.join(", ")),
        (
            "metadata",
            if agent.metadata.is_empty() {
                String::new()
            } else {
                word(&agent.metadata)
            },
        ),
        ("version", agent.version.to_string()),
        ("changed", when(agent.updated_at, now)),
        ("prompt", agent.system_prompt.clone()),
    ])
}

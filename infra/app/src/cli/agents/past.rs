//! Agents as files and as they were.

use super::{Command, read, set};
use crate::{
    cli::{
        Failure,
        output::{self, Output},
    },
    compose::Local,
};
use bot::text::en;
use handlers::{
    agents::{self, Change},
    commit_with,
    knowledge::Reader,
};

/// Whoever has the machine, alone at it.
pub(super) fn reader(local: &Local) -> Reader<'_> {
    Reader {
        member: &local.owner,
        alone: true,
    }
}

pub async fn run(local: &Local, output: Output, command: Command) -> Result<(), Failure> {
    let home = &local.home;
    match command {
        Command::Duplicate { name, new } => {
            let draft = async || agents::duplicate(home, &local.owner, &name, &new).await;
            let agent = commit_with(home, draft).await?;
            output.show(&agent, || format!("Agent {} was made.", agent.name))
        }
        Command::Delete { name } => {
            let draft = async || agents::delete(home, &local.owner, &name).await;
            let agent = commit_with(home, draft).await?;
            output.show(&agent, || format!("Agent {} was deleted.", agent.name))
        }
        Command::Rename { name, new } => {
            let change = Change {
                name: Some(new),
                ..Change::default()
            };
            set(local, output, &name, change).await
        }
        Command::History { name } => {
            let past = agents::history(home, reader(local), &name).await?;
            output.past(&past, home.now())
        }
        Command::Undo { name } => {
            let draft = async || agents::undo(home, &local.owner, &name).await;
            let (agent, number) = commit_with(home, draft).await?;
            output.show(&agent, || en::version_undone(&agent, number))
        }
        Command::Export { name } => {
            let text = agents::export(home, reader(local), &name).await?;
            if output.json {
                return output.show(&text, String::new);
            }
            output::print(text.trim_end());
            Ok(())
        }
        Command::Import { file } => {
            let text = read(&file)?;
            let presets = catalog::policies().map_err(|error| Failure::new(error.to_string()))?;
            let presets: Vec<String> = presets.into_iter().map(|preset| preset.name).collect();
            let draft = async || agents::import(home, &local.owner, &text, &presets).await;
            let agent = commit_with(home, draft).await?;
            output.show(&agent, || {
                format!(
                    "Agent {} is as the file says (version {}).",
                    agent.name, agent.version
                )
            })
        }
        _ => Ok(()),
    }
}

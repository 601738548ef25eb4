//! `countersign memory`: what is remembered, as the files that people read and edit. A member's file is their own; here that is
//! the person at this terminal.

use super::{
    Context, Failure,
    agents::read,
    output::{self, fields, table, when},
};
use crate::compose::Local;
use bot::text::en;
use domain::{
    Micros,
    id::{SessionId, short},
    memory::{Layer, Memory},
    session::conversation_id,
};
use handlers::{
    agents, commit_with,
    memory::{self, Shown, Written},
    sessions,
};
use ports::repo;
use std::{
    path::{Path, PathBuf},
    process::Command as Process,
};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All memories that may be read here, with their sizes
    List,
    /// Print one
    Show(Which),
    /// Open one in $VISUAL or $EDITOR
    Edit(Which),
    /// Put a file's text in its place; - for standard input
    Set {
        #[command(flatten)]
        which: Which,
        file: PathBuf,
    },
    /// Empty it
    Clear(Which),
    /// Every change: who, when and what
    History(Which),
    /// Take the latest change back; once more, the one before it
    Undo(Which),
}

#[derive(clap::Args, Debug)]
struct Which {
    /// session, agent or member
    #[arg(value_parser = Layer::NAMES)]
    layer: String,
    /// The agent; the session as `countersign sessions` shows it, also with the number of a conversation: terminal:chat#2
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
}

impl Which {
    async fn layer(&self, local: &Local) -> Result<Layer, Failure> {
        let home = &local.home;
        let of = self.of.as_deref();
        Ok(match (self.layer.as_str(), of) {
            ("member", None) => Layer::Member(local.owner.id.clone()),
            ("member", Some(_)) => {
                return Err(Failure::usage(
                    "A member’s memory is theirs alone: they see it with /memory member.",
                ));
            }
            ("agent", of) => {
                let name = of.unwrap_or("assistant");
                Layer::Agent(agents::find(home, name).await?.value.id)
            }
            (_, None) => {
                return Err(Failure::usage(
                    "Which session? --of terminal:chat, as `countersign sessions` lists them.",
                ));
            }
            (_, Some(of)) => Layer::Session(conversation(local, of).await?),
        })
    }
}

/// A session's present conversation, or the one with that number.
async fn conversation(local: &Local, of: &str) -> Result<String, Failure> {
    let (place, number) = of.rsplit_once('#').unwrap_or((of, ""));
    let id = SessionId::new(place);
    let (session, version) = sessions::get_or_new(&local.home, &id).await?;
    let number = match number {
        "" => session.conversation,
        number => number.parse().unwrap_or(0),
    };
    if version.is_none() || !(1..=session.conversations).contains(&number) {
        return Err(Failure::new(format!(
            "There is no conversation “{of}”: see `countersign sessions`."
        )));
    }
    Ok(conversation_id(&session.id, number))
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let editor = context.editor.clone();
    let (local, output) = context.open().await?;
    let (home, owner) = (&local.home, &local.owner);
    match arguments.command {
        Command::List => {
            let shown = all(&local).await?;
            output.show(&shown, || list(&shown, home.now()))?;
        }
        Command::Show(which) => {
            let shown = memory::show(home, &which.layer(&local).await?).await?;
            output.show(&shown, || shown.text.trim_end().to_owned())?;
        }
        Command::Edit(which) => {
            let layer = which.layer(&local).await?;
            let (before, _) = memory::read(home, &layer).await?;
            let after = edited(&local, &before, editor.as_deref())?;
            told(output, &set(&local, &layer, &after).await?)?;
        }
        Command::Set { which, file } => {
            let layer = which.layer(&local).await?;
            told(output, &set(&local, &layer, &read(&file)?).await?)?;
        }
        Command::Clear(which) => {
            let layer = which.layer(&local).await?;
            told(output, &set(&local, &layer, "").await?)?;
        }
        Command::History(which) => {
            let layer = which.layer(&local).await?;
            let past = memory::history(home, owner, &layer).await?;
            output.past(&past, home.now())?;
        }
        Command::Undo(which) => {
            let layer = which.layer(&local).await?;
            let undo = async || memory::undo(home, owner, &layer).await;
            told(output, &commit_with(home, undo).await?)?;
        }
    }
    Ok(0)
}

async fn set(local: &Local, layer: &Layer, text: &str) -> Result<Written, Failure> {
    let set = async || memory::set(&local.home, &local.owner, layer, text).await;
    Ok(commit_with(&local.home, set).await?)
}

fn told(output: output::Output, written: &Written) -> Result<(), Failure> {
    output.show(written, || {
        fields(&[
            ("", en::memory_written(written)),
            ("", written.diff.clone()),
        ])
    })
}

/// Of agents and sessions those that have something, and one's own.
async fn all(local: &Local) -> Result<Vec<Shown>, Failure> {
    let home = &local.home;
    let stored = repo::collect::<Memory>(&*home.store, repo::all::<Memory>(&home.team)).await?;
    let mut shown = Vec::new();
    for memory in stored {
        let layer = match memory.value.id.split_once(':') {
            Some(("session", id)) => Layer::Session(id.to_owned()),
            Some(("agent", id)) => Layer::Agent(id.into()),
            Some(("member", id)) if id == local.owner.id.as_str() => Layer::Member(id.into()),
            _ => continue,
        };
        shown.push(memory::show(home, &layer).await?);
    }
    Ok(shown)
}

fn list(shown: &[Shown], now: Micros) -> String {
    let row = |shown: &Shown| {
        let at = shown.updated_at.map(|at| when(at, now));
        vec![
            shown.layer.clone(),
            shown.of.clone(),
            shown.text.len().to_string(),
            shown.updated_by.clone().unwrap_or_default(),
            at.unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    table(
        &["layer", "of", "bytes", "by", "changed"],
        &rows,
        en::NOTHING_REMEMBERED,
    )
}

/// The text as the person leaves it. The file lies in the data directory, where nobody else reads, and is gone afterwards.
fn edited(local: &Local, text: &str, editor: Option<&str>) -> Result<String, Failure> {
    let Some(editor) = editor else {
        return Err(Failure::new(
            "No editor is set: set EDITOR, or use `countersign memory set`.",
        ));
    };
    let failed =
        |error: std::io::Error| Failure::new(format!("The memory cannot be edited: {error}."));
    let name = format!("memory-{}.md", short(&local.home.chance.id()));
    let path = local.config.home.join(name);
    // Editors and shells that add a line expect the one before it to be whole.
    let whole = match text.trim_end() {
        "" => String::new(),
        text => format!("{text}\n"),
    };
    std::fs::write(&path, whole).map_err(failed)?;
    let status = started(editor, &path).status();
    let after = std::fs::read_to_string(&path);
    std::fs::remove_file(&path).map_err(failed)?;
    let status = status.map_err(failed)?;
    if !status.success() {
        return Err(Failure::new(format!(
            "{editor} ended with {status}: nothing was changed."
        )));
    }
    after.map_err(failed)
}

/// An editor may have arguments of its own: `code --wait`.
fn started(editor: &str, path: &Path) -> Process {
    let mut words = editor.split_whitespace();
    let mut process = Process::new(words.next().unwrap_or(editor));
    process.args(words).arg(path);
    process
}

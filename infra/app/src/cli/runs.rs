//! `countersign runs`: what runs did and do.

use super::{
    Context, Failure, ask as ask_command, follow,
    output::{fields, table, when, word},
};
use crate::compose::Local;
use domain::{
    Micros,
    id::short,
    run::{Entry, RunSummary},
};
use handlers::{ask, cancel, commit_with, queries};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// The latest runs
    List {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those that work or wait
        #[arg(long)]
        active: bool,
    },
    /// One run, by its id or the last digits of it
    Show { id: String },
    /// Ask a run to stop
    Cancel { id: String },
    /// Answer the question that a run asked
    Answer { id: String, text: Vec<String> },
    /// Everything that happened in a run, event by event
    Journal { id: String },
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let home = &local.home;
    match arguments.command {
        Command::List { limit, active } => {
            let runs = if active {
                queries::active(home).await?
            } else {
                queries::runs(home, None, limit).await?
            };
            output.show(&runs, || list(&runs, home.now()))?;
        }
        Command::Show { id } => {
            let run = queries::run(home, &id).await?;
            let (outcome, answer) = follow::ending(&local, &run.id).await?;
            let said = answer.or_else(|| ask_command::why(&run, outcome.as_ref()));
            output.show(&run, || show(&run, home.now(), said))?;
        }
        Command::Cancel { id } => {
            // The whole id, so that a try again cannot meet another run.
            let run = queries::run(home, &id).await?.id;
            let run = commit_with(home, async || {
                cancel::cancel(home, &local.owner, &run).await
            })
            .await?;
            output.show(&run, || {
                format!("Run {} was asked to stop.", short(run.id.as_str()))
            })?;
        }
        Command::Answer { id, text } => {
            let run = queries::run(home, &id).await?;
            answer(&local, &run, &text.join(" ")).await?;
            output.show(&run, || {
                format!("Run {} has its answer.", short(run.id.as_str()))
            })?;
        }
        Command::Journal { id } => {
            let run = queries::run(home, &id).await?;
            let entries = queries::journal(home, &run.id).await?;
            output.show(&entries, || journal(&entries, run.started_at))?;
        }
    }
    Ok(0)
}

async fn answer(local: &Local, run: &RunSummary, text: &str) -> Result<(), Failure> {
    let home = &local.home;
    let asks = (&run.session, &run.id);
    let draft = async || ask::to_run(home, &local.owner, asks, text).await;
    commit_with(home, draft).await?;
    Ok(())
}

fn list(runs: &[RunSummary], now: Micros) -> String {
    let row = |run: &RunSummary| {
        vec![
            short(run.id.as_str()).to_owned(),
            word(&run.status),
            run.agent_name.clone(),
            run.session.to_string(),
            when(run.started_at, now),
            run.cost.to_string(),
            run.title.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    table(
        &["id", "status", "agent", "where", "started", "cost", "task"],
        &rows,
        "No runs yet: `countersign ask \"…\"` starts one.",
    )
}

fn show(run: &RunSummary, now: Micros, said: Option<String>) -> String {
    fields(&[
        ("id", run.id.to_string()),
        ("task", run.title.clone()),
        ("status", word(&run.status)),
        ("agent", run.agent_name.clone()),
        ("model", run.model.clone()),
        ("where", run.session.to_string()),
        ("by", run.requester.to_string()),
        ("started", when(run.started_at, now)),
        (
            "ended",
            run.ended_at.map(|at| when(at, now)).unwrap_or_default(),
        ),
        ("steps", run.steps.to_string()),
        ("cost", run.cost.to_string()),
        (
            "end",
            said.map(|said| bot::text::visible(&said))
                .unwrap_or_default(),
        ),
    ])
}

/// Time since the start, who, and the event as it is stored without what stands before it.
fn journal(entries: &[Entry], started: Micros) -> String {
    let line = |(position, entry): (usize, &Entry)| {
        let mut event = serde_json::to_value(&entry.event).unwrap_or_default();
        let kind = event
            .as_object_mut()
            .and_then(|fields| fields.remove("type"));
        let kind = kind
            .as_ref()
            .and_then(|kind| kind.as_str())
            .unwrap_or_default()
            .to_owned();
        let since = entry.at.since(started);
        format!(
            "{position:>4}  +{:>8.3} s  {kind:<17}  {:<24}  {event}",
            since.as_secs_f64(),
            entry.actor.to_string()
        )
    };
    entries
        .iter()
        .enumerate()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

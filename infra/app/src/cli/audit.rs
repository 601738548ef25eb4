//! `countersign audit`: the chain of what was done, judged and decided.

use super::{
    Context, Failure,
    output::{table, when, word},
};
use crate::compose::directory;
use domain::{
    Micros,
    audit::{Entry, Stream},
};
use handlers::{audit, commit_with, queries};
use ports::repo;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Find any row that was changed, removed or reordered
    Verify,
    /// The latest entries
    List {
        /// Of one stream: team, run:ID, agent:ID, member:ID; else of all
        #[arg(long)]
        stream: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Seal now instead of at the next tick
    Seal,
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let home = &local.home;
    let key = directory::audit_key(&local.config, &*home.chance)?;
    match arguments.command {
        Command::Verify => {
            let found = audit::verify(home, &key).await?;
            let value = serde_json::json!({
                "ok": found.findings.is_empty(),
                "findings": found.findings.iter().map(|f| serde_json::json!({"place": f.place, "position": f.position, "what": f.what})).collect::<Vec<_>>(),
                "entries": found.entries, "streams": found.streams, "seals": found.seals,
                "holds_until": found.holds_until, "unsealed": found.unsealed,
            });
            output.show(&value, || verified(&found, home.now()))?;
            return Ok(u8::from(!found.findings.is_empty()));
        }
        Command::List { stream, limit } => {
            let entries = list(home, stream, limit).await?;
            output.show(&entries, || show(&entries, home.now()))?;
        }
        Command::Seal => {
            let mut seals = Vec::new();
            loop {
                let seal = commit_with(home, async || Ok(audit::seal(home, &key).await?)).await?;
                let more = seal.as_ref().is_some_and(|seal| seal.more);
                seals.extend(seal);
                if !more {
                    break;
                }
            }
            output.show(&seals, || match seals.last() {
                None => "Nothing happened since the last seal.".to_owned(),
                Some(seal) => format!("Seal {}: {}\nKeep it outside of this machine: it proves that nothing before it was changed.", seal.number, seal.mac),
            })?;
        }
    }
    Ok(0)
}

async fn list(
    home: &handlers::Home,
    stream: Option<String>,
    limit: u32,
) -> Result<Vec<Entry>, Failure> {
    let streams = match stream {
        Some(stream) => vec![stream],
        None => {
            let all =
                repo::collect::<Stream>(&*home.store, repo::all::<Stream>(&home.team)).await?;
            all.into_iter().map(|stored| stored.value.name).collect()
        }
    };
    let mut entries = Vec::new();
    for stream in streams {
        entries.extend(queries::audit(home, &stream, limit).await?);
    }
    entries.sort_by_key(|entry| entry.at);
    let surplus = entries.len().saturating_sub(limit as usize);
    entries.drain(..surplus);
    Ok(entries)
}

fn show(entries: &[Entry], now: Micros) -> String {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .flat_map(|entry| entry.deeds.iter().map(move |deed| (entry, deed)))
        .map(|(entry, deed)| {
            vec![
                when(entry.at, now),
                entry.stream.clone(),
                deed.action.clone(),
                deed.actor.clone(),
                deed.subject.clone(),
                word(&deed.detail),
            ]
        })
        .collect();
    table(
        &["when", "stream", "action", "by", "subject", "detail"],
        &rows,
        "Nothing is in the audit yet.",
    )
}

fn verified(found: &audit::Verified, now: Micros) -> String {
    let mut lines: Vec<String> = found
        .findings
        .iter()
        .map(|f| format!("✗ {} at {}: {}", f.place, f.position, f.what))
        .collect();
    let until = match found.holds_until {
        Some(at) => format!("It holds up to the last good seal, {}", when(at, now)),
        None => "Nothing is sealed yet: `countersign audit seal`".to_owned(),
    };
    let state = if lines.is_empty() {
        "The audit is whole"
    } else {
        "The audit was tampered with"
    };
    lines.push(format!(
        "{state}: {} entries in {} streams, {} seals.",
        found.entries, found.streams, found.seals
    ));
    lines.push(format!(
        "{until}; {} entries are newer and only chained.",
        found.unsealed
    ));
    lines.join("\n")
}

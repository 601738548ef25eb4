//! `countersign rules`: the team's permission rules.

use super::{Context, Failure, output::table};
use domain::{
    id::short,
    permission::{Rule, parse_rule},
};
use handlers::{commit_with, rules};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All rules of the team; presets have more
    List,
    /// Add a rule: allow shell_exec 'git status *'
    Add {
        /// The rule's words, as `/rules add` takes them
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Remove a rule, by its id or the last digits of it
    Remove { id: String },
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let home = &local.home;
    match arguments.command {
        Command::List => {
            let rules = rules::list(home).await?;
            output.show(&rules, || list(&rules))?;
        }
        Command::Add { words } => {
            let rule =
                parse_rule(&words.join(" ")).map_err(|why| Failure::usage(why.to_string()))?;
            let rule = commit_with(home, async || {
                rules::add(home, &local.owner, rule.clone()).await
            })
            .await?;
            output.show(&rule, || {
                format!(
                    "Rule {}: {}",
                    short(rule.id.as_str()),
                    bot::text::en::rule(&rule)
                )
            })?;
        }
        Command::Remove { id } => {
            let rule =
                commit_with(home, async || rules::remove(home, &local.owner, &id).await).await?;
            output.show(&rule, || format!("Removed: {}", bot::text::en::rule(&rule)))?;
        }
    }
    Ok(0)
}

fn list(rules: &[Rule]) -> String {
    let rows: Vec<Vec<String>> = rules
        .iter()
        .map(|rule| {
            vec![
                short(rule.id.as_str()).to_owned(),
                bot::text::en::rule(rule),
                rule.note.clone(),
            ]
        })
        .collect();
    table(
        &["id", "rule", "note"],
        &rows,
        "The team has no rules of its own; each agent has those of its preset.",
    )
}

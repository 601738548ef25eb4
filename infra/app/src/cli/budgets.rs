//! `countersign budgets`: what models may cost, and where that stands.

use super::{Context, Failure, output::table};
use bot::text::en;
use domain::Micros;
use handlers::{
    budgets::{self, Standing},
    commit_with,
};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All budgets, with what is spent
    List,
    /// Set or remove one: team 20, day 5, agent coder 3, member Ann 2, run 1; off removes it
    Set {
        /// What it is for, and dollars or `off`
        #[arg(required = true)]
        words: Vec<String>,
    },
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let (home, owner) = (&local.home, &local.owner);
    let now = home.now();
    match arguments.command {
        Command::List => {
            let list = budgets::list(home).await?;
            output.show(&list, || show(&list, now))?;
        }
        Command::Set { words } => match budgets::order(home, &words.join(" ")).await? {
            (scope, Some(amount)) => {
                let set = async || budgets::set(home, owner, &scope, amount).await;
                let standing = commit_with(home, set).await?;
                output.show(&standing, || en::standing(&standing, now))?;
            }
            (scope, None) => {
                let remove = async || budgets::remove(home, owner, &scope).await;
                let budget = commit_with(home, remove).await?;
                output.show(&budget, || en::budget_removed(&budget.scope))?;
            }
        },
    }
    Ok(0)
}

fn show(list: &[Standing], now: Micros) -> String {
    let row = |standing: &Standing| {
        vec![
            standing.budget.scope.to_string(),
            standing.ceiling.to_string(),
            standing.spent.to_string(),
            en::standing(standing, now),
        ]
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect();
    table(&["budget", "dollars", "spent", ""], &rows, en::NO_BUDGETS)
}

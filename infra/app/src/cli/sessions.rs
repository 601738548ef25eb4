//! `countersign sessions`: where people talk to agents, and the conversations there.

use super::{
    Context, Failure,
    output::{self, table, when, word},
};
use crate::compose::Local;
use bot::text::en;
use domain::{Micros, id::SessionId, session::Session};
use handlers::{
    CommandError, Problem, commit_with,
    sessions::{self, Listed},
};
use ports::repo;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// The conversations of one place, or of all
    List {
        /// As the list names it: terminal:main
        session: Option<String>,
    },
    /// Go back to a conversation of a place
    Resume { session: String, number: u32 },
    /// Begin another conversation there
    New { session: String },
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let (home, owner) = (&local.home, &local.owner);
    match arguments.command {
        Command::List { session } => list(&local, output, session).await?,
        Command::Resume { session, number } => {
            let id = known(&local, &session).await?;
            let resume = async || sessions::resume(home, owner, &id, number).await;
            let listed = commit_with(home, resume).await?;
            output.show(&listed, || en::resumed(&listed))?;
        }
        Command::New { session } => {
            let id = known(&local, &session).await?;
            let renew = async || sessions::renew(home, owner, &id).await;
            let session = commit_with(home, renew).await?;
            output.show(&session, || en::FRESH.to_owned())?;
        }
    }
    Ok(0)
}

/// A place where somebody has talked.
async fn known(local: &Local, name: &str) -> Result<SessionId, Failure> {
    let id = SessionId::new(name);
    match sessions::get_or_new(&local.home, &id).await? {
        (session, Some(_)) => Ok(session.id),
        (_, None) => Err(CommandError::from(Problem::NotFound {
            what: "session",
            name: name.to_owned(),
        })
        .into()),
    }
}

async fn list(
    local: &Local,
    output: output::Output,
    session: Option<String>,
) -> Result<(), Failure> {
    let home = &local.home;
    let places = match session {
        Some(name) => vec![known(local, &name).await?],
        None => {
            let all =
                repo::collect::<Session>(&*home.store, repo::all::<Session>(&home.team)).await?;
            let ids = all.into_iter().map(|stored| stored.value.id);
            ids.filter(|id| !sessions::is_of_command(id)).collect()
        }
    };
    let mut listed = Vec::new();
    for place in &places {
        listed.extend(sessions::conversations(home, place).await?);
    }
    output.show(&listed, || shown(&listed, home.now()))
}

fn shown(listed: &[Listed], now: Micros) -> String {
    let row = |one: &Listed| {
        vec![
            one.session.to_string(),
            one.number.to_string(),
            one.title.clone(),
            one.agent.clone(),
            one.run.map(|run| word(&run)).unwrap_or_default(),
            if one.here { "here" } else { "" }.to_owned(),
            when(one.updated_at, now),
        ]
    };
    let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
    table(
        &["session", "number", "begins", "agent", "run", "", "latest"],
        &rows,
        "Nobody has talked to an agent yet: `countersign chat` does.",
    )
}

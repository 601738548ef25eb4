//! `countersign mcp`: servers of further tools. They are asked by this process, in the sandbox that a worker would use.

use super::{Context, Failure, output::table};
use crate::compose::{Local, mcp, sandbox, workspace};
use domain::mcp::{McpServer, Reach};
use handlers::{
    commit_with,
    mcp::{self as servers, Looked, NewServer},
    tool::Tools,
};
use mcp_rmcp::Bench;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All servers
    List,
    /// Add a server, start it once, and show what it offers
    Add(Add),
    /// What a server offered when it was asked last
    Tools { name: String },
    /// Start a server and ask what it offers
    Test { name: String },
    /// Agree to what a server offers, as the mark behind it names it; to some of its tools only, if they are named
    Approve {
        name: String,
        mark: String,
        tools: Vec<String>,
    },
    /// Whether it may ask people something in the middle of a call; at first it may not
    Elicitation { name: String, to: Switch },
    /// Every process that has it running starts it anew
    Restart { name: String },
    /// Remove a server; rules about its tools stay
    Remove { name: String },
    /// What a server was: who changed what, and when
    History { name: String },
    /// Take the latest change of a server back
    Undo { name: String },
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Switch {
    On,
    Off,
}

#[derive(clap::Args, Debug)]
struct Add {
    name: String,
    /// A line for sh that starts it, in the sandbox, on the session's files
    #[arg(long, required_unless_present = "url")]
    command: Option<String>,
    /// Or its address, for streamable HTTP
    #[arg(long, conflicts_with_all = ["command", "network", "read"])]
    url: Option<String>,
    /// Let it use all of this machine's network: every host, also of the local network, and this machine's own services
    #[arg(long)]
    network: bool,
    /// A directory outside the workspace that it may read: where its program is
    #[arg(long, value_name = "DIRECTORY")]
    read: Vec<String>,
    /// A secret for it, as a variable of its environment or as a header: TOKEN=name
    #[arg(long, value_name = "PLACE=SECRET", value_parser = secret)]
    secret: Vec<(String, String)>,
    /// An agent that has its tools; all, if none is named
    #[arg(long)]
    agent: Vec<String>,
}

fn secret(text: &str) -> Result<(String, String), String> {
    let (place, name) = text.split_once('=').ok_or("write PLACE=SECRET")?;
    Ok((place.to_owned(), name.to_owned()))
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let (home, owner) = (&local.home, &local.owner);
    let looked = match arguments.command {
        Command::List => {
            let all = servers::list(home).await?;
            output.show(&all, || list(&all))?;
            return Ok(0);
        }
        Command::Add(add) => self::add(&local, add.described()).await?,
        Command::Test { name } => look(&local, &name).await?,
        Command::Tools { name } => servers::show(home, &name).await?,
        Command::Approve { name, mark, tools } => {
            let looked = approve(&local, &name, (&mark, &tools)).await?;
            output.show(&shown(&looked), || bot::text::en::server_approved(&looked))?;
            return Ok(0);
        }
        Command::Elicitation { name, to } => {
            let server = switch(&local, &name, to).await?;
            let words = bot::text::en::elicitation_set(&name, server.elicitation);
            output.show(&server, || words.replace("/mcp ", "countersign mcp "))?;
            return Ok(0);
        }
        Command::Restart { name } => {
            let server = restart(&local, &name).await?;
            output.show(&server, || bot::text::en::server_restarted(&server))?;
            return Ok(0);
        }
        Command::Remove { name } => {
            let server =
                commit_with(home, async || servers::remove(home, owner, &name).await).await?;
            output.show(&server, || format!("{} was removed.", server.name))?;
            return Ok(0);
        }
        Command::History { name } => {
            output.past(&servers::history(home, &name).await?, home.now())?;
            return Ok(0);
        }
        Command::Undo { name } => {
            let back = undo(&local, &name).await?;
            let value = json!({"name": name, "is_there": back.0, "version": back.1});
            output.show(&value, || bot::text::en::taken_back(&name, back))?;
            return Ok(0);
        }
    };
    output.show(&shown(&looked), || {
        bot::text::en::looked(&looked).replace("/mcp ", "countersign mcp ")
    })?;
    Ok(u8::from(looked.failed.is_some()))
}

async fn add(local: &Local, new: NewServer) -> Result<Looked, Failure> {
    let (home, owner, tools) = (&local.home, &local.owner, tools(local).await?);
    let add = async || servers::add(home, tools.servers(), owner, new.clone()).await;
    Ok(commit_with(home, add).await?)
}

async fn look(local: &Local, name: &str) -> Result<Looked, Failure> {
    let (home, owner, tools) = (&local.home, &local.owner, tools(local).await?);
    let look = async || servers::look(home, tools.servers(), owner, name).await;
    Ok(commit_with(home, look).await?)
}

async fn approve(local: &Local, name: &str, seen: (&str, &[String])) -> Result<Looked, Failure> {
    let (home, owner) = (&local.home, &local.owner);
    let agree = async || servers::approve(home, owner, name, seen).await;
    Ok(commit_with(home, agree).await?)
}

async fn restart(local: &Local, name: &str) -> Result<McpServer, Failure> {
    let (home, owner) = (&local.home, &local.owner);
    let restart = async || servers::restart(home, owner, name).await;
    Ok(commit_with(home, restart).await?)
}

async fn switch(local: &Local, name: &str, to: Switch) -> Result<McpServer, Failure> {
    let (home, owner) = (&local.home, &local.owner);
    let on = to == Switch::On;
    let set = async || servers::elicitation(home, owner, name, on).await;
    Ok(commit_with(home, set).await?)
}

async fn undo(local: &Local, name: &str) -> Result<(bool, u64), Failure> {
    let (home, owner) = (&local.home, &local.owner);
    Ok(commit_with(home, async || servers::undo(home, owner, name).await).await?)
}

impl Add {
    fn described(self) -> NewServer {
        let secrets: BTreeMap<String, String> = self.secret.into_iter().collect();
        let reach = match self.url {
            Some(url) => Reach::Http { url },
            None => Reach::Stdio {
                command: self.command.unwrap_or_default(),
                network: self.network,
                readable: self.read,
            },
        };
        NewServer {
            name: self.name,
            reach,
            secrets,
            agents: self.agent,
        }
    }
}

/// With the sandbox of this machine.
async fn tools(local: &Local) -> Result<Tools, Failure> {
    let picked = sandbox::pick(&local.config).await;
    let bench = Bench {
        sandbox: picked.sandbox,
        workspaces: Arc::new(workspace::checked(&local.config)),
    };
    Ok(mcp::tools(&local.config, Some(bench))?)
}

fn shown(looked: &Looked) -> Value {
    let tools = looked.tools.iter();
    let tools: Vec<Value> = tools
        .map(
            |(tool, standing)| json!({"tool": tool, "standing": standing, "digest": tool.digest()}),
        )
        .collect();
    json!({
        "server": looked.server,
        "says": looked.offer.says,
        "tools": tools,
        "left_out": looked.offer.left_out,
        "mark": looked.mark,
        "failed": looked.failed,
    })
}

fn list(servers: &[McpServer]) -> String {
    let row = |server: &McpServer| {
        vec![
            server.name.clone(),
            bot::text::en::reach(server).replace('\n', " "),
            server.approved.len().to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = servers.iter().map(row).collect();
    table(
        &["name", "runs", "tools"],
        &rows,
        "There is no MCP server yet: add one with `countersign mcp add NAME --command …`.",
    )
}

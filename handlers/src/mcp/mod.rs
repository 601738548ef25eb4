//! Tool servers: added, looked at, agreed to, restarted, removed. Nothing of what a server says about its tools reaches a model before
//! an owner has agreed to exactly that; what it says differently later is withheld until they agree again.

mod check;
mod elicitation;
mod history;

use crate::{CommandError, Draft, Home, Problem, audit, keep::keep};
use domain::{
    Digest,
    agent::Agent,
    id::AgentId,
    mcp::{self, McpServer, McpTool, Reach, Standing},
    member::{Deed, Member, Role, may},
    run::Actor,
};
pub use elicitation::elicitation;
use history::noted;
pub use history::{history, undo};
use ports::{
    Mcp, blob,
    mcp::{McpError, Offer},
    repo::{self, Stored},
    store::{Op, StoreError},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Servers of a team.
const SERVERS: usize = 32;
/// Hexadecimal digits by which an offer is named when it is agreed to.
const MARK: usize = 8;

/// A server that a person describes.
#[derive(Clone, PartialEq, Debug)]
pub struct NewServer {
    pub name: String,
    pub reach: Reach,
    /// Names of secrets by variable or header.
    pub secrets: BTreeMap<String, String>,
    /// Names of agents; none for all.
    pub agents: Vec<String>,
}

/// A server and what it offers.
#[derive(Clone, PartialEq, Debug)]
pub struct Looked {
    pub server: McpServer,
    /// With how each stands; those that were agreed to and are gone are not among them.
    pub tools: Vec<(McpTool, Standing)>,
    /// Names this offer in [`approve`].
    pub mark: String,
    /// What the server says about itself, and what it offers that nobody can use. Only after it was asked.
    pub offer: Offer,
    /// Why it could not be asked.
    pub failed: Option<String>,
}

/// All of them, by name.
///
/// # Errors
/// What the store answers.
pub async fn list(home: &Home) -> Result<Vec<McpServer>, StoreError> {
    let stored = repo::collect(&*home.store, repo::all::<McpServer>(&home.team)).await?;
    Ok(stored.into_iter().map(|stored| stored.value).collect())
}

/// # Errors
/// [`Problem::NotFound`].
pub async fn find(home: &Home, name: &str) -> Result<Stored<McpServer>, CommandError> {
    let stored = match mcp::check_name(name) {
        Ok(()) => repo::get::<McpServer>(&*home.store, &home.team, name).await?,
        Err(_) => None,
    };
    stored.ok_or_else(|| {
        let name = name.to_owned();
        let what = "MCP server";
        Problem::NotFound { what, name }.into()
    })
}

/// Adds a server and asks it what it offers. One that can't be asked here is added too.
///
/// # Errors
/// [`Problem`]s: not allowed, exists, invalid.
pub async fn add(
    home: &Home,
    servers: Option<&dyn Mcp>,
    member: &Member,
    new: NewServer,
) -> Result<Draft<Looked>, CommandError> {
    configures(member)?;
    check::check(&new).map_err(Problem::Invalid)?;
    let known = list(home).await?;
    if known.iter().any(|server| server.name == new.name) {
        let (what, name) = ("MCP server", new.name);
        return Err(Problem::Exists { what, name }.into());
    }
    if known.len() >= SERVERS {
        return Err(history::too_many().into());
    }
    let mut agents = Vec::new();
    for name in &new.agents {
        agents.push(crate::agents::find(home, name).await?.value.id);
    }
    let server = McpServer {
        name: new.name,
        reach: new.reach,
        secrets: new.secrets,
        agents,
        approved: BTreeMap::new(),
        offer: None,
        elicitation: false,
        restarts: 0,
        version: 1,
        created_by: member.id.clone(),
        created_at: home.now(),
        updated_at: home.now(),
    };
    let looked = ask(home, servers, server).await?;
    let mut ops = vec![repo::create(&home.team, &looked.server)?];
    ops.extend(audited(home, member, &looked.server, "mcp.added").await?);
    let made = (None, Some(&looked.server));
    ops.extend(noted(home, member, ("created", None), made).await?);
    Ok(Draft::new(ops, looked))
}

/// Asks a server what it offers, and keeps that.
///
/// # Errors
/// [`Problem`]s: not allowed, not found.
pub async fn look(
    home: &Home,
    servers: Option<&dyn Mcp>,
    member: &Member,
    name: &str,
) -> Result<Draft<Looked>, CommandError> {
    configures(member)?;
    let stored = find(home, name).await?;
    let (before, version) = (stored.value.offer.clone(), stored.version);
    let value = ask(home, servers, stored.value).await?;
    if value.server.offer == before {
        return Ok(Draft::fact(value));
    }
    let op = repo::update(
        &home.team,
        &Stored {
            value: value.server.clone(),
            version,
        },
    )?;
    let mut ops = vec![op];
    ops.extend(audited(home, member, &value.server, "mcp.offered").await?);
    Ok(Draft::new(ops, value))
}

async fn ask(
    home: &Home,
    servers: Option<&dyn Mcp>,
    mut server: McpServer,
) -> Result<Looked, CommandError> {
    let here = "this process starts no servers: look at it with `countersign mcp test` where the worker runs";
    let answer = match servers {
        Some(servers) => servers.tools(&server, None).await,
        None => Err(McpError::Unavailable(here.to_owned())),
    };
    match answer {
        Ok(offer) => {
            server.offer = Some(keep(&*home.blobs, serde_json::to_string(&offer.tools)?).await?);
            let mut looked = shown(home, server).await?;
            looked.offer = offer;
            Ok(looked)
        }
        Err(error) => {
            let mut looked = shown(home, server).await?;
            looked.failed = Some(error.to_string());
            Ok(looked)
        }
    }
}

/// What is known about a server, without asking it.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn show(home: &Home, name: &str) -> Result<Looked, CommandError> {
    shown(home, find(home, name).await?.value).await
}

async fn shown(home: &Home, server: McpServer) -> Result<Looked, CommandError> {
    let tools = offered(home, &server).await?;
    let mark = mark(&tools)?;
    let standing = |tool: McpTool| {
        let standing = server.standing(&tool);
        (tool, standing)
    };
    Ok(Looked {
        tools: tools.into_iter().map(standing).collect(),
        server,
        mark,
        offer: Offer::default(),
        failed: None,
    })
}

fn mark(tools: &[McpTool]) -> Result<String, serde_json::Error> {
    let digest = Digest::of(tools)?;
    let hex = digest.as_str().rsplit(':').next().unwrap_or_default();
    Ok(hex.chars().take(MARK).collect())
}

/// What the server offered when it was looked at last.
///
/// # Errors
/// What the blob store answers.
pub(crate) async fn offered(home: &Home, server: &McpServer) -> Result<Vec<McpTool>, CommandError> {
    let Some(offer) = &server.offer else {
        return Ok(Vec::new());
    };
    let text = blob::text(&*home.blobs, offer).await?;
    Ok(serde_json::from_str(&text)?)
}

/// Agrees to what the server offers: to all of it, or to these tools. `mark` names the offer that the person saw.
///
/// # Errors
/// [`Problem`]s: not allowed, not found; invalid where the offer is another one, or has no such tool.
pub async fn approve(
    home: &Home,
    member: &Member,
    name: &str,
    (seen, only): (&str, &[String]),
) -> Result<Draft<Looked>, CommandError> {
    configures(member)?;
    let mut stored = find(home, name).await?;
    let tools = offered(home, &stored.value).await?;
    let again =
        |why: &str| Problem::Invalid(format!("{why} /mcp tools {name} shows what it offers."));
    if tools.is_empty() {
        return Err(again("It has offered nothing yet: /mcp test asks it.").into());
    }
    if seen != mark(&tools)? {
        return Err(again("That is not what it offers now.").into());
    }
    if let Some(unknown) = only
        .iter()
        .find(|name| !tools.iter().any(|tool| tool.name == **name))
    {
        return Err(again(&format!("It has no tool “{unknown}”.")).into());
    }
    let before = stored.value.clone();
    let wanted = |tool: &&McpTool| only.is_empty() || only.contains(&tool.name);
    let agreed = tools.iter().filter(wanted);
    stored.value.approved = agreed
        .map(|tool| (tool.name.clone(), tool.digest()))
        .collect();
    let mut ops = changed(home, member, &mut stored, "mcp.approved").await?;
    let both = (Some(&before), Some(&stored.value));
    ops.extend(noted(home, member, ("changed", None), both).await?);
    Ok(Draft::new(ops, shown(home, stored.value).await?))
}

/// Every process that has it running starts it anew before it uses it again.
///
/// # Errors
/// [`Problem`]s: not allowed, not found.
pub async fn restart(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<McpServer>, CommandError> {
    configures(member)?;
    let mut stored = find(home, name).await?;
    stored.value.restarts += 1;
    let ops = changed(home, member, &mut stored, "mcp.restarted").await?;
    Ok(Draft::new(ops, stored.value))
}

/// Removes it; what it runs ends within minutes. Rules about its tools stay.
///
/// # Errors
/// [`Problem`]s: not allowed, not found.
pub async fn remove(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<McpServer>, CommandError> {
    configures(member)?;
    let stored = find(home, name).await?;
    let mut ops = vec![repo::delete(&home.team, &stored)];
    ops.extend(audited(home, member, &stored.value, "mcp.removed").await?);
    let gone = (Some(&stored.value), None);
    ops.extend(noted(home, member, ("deleted", None), gone).await?);
    Ok(Draft::new(ops, stored.value))
}

/// Keeps what a server said by itself that it offers now, while it was called. Somebody else's change meanwhile is worth more.
pub(crate) async fn note_offer(
    home: &Home,
    used: &McpServer,
    offer: &Offer,
) -> Result<(), CommandError> {
    let Some(mut stored) = repo::get::<McpServer>(&*home.store, &home.team, &used.name).await?
    else {
        return Ok(());
    };
    let kept = keep(&*home.blobs, serde_json::to_string(&offer.tools)?).await?;
    if stored.value.identity() != used.identity() || stored.value.offer.as_ref() == Some(&kept) {
        return Ok(());
    }
    stored.value.offer = Some(kept);
    stored.value.updated_at = home.now();
    let deed = audit::deed(
        "mcp.offered",
        Actor::System,
        &used.name,
        detail(&stored.value),
    );
    let mut ops = vec![repo::update(&home.team, &stored)?];
    ops.extend(audit::append(home, "team", vec![deed]).await?);
    match crate::commit(home, ops).await {
        Err(StoreError::Conflict(_)) => Ok(()),
        other => Ok(other?),
    }
}

async fn changed(
    home: &Home,
    member: &Member,
    stored: &mut Stored<McpServer>,
    action: &str,
) -> Result<Vec<Op>, CommandError> {
    stored.value.version += 1;
    stored.value.updated_at = home.now();
    let mut ops = vec![repo::update(&home.team, stored)?];
    ops.extend(audited(home, member, &stored.value, action).await?);
    Ok(ops)
}

async fn audited(
    home: &Home,
    member: &Member,
    server: &McpServer,
    action: &str,
) -> Result<Vec<Op>, StoreError> {
    let by = format!("member:{}", member.id);
    let deed = audit::deed(action, by, &server.name, detail(server));
    audit::append(home, "team", vec![deed]).await
}

fn detail(server: &McpServer) -> Value {
    json!({
        "version": server.version,
        "identity": server.identity(),
        "reach": server.reach,
        "approved": Digest::of(&server.approved).ok(),
        "offer": Digest::of(&server.offer).ok(),
    })
}

fn configures(member: &Member) -> Result<(), Problem> {
    match may(member.role, Deed::Configure) {
        true => Ok(()),
        false => Err(Problem::NotAllowed {
            needed: Role::Owner,
        }),
    }
}

/// Names of the agents that have a server's tools; empty for all.
///
/// # Errors
/// What the store answers.
pub async fn agents(home: &Home, server: &McpServer) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for id in &server.agents {
        let id: &AgentId = id;
        let agent = repo::get::<Agent>(&*home.store, &home.team, id.as_str()).await?;
        names.push(agent.map_or_else(|| id.to_string(), |agent| agent.value.name));
    }
    Ok(names)
}

//! What a tool server was: how it was reached and which tools were agreed to, with who and when; and going back to the one before.

use super::{SERVERS, agents, audited, configures, list};
use crate::{
    CommandError, Draft, Home, Problem,
    versions::{self, Changed, Differ, Past},
};
use domain::{
    mcp::{McpServer, Reach},
    member::Member,
    run::Actor,
};
use ports::{repo, store::Op};
use serde_json::Value;

/// Hexadecimal digits of a tool's digest that are shown.
const SHOWN: usize = 12;

fn stream(name: &str) -> String {
    format!("mcp:{name}")
}

/// The operation that notes what a person changed. What a server offers, and how often it was restarted, is no change of theirs.
pub(super) async fn noted(
    home: &Home,
    member: &Member,
    (deed, undoes): (&'static str, Option<u64>),
    (before, after): (Option<&McpServer>, Option<&McpServer>),
) -> Result<Vec<Op>, CommandError> {
    let Some(server) = after.or(before) else {
        return Ok(Vec::new());
    };
    let changed = Changed {
        record: server.name.clone(),
        deed,
        before: document(before)?,
        after: document(after)?,
        undoes,
    };
    let actor = Actor::Member(member.id.clone());
    let op = versions::note(home, &stream(&server.name), &actor, vec![changed]).await?;
    Ok(vec![op])
}

fn document(server: Option<&McpServer>) -> Result<Option<Value>, serde_json::Error> {
    let kept = server.map(|server| McpServer {
        offer: None,
        restarts: 0,
        ..server.clone()
    });
    kept.map(serde_json::to_value).transpose()
}

/// The versions of a server, oldest first; also of one that was removed.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn history(home: &Home, name: &str) -> Result<Vec<Past>, CommandError> {
    let versions = versions::of(home, &stream(name)).await?;
    if versions.is_empty() {
        super::find(home, name).await?;
    }
    versions::past(home, &versions, &Decisions).await
}

/// By what people decided about it.
struct Decisions;

#[async_trait::async_trait]
impl Differ for Decisions {
    async fn differ(
        &self,
        home: &Home,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Result<String, CommandError> {
        let (before, after) = (text(home, before).await?, text(home, after).await?);
        Ok(versions::diff(&before, &after))
    }
}

/// A line for each thing that a person decided about it.
async fn text(home: &Home, doc: Option<&Value>) -> Result<String, CommandError> {
    let Some(doc) = doc else {
        return Ok(String::new());
    };
    let server: McpServer = serde_json::from_value(doc.clone())?;
    let mut lines = match &server.reach {
        Reach::Http { url } => vec![format!("address: {url}")],
        Reach::Stdio {
            command,
            network,
            readable,
        } => {
            let mut lines = vec![format!("command: {command}")];
            lines.extend(network.then(|| "network: all of the machine's".to_owned()));
            lines.extend(readable.iter().map(|path| format!("reads: {path}")));
            lines
        }
    };
    lines.extend(server.elicitation.then(|| "asks people: yes".to_owned()));
    let secrets = server.secrets.iter();
    lines.extend(secrets.map(|(place, name)| format!("secret: {place}={name}")));
    let agents = agents(home, &server).await?;
    lines.extend(agents.iter().map(|name| format!("agent: {name}")));
    let tools = server.approved.iter().map(|(tool, digest)| {
        let hex = digest.as_str().rsplit(':').next().unwrap_or_default();
        let mark: String = hex.chars().take(SHOWN).collect();
        format!("tool: {tool} {mark}")
    });
    lines.extend(tools);
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// Takes the latest change back that was not taken back yet; that is a new version. Every process starts the server anew. A tool that
/// the server describes otherwise than it was agreed to stays withheld. Answers whether there is such a server now, and the number of
/// what was taken back.
///
/// # Errors
/// [`Problem`]s: not allowed, not found; invalid, where nothing is left to take back, or there are too many servers.
pub async fn undo(
    home: &Home,
    member: &Member,
    name: &str,
) -> Result<Draft<(bool, u64)>, CommandError> {
    configures(member)?;
    let back = versions::undoable(home, &stream(name), ("MCP server", name)).await?;
    let stored = repo::get::<McpServer>(&*home.store, &home.team, name).await?;
    let now = stored.as_ref().map(|stored| &stored.value);
    let before: Option<McpServer> = back.before.map(serde_json::from_value).transpose()?;
    let after = before.map(|before| McpServer {
        offer: now.and_then(|now| now.offer.clone()),
        restarts: now.map_or(0, |now| now.restarts + 1),
        version: now.map_or(before.version, |now| now.version) + 1,
        updated_at: home.now(),
        ..before
    });
    if now.is_none() && list(home).await?.len() >= SERVERS {
        return Err(too_many().into());
    }
    let deed = ("undone", Some(back.number));
    let mut ops = noted(home, member, deed, (now, after.as_ref())).await?;
    if let Some(server) = after.as_ref().or(now) {
        ops.extend(audited(home, member, server, "mcp.undone").await?);
    }
    match (&after, &stored) {
        (Some(after), stored) => {
            let version = stored.as_ref().map(|stored| stored.version);
            ops.push(repo::put(&home.team, after, version)?);
        }
        (None, Some(stored)) => ops.push(repo::delete(&home.team, stored)),
        (None, None) => {}
    }
    Ok(Draft::new(ops, (after.is_some(), back.number)))
}

pub(super) fn too_many() -> Problem {
    Problem::Invalid(format!(
        "There are {SERVERS} servers already: remove one first."
    ))
}

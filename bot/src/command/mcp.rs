//! `/mcp`: servers of tools, added, looked at, agreed to, restarted, removed.

use super::{
    Command, Ctx, Reply,
    history::{self, Of},
};
use crate::text::{Builder, en};
use domain::{
    mcp::{McpServer, Reach},
    rich_text::{MarkStyle, RichText},
};
use handlers::{
    CommandError, Draft, mcp,
    mcp::{Looked, NewServer},
};
use std::collections::BTreeMap;

pub struct Mcp;

#[async_trait::async_trait]
impl Command for Mcp {
    fn name(&self) -> &'static str {
        "mcp"
    }
    fn description(&self) -> &'static str {
        "Servers of further tools: add, look at and approve them"
    }
    fn usage(&self) -> &'static str {
        "[add NAME COMMAND | tools NAME | test NAME | approve NAME MARK [TOOL …] | elicitation NAME on|off | restart NAME | remove NAME | history NAME | undo NAME]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let (home, member, servers) = (ctx.home, ctx.member, ctx.tools.servers());
        let (verb, rest) = ctx.word();
        let (name, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        match (verb, name, more.trim()) {
            ("", ..) => Ok(ctx.show(&list(&mcp::list(home).await?))),
            ("add", name, text) if !text.is_empty() => {
                let Some(new) = described(name, text) else {
                    return Ok(ctx.say(&en::usage(en::MCP_ADD)));
                };
                asked(ctx, mcp::add(home, servers, member, new).await?).await
            }
            ("add", ..) => Ok(ctx.say(&en::usage(en::MCP_ADD))),
            (_, "", _) => Ok(super::usage(ctx, self)),
            ("tools" | "show", name, _) => Ok(ctx.say(&en::looked(&mcp::show(home, name).await?))),
            ("test", name, _) => asked(ctx, mcp::look(home, servers, member, name).await?).await,
            ("approve", name, words) => {
                let mut words = words.split_whitespace().map(str::to_owned);
                let mark = words.next().unwrap_or_default();
                let only: Vec<String> = words.collect();
                let draft = mcp::approve(home, member, name, (&mark, &only)).await?;
                Ok(ctx.say(&en::server_approved(&draft.fact)).with(draft.ops))
            }
            ("elicitation", name, word @ ("on" | "off")) => {
                let on = word == "on";
                let draft = mcp::elicitation(home, member, name, on).await?;
                let said = en::elicitation_set(name, on);
                Ok(ctx.say(&said).with(draft.ops))
            }
            ("restart", name, _) => {
                let draft = mcp::restart(home, member, name).await?;
                Ok(ctx.say(&en::server_restarted(&draft.fact)).with(draft.ops))
            }
            ("remove", name, _) => {
                let draft = mcp::remove(home, member, name).await?;
                Ok(ctx
                    .say(&en::deleted("MCP server", &draft.fact.name))
                    .with(draft.ops))
            }
            ("history", name, _) => {
                let past = mcp::history(home, name).await?;
                let of = Of {
                    words: "mcp",
                    hint: &en::undo_hint("mcp", name),
                };
                Ok(history::reply(ctx, &of, &past))
            }
            ("undo", name, _) => {
                let draft = mcp::undo(home, member, name).await?;
                let said = en::taken_back(name, draft.fact);
                Ok(ctx.say(&said).with(draft.ops))
            }
            _ => Ok(super::usage(ctx, self)),
        }
    }
}

/// What it offers. Where this process can't run it, one that has a sandbox asks it.
async fn asked(ctx: &Ctx<'_>, draft: Draft<Looked>) -> Result<Reply, CommandError> {
    let server = &draft.fact.server;
    if ctx.sandbox.is_some() || !server.is_local() {
        return Ok(ctx.say(&en::looked(&draft.fact)).with(draft.ops));
    }
    let left = ctx.leave(&format!("/mcp test {}", server.name)).await?;
    let said = ctx.say(&en::asked_elsewhere(server));
    Ok(said.with(draft.ops).with(vec![left]))
}

/// `[network] [read DIRECTORY] [secret VARIABLE=SECRET] [agent AGENT] COMMAND`, or an address in the command's place.
fn described(name: &str, text: &str) -> Option<NewServer> {
    let (mut network, mut readable, mut agents) = (false, Vec::new(), Vec::new());
    let mut secrets = BTreeMap::new();
    let mut rest = text.trim();
    loop {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let after = after.trim_start();
        let (value, behind) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        match word {
            "network" => {
                network = true;
                rest = after;
                continue;
            }
            "read" => readable.push(value.to_owned()),
            "agent" => agents.push(value.to_owned()),
            "secret" => {
                let (variable, secret) = value.split_once('=')?;
                secrets.insert(variable.to_owned(), secret.to_owned());
            }
            _ => break,
        }
        rest = behind.trim_start();
    }
    let address = rest.starts_with("https://") || rest.starts_with("http://");
    let reach = match address {
        true => Reach::Http {
            url: rest.to_owned(),
        },
        false => Reach::Stdio {
            command: rest.to_owned(),
            network,
            readable,
        },
    };
    (!rest.is_empty()).then(|| NewServer {
        name: name.to_owned(),
        reach,
        secrets,
        agents,
    })
}

fn list(servers: &[McpServer]) -> RichText {
    if servers.is_empty() {
        return RichText::plain(en::NO_SERVERS);
    }
    let mut out = Builder::default();
    for server in servers {
        out.marked(&server.name, MarkStyle::Bold)
            .push(&en::server_line(server))
            .push("\n");
    }
    out.push("\n").push(en::MCP_HINT);
    out.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_described_in_words() {
        let new = described(
            "files",
            "network read /opt/a secret TOKEN=notes_key agent coder /opt/a/run --all network",
        );
        let expected = NewServer {
            name: "files".to_owned(),
            reach: Reach::Stdio {
                command: "/opt/a/run --all network".to_owned(),
                network: true,
                readable: vec!["/opt/a".to_owned()],
            },
            secrets: BTreeMap::from([("TOKEN".to_owned(), "notes_key".to_owned())]),
            agents: vec!["coder".to_owned()],
        };
        assert_eq!(new, Some(expected));
        let http = described("notes", "https://host/mcp").map(|new| new.reach);
        let url = "https://host/mcp".to_owned();
        assert_eq!(http, Some(Reach::Http { url }));
        for wrong in ["", "network", "read /opt", "secret TOKEN x"] {
            assert_eq!(described("x", wrong), None, "{wrong}");
        }
    }
}

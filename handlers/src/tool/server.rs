//! A tool of a server that speaks the Model Context Protocol, as it was agreed to. What it touches is `mcp:server/tool` and nothing else is
//! known of it: it counts as an effect that leaves the workspace, whatever its server says about it.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput};
use crate::{CommandError, Home, mcp};
use domain::{
    Digest,
    approval::Shown,
    content::prefix,
    elicitation::Elicitation,
    mcp::{Hints, McpServer, McpTool, Reach, Standing},
    permission::Access,
    tool::{ToolClass, ToolSpec},
};
use ports::{
    Mcp,
    mcp::{McpAnswer, McpCall, McpError, Offer},
};
use serde_json::{Map, Value};
use std::{path::PathBuf, sync::Arc};

/// Bytes of a server's own words about a tool on a card.
const WORDS: usize = 300;

/// What a server wants to know of a person, and what the call came to without an answer.
#[derive(Debug)]
pub struct Asks {
    pub server: String,
    pub question: Elicitation,
    pub output: ToolOutput,
}

pub struct ServerTool {
    pub home: Home,
    pub servers: Arc<dyn Mcp>,
    pub server: Arc<McpServer>,
    pub tool: McpTool,
    /// For models.
    pub name: String,
}

/// The tools of an agent's servers: those that were agreed to and that are still offered as they were.
///
/// # Errors
/// What the store answers.
pub(super) async fn of_agent(
    home: &Home,
    servers: &Arc<dyn Mcp>,
    agent: &domain::id::AgentId,
) -> Result<Vec<ServerTool>, CommandError> {
    let mut tools = Vec::new();
    for server in mcp::list(home).await? {
        if !server.is_for(agent) {
            continue;
        }
        let mut offered = mcp::offered(home, &server).await?;
        offered.retain(|tool| server.standing(tool) == Standing::Approved);
        let server = Arc::new(server);
        for (name, tool) in domain::mcp::model_names(&server.name, &offered) {
            tools.push(ServerTool {
                home: home.clone(),
                servers: servers.clone(),
                server: server.clone(),
                tool: tool.clone(),
                name,
            });
        }
    }
    Ok(tools)
}

impl ServerTool {
    fn object(arguments: &Value) -> Result<Map<String, Value>, ToolError> {
        let why = || ToolError::Arguments("the arguments must be a JSON object.".to_owned());
        arguments.as_object().cloned().ok_or_else(why)
    }

    /// Which server it is and what it said about this tool.
    fn binding(&self) -> Digest {
        let (server, tool) = (self.server.identity(), self.tool.digest());
        Digest::of(&(&server, &tool))
            .unwrap_or_else(|_| Digest::of_bytes(format!("{server}{tool}")))
    }

    fn impact(&self) -> String {
        let place = match &self.server.reach {
            Reach::Stdio {
                command, network, ..
            } => {
                let network = match network {
                    true => "with all of this machine’s network",
                    false => "without network",
                };
                format!("in the sandbox {network}: {command}")
            }
            Reach::Http { url } => url.clone(),
        };
        let description = self.tool.description.trim();
        let words = prefix(description, WORDS);
        let more = if words.len() < description.len() {
            "…"
        } else {
            ""
        };
        format!(
            "Calls a tool of the MCP server “{}” ({place}). The server’s own words, which nobody checks: {}. “{words}{more}”",
            self.server.name,
            hints(self.tool.hints)
        )
    }

    /// What the call came to, or what its server asks in the middle of it.
    fn output(&self, answer: McpAnswer) -> Result<ToolOutput, ToolError> {
        let output = ToolOutput {
            text: answer.text,
            ok: answer.ok,
            taint: Some(format!("the MCP server {}", self.server.name)),
            sources: Vec::new(),
        };
        let Some(question) = answer.asks else {
            return Ok(output);
        };
        let server = self.server.name.clone();
        Err(ToolError::Asks(Box::new(Asks {
            server,
            question,
            output,
        })))
    }

    /// Records what the server offers now, so that people can look at it. That this fails changes nothing about the call.
    async fn note(&self, offer: &Offer) {
        if let Err(error) = mcp::note_offer(&self.home, &self.server, offer).await {
            tracing::warn!(server = %self.server.name, %error, "what an MCP server offers now could not be kept");
        }
    }
}

fn hints(hints: Hints) -> &'static str {
    match (hints.read_only, hints.destructive) {
        (Some(true), _) => "it only reads",
        (_, Some(true)) => "it can destroy",
        (_, Some(false)) => "it only adds",
        _ => "it does not say what it changes",
    }
}

#[async_trait::async_trait]
impl Tool for ServerTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.clone(),
            description: self.tool.description.clone(),
            schema: self.tool.schema.clone(),
            class: ToolClass::Effect,
            leaves_workspace: true,
        }
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        Self::object(arguments)?;
        Ok(vec![Access::Tool(self.server.resource(&self.tool.name))])
    }

    async fn preview(&self, _: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let mut what = self.server.resource(&self.tool.name);
        let given = Self::object(arguments)?;
        let required = self.tool.schema["required"].as_array();
        let mut required = required.into_iter().flatten().filter_map(Value::as_str);
        if let Some(missing) = required.find(|name| !given.contains_key(*name)) {
            // Nobody is asked about what would fail anyway.
            let schema = &self.tool.schema;
            let why = format!("“{missing}” is missing; its arguments are {schema}");
            return Err(ToolError::Arguments(why));
        }
        for (name, value) in given {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            what.push_str(&format!("\n{name}: {value}"));
        }
        let shown = Shown {
            what,
            impact: self.impact(),
            rollback: "Only the server knows what it changes.".to_owned(),
            ..Shown::default()
        };
        Ok(Preview {
            before: self.binding(),
            shown,
            attachment: None,
        })
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let call = McpCall {
            tool: self.tool.clone(),
            arguments: Self::object(arguments)?,
            answers: at.caller.answers.to_vec(),
        };
        let root: Option<PathBuf> = match self.server.is_local() {
            true => Some(at.workspace()?.root()),
            false => None,
        };
        let answer = self
            .servers
            .call(&self.server, root.as_deref(), &call, &at.cancel)
            .await;
        match answer {
            Ok(answer) => {
                if let Some(offer) = &answer.offer {
                    self.note(offer).await;
                }
                self.output(answer)
            }
            Err(McpError::Changed(offer)) => {
                self.note(&offer).await;
                Err(ToolError::NotCalled(format!(
                    "the server “{0}” changed this tool after it was approved. It is withheld until an owner has looked: /mcp tools {0}",
                    self.server.name
                )))
            }
            Err(McpError::Unknown(why)) => Err(ToolError::Unknown(why)),
            Err(error @ McpError::TooLarge) => Ok(ToolOutput {
                text: format!("It was called, and {error}. Ask it for less."),
                ok: false,
                taint: Some(format!("the MCP server {}", self.server.name)),
                sources: Vec::new(),
            }),
            Err(error @ (McpError::Unavailable(_) | McpError::HoldsSecret)) => {
                Err(ToolError::NotCalled(error.to_string()))
            }
        }
    }

    fn needs_workspace(&self) -> bool {
        self.server.is_local()
    }

    fn server(&self) -> Option<&str> {
        Some(&self.server.name)
    }
}

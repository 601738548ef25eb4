//! Tool servers, in words.

use crate::text::one_line;
use domain::{
    content::prefix,
    mcp::{Hints, McpServer, McpTool, Reach, Standing},
};
use handlers::mcp::Looked;

pub const NO_SERVERS: &str = "There is no MCP server yet. An owner adds one: /mcp add files read /opt/servers /opt/servers/files /workspace, or /mcp add notes https://host/mcp";
pub const MCP_ADD: &str = "/mcp add NAME [network] [read DIRECTORY] [secret VARIABLE=SECRET] [agent AGENT] COMMAND or https://…";
pub const MCP_HINT: &str =
    "/mcp tools NAME shows what a server offers, /mcp test NAME asks it again.";

/// Bytes of a tool's description in a list.
const DESCRIPTION: usize = 160;

/// What will run or be asked, with which rights.
#[must_use]
pub fn reach(server: &McpServer) -> String {
    let mut text = match &server.reach {
        Reach::Http { url } => format!("over the network at {url}"),
        Reach::Stdio {
            command,
            network,
            readable,
        } => {
            let network = match network {
                true => {
                    "with all of this machine’s network (it may reach every host, also of your local network, and this machine’s own services)"
                }
                false => "without network",
            };
            let mut text = format!("in the sandbox, {network}: {}", one_line(command));
            if !readable.is_empty() {
                text.push_str(&format!("\nIt can read {}.", readable.join(", ")));
            }
            text
        }
    };
    if !server.secrets.is_empty() {
        let secrets = server.secrets.iter();
        let secrets: Vec<String> = secrets
            .map(|(place, name)| format!("{name} as {place}"))
            .collect();
        text.push_str(&format!(
            "\nIt is given the secrets {}.",
            secrets.join(", ")
        ));
    }
    if server.elicitation {
        text.push_str("\nIt may ask people something in the middle of a call.");
    }
    text
}

/// One line of a list.
#[must_use]
pub fn server_line(server: &McpServer) -> String {
    let agents: Vec<&str> = server.agents.iter().map(|agent| agent.as_str()).collect();
    let agents = match agents.is_empty() {
        true => String::new(),
        false => format!(" For {} only.", agents.join(", ")),
    };
    format!(
        " — {}. {} approved.{agents}",
        reach(server).replace('\n', " ").trim_end_matches('.'),
        count(server.approved.len())
    )
}

fn count(tools: usize) -> String {
    match tools {
        0 => "No tool is".to_owned(),
        1 => "One tool is".to_owned(),
        tools => format!("{tools} tools are"),
    }
}

/// What a server offers, and how to agree to it.
#[must_use]
pub fn looked(looked: &Looked) -> String {
    let server = &looked.server;
    let mut text = format!("MCP server {}: {}\n", server.name, reach(server));
    if let Some(why) = &looked.failed {
        text.push_str(&format!("\nIt could not be asked what it offers: {why}.\n"));
    }
    if !looked.offer.says.is_empty() {
        text.push_str(&format!("It says that it is {}.\n", looked.offer.says));
    }
    for (tool, standing) in &looked.tools {
        text.push_str(&format!("\n{}", tool_line(tool, *standing)));
    }
    for left_out in &looked.offer.left_out {
        text.push_str(&format!("\n✗ {left_out}"));
    }
    if looked.tools.is_empty() {
        text.push_str(&format!(
            "\nIt has offered nothing yet: /mcp test {}",
            server.name
        ));
    } else if looked
        .tools
        .iter()
        .any(|(_, standing)| *standing != Standing::Approved)
    {
        text.push_str(&format!(
            "\n\nThese are the server’s own words. Agents get a tool when you agree to exactly this, and it asks before each call until a rule \
             allows it (/rules add allow api_call mcp:{0}/…):\n/mcp approve {0} {1}\nor only some: /mcp approve {0} {1} TOOL TOOL",
            server.name, looked.mark
        ));
    }
    text
}

/// That a worker is to ask a server what it offers.
#[must_use]
pub fn asked_elsewhere(server: &McpServer) -> String {
    format!(
        "MCP server {}: {}\n\nA worker asks it what it offers (countersign worker --lanes sandbox), and says it here.",
        server.name,
        reach(server)
    )
}

fn tool_line(tool: &McpTool, standing: Standing) -> String {
    let mark = match standing {
        Standing::Approved => "✓",
        Standing::New => "•",
        Standing::Changed => "⚠ changed, withheld:",
    };
    let description = one_line(&tool.description);
    let description = description.trim();
    let beginning = prefix(description, DESCRIPTION);
    let more = if beginning.len() < description.len() {
        "…"
    } else {
        ""
    };
    format!(
        "{mark} {}{}: {beginning}{more}",
        tool.name,
        hint(tool.hints)
    )
}

fn hint(hints: Hints) -> &'static str {
    match (hints.read_only, hints.destructive) {
        (Some(true), _) => " (says that it only reads)",
        (_, Some(true)) => " (says that it can destroy)",
        _ => "",
    }
}

#[must_use]
pub fn server_approved(looked: &Looked) -> String {
    let names: Vec<&str> = looked.server.approved.keys().map(String::as_str).collect();
    format!(
        "Agents have these tools of {} now: {}. Each call asks until a rule allows it.",
        looked.server.name,
        names.join(", ")
    )
}

#[must_use]
pub fn server_restarted(server: &McpServer) -> String {
    format!("{} is started anew before it is used again.", server.name)
}

//! What a server offers, read page by page and brought into the words of the domain.

use domain::mcp::{Hints, McpTool, TOOLS};
use ports::mcp::Offer;
use rmcp::{
    RoleClient,
    model::{PaginatedRequestParams, ProtocolVersion, Tool},
    service::Peer,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Pages of a list; one that goes on and on is cut.
const PAGES: usize = 32;
/// What is left out is named so often.
const LEFT_OUT: usize = 16;

/// # Errors
/// Words for people.
pub async fn read(peer: &Peer<RoleClient>) -> Result<Offer, String> {
    let (mut offer, mut tools) = (Offer::default(), BTreeMap::new());
    offer.says = says(peer)?;
    let mut params = None;
    for _ in 0..PAGES {
        let page = peer.list_tools(params).await;
        let page = page.map_err(|error| format!("it does not say which tools it has: {error}"))?;
        for tool in page.tools {
            take(tool, &mut tools, &mut offer.left_out);
        }
        match page.next_cursor {
            None => {
                offer.tools = tools.into_values().collect();
                return Ok(offer);
            }
            cursor => params = Some(PaginatedRequestParams::default().with_cursor(cursor)),
        }
    }
    Err(format!("its list of tools has more than {PAGES} pages"))
}

/// Its name, its version and the protocol's; one that speaks another protocol than ours is refused.
fn says(peer: &Peer<RoleClient>) -> Result<String, String> {
    let Some(info) = peer.peer_info() else {
        return Err("it does not say what it is".to_owned());
    };
    let version = &info.protocol_version;
    if !ProtocolVersion::KNOWN_VERSIONS.contains(version) {
        let known: Vec<&str> = ProtocolVersion::KNOWN_VERSIONS
            .iter()
            .map(ProtocolVersion::as_str)
            .collect();
        return Err(format!(
            "it speaks version “{}” of the protocol; known are {}",
            short(version.as_str()),
            known.join(", ")
        ));
    }
    let name = info.server_info.as_ref();
    let name = name.map_or_else(
        || "unnamed".to_owned(),
        |info| format!("{} {}", short(&info.name), short(&info.version)),
    );
    Ok(format!("{name}, protocol {}", version.as_str()))
}

fn take(tool: Tool, tools: &mut BTreeMap<String, McpTool>, left_out: &mut Vec<String>) {
    let hints = tool.annotations.unwrap_or_default();
    let tool = McpTool {
        name: tool.name.into_owned(),
        description: tool.description.unwrap_or_default().into_owned(),
        schema: Value::Object((*tool.input_schema).clone()),
        hints: Hints {
            read_only: hints.read_only_hint,
            destructive: hints.destructive_hint,
            idempotent: hints.idempotent_hint,
            open_world: hints.open_world_hint,
        },
    };
    let why = match tool.check() {
        Err(why) => why,
        Ok(()) if tools.contains_key(&tool.name) => "there are two of this name".to_owned(),
        Ok(()) if tools.len() >= TOOLS => format!("there are more than {TOOLS}"),
        Ok(()) => return drop(tools.insert(tool.name.clone(), tool)),
    };
    if left_out.len() < LEFT_OUT {
        left_out.push(format!("{}: {why}", short(&tool.name)));
    }
}

/// What a server says about itself, on one line.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

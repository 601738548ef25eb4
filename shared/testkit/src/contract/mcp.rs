//! What every way to tool servers promises. The server that it is tried with offers `echo`, whose answer has the argument `text` in it, and
//! `fail`, which says that it failed.

use super::Outcome;
use domain::{
    Micros,
    id::MemberId,
    mcp::{McpServer, Reach},
};
use ports::{
    Mcp,
    mcp::{McpCall, McpError},
    sandbox::Cancel,
};
use serde_json::{Map, Value, json};

/// A server that is started by this command.
#[must_use]
pub fn server(command: &str) -> McpServer {
    McpServer {
        name: "tried".to_owned(),
        reach: Reach::Stdio {
            command: command.to_owned(),
            network: false,
            readable: Vec::new(),
        },
        secrets: Default::default(),
        agents: Vec::new(),
        approved: Default::default(),
        offer: None,
        elicitation: false,
        restarts: 0,
        version: 1,
        created_by: MemberId::new("terminal:owner"),
        created_at: Micros(0),
        updated_at: Micros(0),
    }
}

/// # Errors
/// When the server can't be asked at all.
pub async fn mcp_contract(mcp: &dyn Mcp, server: &McpServer) -> Outcome {
    let offer = mcp.tools(server, None).await?;
    let names: Vec<&str> = offer.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["echo", "fail"]);
    assert_eq!(mcp.tools(server, None).await?.tools, offer.tools);
    let call = |index: usize, arguments: Value| McpCall {
        tool: offer.tools[index].clone(),
        arguments: arguments.as_object().cloned().unwrap_or_else(Map::new),
        answers: Vec::new(),
    };
    let cancel = Cancel::default();
    let said = json!({"text": "so\nsaid “he”"});
    let answer = mcp.call(server, None, &call(0, said), &cancel).await?;
    assert!(answer.ok && answer.text.contains("said “he”"), "{answer:?}");
    let answer = mcp.call(server, None, &call(1, json!({})), &cancel).await?;
    assert!(!answer.ok, "{answer:?}");

    let mut other = call(0, json!({}));
    other.tool.description.push_str(" And more.");
    let changed = mcp.call(server, None, &other, &cancel).await;
    assert_eq!(changed.err(), Some(McpError::Changed(offer.clone())));

    let raised = Cancel::default();
    raised.raise();
    let never = mcp.call(server, None, &call(0, json!({})), &raised).await;
    assert!(matches!(never, Err(McpError::Unavailable(_))), "{never:?}");
    Ok(())
}

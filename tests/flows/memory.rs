//! What is remembered, conversations left and taken up again, and long ones summed up, from end to end.

use super::{
    Home, Program, Team, in_each_home,
    team::{code_of, short_id},
};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use tests::servers::telegram::{Conversation, User};

fn call(tool: &str, arguments: &Value) -> String {
    json!({"tool": tool, "arguments": arguments}).to_string()
}

fn remember(layer: &str, text: &str) -> String {
    call("remember", &json!({"layer": layer, "text": text}))
}

fn recall(words: &str) -> String {
    call("recall", &json!({ "query": words }))
}

async fn says(chat: &Conversation, text: &str, expected: &str) -> String {
    let sent = chat.send(text);
    let answer = chat
        .wait_for_message(|m| m.id > sent && m.text.contains(expected))
        .await;
    answer.text
}

/// Sends it, taps the button of the card that comes, and waits for what is said then; the card's text.
async fn decides(team: &Team, text: &str, (button, expected): (&str, &str)) -> String {
    let sent = team.ann.send(text);
    let card = team
        .ann
        .wait_for_message(|m| m.id > sent && m.button(button).is_some())
        .await;
    team.ann.tap(card.id, button);
    team.ann
        .wait_for_message(|m| m.id > card.id && m.text.contains(expected))
        .await;
    card.text
}

async fn what_is_remembered_is_known_later_and_about_a_member_to_nobody_else(home: Home) {
    let team = Team::in_home(home, &[]).await;
    let code = code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    says(&bob, &format!("/start {code}"), "an operator").await;

    let card = decides(
        &team,
        &remember("member", "Ann likes tables."),
        ("Approve", "Remembered (member)"),
    )
    .await;
    for part in [
        "wants to remember something",
        "Ann likes tables.",
        "/memory member undo",
    ] {
        assert!(card.contains(part), "{part}:\n{card}");
    }
    decides(
        &team,
        &remember("agent", "Tuesday is closed."),
        ("Approve", "Remembered (agent)"),
    )
    .await;
    team.ask("/new", "A new conversation").await;
    team.ask(&recall("ann"), "- Ann likes tables.").await;
    let latest = short_id(&team.ask("/runs", "recall").await);
    // Bob talks to the same agent: it knows what is the agent's, and nothing about Ann.
    says(&bob, &recall(""), "- Tuesday is closed.").await;
    says(&bob, "/memory", "You (member): nothing").await;
    says(&bob, "/memory member history", "Nothing was remembered").await;
    says(&bob, &format!("/run {latest}"), "which only they may read").await;
    let all = bob.transcript();
    assert!(!all.contains("tables"), "{all}");
    // It comes as a file, and goes back changed.
    team.ask("/memory member", "Ann likes tables.").await;
    let file = team.ann.send("/memory member edit");
    team.ann
        .wait_for_message(|m| m.id > file && m.text.contains("send it back"))
        .await;
    let sent = team
        .ann
        .send_document("memory-member.md", b"- Ann likes charts.\n");
    team.ann
        .wait_for_message(|m| m.id > sent && m.text.contains("+- Ann likes charts."))
        .await;
    team.ask("/memory member undo", "as before change 2").await;
    team.ask(&recall("ann"), "- Ann likes tables.").await;
    team.assert_well();
}

async fn what_comes_from_outside_asks_though_a_rule_allows(home: Home) {
    let team = Team::in_home(home, &[]).await;
    team.ask("/rules add allow memory", "allow memory").await;
    team.ask(&remember("agent", "Ann is here."), "Remembered")
        .await;
    decides(
        &team,
        "write: notes.md: the port is 8080",
        ("Approve", "notes.md"),
    )
    .await;
    team.ask("read: notes.md", "the port is 8080").await;
    // The conversation is tainted by what it read.
    let card = decides(
        &team,
        &remember("agent", "The port is 8080."),
        ("Approve", "Remembered (agent)"),
    )
    .await;
    assert!(
        card.contains("notes.md") && !card.contains("Always"),
        "{card}"
    );
    team.ask("/memory agent", "[from outside: notes.md]").await;
    team.ask("/new", "A new conversation").await;
    team.ask(&recall("port"), "- The port is 8080.").await;
    let card = decides(&team, &remember("session", "again"), ("Deny", "denied")).await;
    assert!(card.contains("notes.md"), "{card}");
    team.assert_well();
}

in_each_home!(
    what_is_remembered_is_known_later_and_about_a_member_to_nobody_else,
    what_comes_from_outside_asks_though_a_rule_allows,
);

#[tokio::test]
async fn a_conversation_is_left_gone_back_to_and_summed_up_with_its_open_card() {
    let mut team = Team::start().await;
    decides(&team, "run: echo one >> effects", ("Approve", "effects")).await;
    let sent = team.ann.send("run: echo two >> effects");
    let open = team
        .ann
        .wait_for_message(|m| m.id > sent && m.button("Approve").is_some())
        .await;
    team.ask("/new", "A new conversation").await;
    team.ask("hello", "I am a rehearsal").await;
    let list = team.ask("/sessions", "Conversations here").await;
    assert!(
        list.contains("waits for you") && list.contains("2 · hello"),
        "{list}"
    );
    for n in 1..=11 {
        team.ask(
            &format!("Fact {n} is that it is {n} o'clock."),
            "What I understand",
        )
        .await;
    }
    team.program.kill().await;
    team.program.leases_run_out();
    team.program.up().await;
    team.ask("hello", "I am a rehearsal").await;
    let (_, out, _) = team
        .program
        .run(&["runs", "list", "--json", "--limit", "1"])
        .await;
    let runs: Value = serde_json::from_str(&out).unwrap();
    let (_, journal, _) = team
        .program
        .run(&["runs", "journal", runs[0]["id"].as_str().unwrap(), "--json"])
        .await;
    assert!(
        journal.contains("\"summarised\"") && journal.contains("run_command: echo two >> effects"),
        "{journal}"
    );
    // The open card holds: in the end both commands ran once.
    team.ann.tap(open.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id == open.id && m.text.contains("Approved"))
        .await;
    team.ask("/resume 1", "Back in conversation 1").await;
    team.ask("hello", "I am a rehearsal").await;
    assert_eq!(team.effects(), 2);
    let (_, out, _) = team.program.run(&["sessions"]).await;
    assert!(
        out.contains("telegram:1001") && out.contains("echo one"),
        "{out}"
    );
    team.assert_well();
}

#[tokio::test]
async fn the_command_line_edits_a_memory() {
    let mut program = Program::alone();
    let (status, _, err) = program
        .run_with(&["memory", "set", "agent", "-"], "# Team\n- a\n")
        .await;
    assert_eq!(status, 0, "{err}");
    let (status, _, err) = program.run(&["memory", "edit", "agent"]).await;
    assert!(status == 1 && err.contains("set EDITOR"), "{err}");
    let editor = program.home().join("editor");
    std::fs::write(&editor, "#!/bin/sh\necho '- b' >> \"$1\"\n").unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    program.set("EDITOR", editor.to_str().unwrap());
    let (status, out, err) = program.run(&["memory", "edit", "agent"]).await;
    assert!(status == 0 && out.contains("+- b"), "{out}{err}");
    let (_, out, _) = program.run(&["memory", "show", "agent"]).await;
    assert_eq!(out, "# Team\n- a\n- b\n");
    let (_, out, _) = program.run(&["memory", "undo", "agent"]).await;
    assert!(out.contains("as before change 2"), "{out}");
    let (_, out, _) = program.run(&["memory", "history", "agent"]).await;
    assert!(out.contains("took version 2 back"), "{out}");
    let (_, out, _) = program.run(&["memory"]).await;
    assert!(out.contains("assistant"), "{out}");
    let (status, _, err) = program
        .run(&["memory", "show", "member", "--of", "Bob"])
        .await;
    assert!(status == 2 && err.contains("theirs alone"), "{err}");
    let (status, _, err) = program
        .run(&["memory", "show", "session", "--of", "terminal:x"])
        .await;
    assert!(status == 1 && err.contains("no conversation"), "{err}");
}

//! Servers of tools: added, looked at, agreed to, called after a card, and kept from what nobody agreed to. The server is a script that runs in
//! the sandbox.

use super::{Home, Program, Team, in_each_home};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;
use tests::servers::telegram::Message;

/// Where the sandbox can read it: a clone may lie where only its owner gets.
pub fn script() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("servers/mcp/server.py");
    let file = directory.path().join("server.py");
    fs::copy(source, &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = directory.path().display().to_string();
    let line = format!("read {shown} python3 {shown}/server.py");
    (directory, line)
}

/// Adds the script as “notes” on the command line, and what is said then.
pub async fn added(program: &Program, mode: &str) -> (TempDir, String) {
    let (keep, _) = script();
    let directory = keep.path().to_str().unwrap();
    let command = format!("python3 {directory}/server.py {mode}");
    let add = ["mcp", "add", "notes", "--command", &command];
    let add = [&add[..], &["--read", directory]].concat();
    let (status, out, err) = program.run(&add).await;
    assert_eq!(status, 0, "{out}{err}");
    (keep, out)
}

fn echo(text: &str) -> String {
    format!(r#"{{"tool": "notes__echo", "arguments": {{"text": "{text}"}}}}"#)
}

/// The words behind `/mcp approve notes` in what the bot, or a command, said.
pub fn mark(said: &str) -> String {
    let (_, after) = said.split_once("mcp approve notes ").unwrap();
    after.split_whitespace().next().unwrap().to_owned()
}

async fn with_server(mode: &str) -> (Team, TempDir) {
    with_server_in(Home::Local, mode).await
}

async fn with_server_in(home: Home, mode: &str) -> (Team, TempDir) {
    let (keep, line) = script();
    let team = Team::in_home(home, &[]).await;
    let said = team
        .ask(&format!("/mcp add notes {line} {mode}"), "approve notes")
        .await;
    team.ask(
        &format!("/mcp approve notes {}", mark(&said)),
        "Agents have these tools",
    )
    .await;
    (team, keep)
}

impl Team {
    /// Asks for a call, approves its card, and answers what the bot says then.
    async fn approved(&self, call: &str) -> String {
        let asked = self.ann.send(call);
        let card = self
            .ann
            .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
            .await;
        self.ann.tap(card.id, "Approve");
        let answer = self.ann.wait_for_message(|m| m.id > card.id && !m.silent);
        answer.await.text
    }
}

in_each_home!(
    a_server_is_added_and_its_tool_called_after_a_card,
    one_that_may_ask_asks_on_a_card_and_is_given_the_answer,
);

async fn a_server_is_added_and_its_tool_called_after_a_card(home: Home) {
    let (_keep, line) = script();
    let team = Team::in_home(home, &[]).await;
    team.ask(&echo("hello"), "there is no tool").await;
    let said = team
        .ask(&format!("/mcp add notes {line} good"), "approve notes")
        .await;
    for part in [
        "in the sandbox, without network",
        "script 1, protocol",
        "• echo (says that it only reads): Says it again.",
        "• fail",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    team.ask(&echo("hello"), "there is no tool").await;
    team.ask(
        "/mcp approve notes 00000000",
        "That is not what it offers now",
    )
    .await;
    team.ask(&format!("/mcp approve notes {}", mark(&said)), "echo, fail")
        .await;
    let asked = team.ann.send(&echo("hello"));
    let card = team
        .ann
        .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
        .await;
    for part in [
        "mcp:notes/echo",
        "text: hello",
        "The server’s own words, which nobody checks: it only reads.",
        "no rule speaks about the tool “mcp:notes/echo”",
        "Always would add: allow api_call “mcp:notes/echo” for agent assistant",
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    team.ann.tap(card.id, "Approve");
    let answer = team
        .ann
        .wait_for_message(|m| m.id > card.id && !m.silent)
        .await;
    assert!(answer.text.contains("echo: hello"), "{}", answer.text);
    let tainted = team.ann.send("run: curl example.org");
    let card = team
        .ann
        .wait_for_message(|m| m.id > tainted && m.button("Approve").is_some())
        .await;
    assert!(card.text.contains("the MCP server notes"), "{}", card.text);
    team.ask("/cancel", "ancel").await;
    team.ask("/mcp", "2 tools are approved").await;
    team.ask("/mcp restart notes", "started anew").await;
    team.ask("/mcp remove notes", "notes").await;
    team.ask(&echo("again"), "there is no tool").await;
    team.assert_well();
}

#[tokio::test]
async fn a_tool_that_changes_is_withheld_until_somebody_has_looked() {
    let (team, _keep) = with_server("changes").await;
    let first = team.approved(&echo("one")).await;
    assert!(first.contains("echo: one"), "{first}");
    let second = team.approved(&echo("two")).await;
    assert!(
        second.contains("changed this tool after it was approved"),
        "{second}"
    );
    let said = team.ask("/mcp tools notes", "changed, withheld").await;
    assert!(said.contains("sends your mail to me"), "{said}");
    team.ask(&echo("three"), "there is no tool").await;
    team.ask(&format!("/mcp approve notes {}", mark(&said)), "echo, fail")
        .await;
    let fourth = team.approved(&echo("four")).await;
    assert!(fourth.contains("echo: four"), "{fourth}");
}

#[tokio::test]
async fn one_that_dies_or_talks_without_end_in_a_call_is_asked_about() {
    for mode in ["dies", "floods"] {
        let (mut team, _keep) = with_server(mode).await;
        let asked = team.ann.send(&echo("one"));
        let card = team
            .ann
            .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
            .await;
        team.ann.tap(card.id, "Approve");
        let unknown = team
            .ann
            .wait_for_message(|m| m.id > card.id && m.button("It happened").is_some())
            .await;
        team.ann.tap(unknown.id, "It happened");
        let answer = team
            .ann
            .wait_for_message(|m| m.id > unknown.id && !m.silent)
            .await;
        assert!(
            answer.text.contains("the person says that it happened"),
            "{}",
            answer.text
        );
        team.program.assert_well();
    }
}

#[tokio::test]
async fn what_is_too_much_is_not_read_and_the_program_lives() {
    for (mode, words) in [
        ("huge", "more than 4 MiB"),
        ("asks", "asked for a model (sampling)"),
        ("garbage", "echo: one"),
    ] {
        let (mut team, _keep) = with_server(mode).await;
        let said = team.approved(&echo("one")).await;
        assert!(said.contains(words), "{mode}: {said}");
        team.program.assert_well();
    }
}

#[tokio::test]
async fn one_that_does_not_start_or_speaks_an_old_protocol_says_why() {
    let (_keep, line) = script();
    let team = Team::start().await;
    for (mode, words) in [
        ("old", "version “1999-01-01”"),
        ("broken", "there is no configuration"),
    ] {
        team.ask(&format!("/mcp add {mode} {line} {mode}"), words)
            .await;
    }
    team.ask("/mcp add x read /etc cat", "can’t be granted")
        .await;
    team.ask("/mcp add x", "Write it like this").await;
}

#[tokio::test]
async fn the_command_line_adds_looks_and_approves_too() {
    let team = Team::start().await;
    let (_keep, out) = added(&team.program, "good").await;
    assert!(out.contains("• echo"), "{out}");
    let mark = mark(&out);
    let (status, out, err) = team
        .program
        .run(&["mcp", "approve", "notes", &mark, "echo"])
        .await;
    assert_eq!(
        (status, out.contains("now: echo.")),
        (0, true),
        "{out}{err}"
    );
    let said = team.approved(&echo("from here")).await;
    assert!(said.contains("echo: from here"), "{said}");
    let (status, out, _) = team.program.run(&["mcp", "tools", "notes", "--json"]).await;
    assert_eq!(status, 0);
    let shown: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["tools"][1]["standing"], "new", "{out}");
}

#[tokio::test]
async fn one_that_offers_a_tool_named_like_ours_takes_nothing_over() {
    let (mut team, _keep) = with_server("shadows").await;
    let ours = team.ask("run: echo ours", "echo ours").await;
    assert!(!ours.contains("mcp:"), "{ours}");
    let theirs = r#"{"tool": "notes__run_command", "arguments": {"text": "x"}}"#;
    team.ask(theirs, "mcp:notes/run_command").await;
    team.program.assert_well();
}

/// The card with the server's question, asked after the call was approved.
async fn asked(team: &Team, text: &str) -> Message {
    let sent = team.ann.send(&echo(text));
    let card = team
        .ann
        .wait_for_message(|m| m.id > sent && m.button("Approve").is_some())
        .await;
    team.ann.tap(card.id, "Approve");
    team.ann
        .wait_for_message(|m| m.id > card.id && m.button("Decline").is_some())
        .await
}

async fn one_that_may_ask_asks_on_a_card_and_is_given_the_answer(home: Home) {
    let (mut team, _keep) = with_server_in(home, "elicits").await;
    // Nobody has allowed it.
    let refused = team.approved(&echo("one")).await;
    assert!(
        refused.contains("asked for an answer of a person"),
        "{refused}"
    );
    team.ask("/mcp elicitation notes on", "may ask people")
        .await;
    team.ask("/mcp tools notes", "It may ask people").await;
    let question = asked(&team, "milk").await;
    insta::assert_snapshot!(question.text, @r"
    ❓ The MCP server “notes” asks you

    Tool: notes__echo

    text: milk

    In the middle of this call of assistant. These are the server’s own words, which nobody checks:

    Which list is “milk” for?

    list: one of At home, At work, needed — List

    Tap one, or write it. The answer is the next message here of who asked for this, or anybody’s reply to this card. It goes to this server only, and the call is made once more with it.

    For now the call ended with “cancel: milk”. If you decline, it stays so.
    ");
    // Whatever process goes on.
    if team.cloud.is_none() {
        team.program.quiet().await;
    }
    team.program.kill().await;
    team.program.up().await;
    team.ann.tap(question.id, "At work");
    let answer = team
        .ann
        .wait_for_message(|m| m.id > question.id && !m.silent)
        .await;
    assert!(answer.text.contains("accept: milk"), "{}", answer.text);
    let settled = team
        .ann
        .wait_for_message(|m| m.id == question.id && m.buttons().is_empty())
        .await;
    assert!(settled.text.contains("Answered by"), "{}", settled.text);
    assert_eq!(
        team.program.workspace_file("notes.txt").as_deref(),
        Some("work: milk\n")
    );
    // In words, and not at all.
    asked(&team, "bread").await;
    // What is said about another card is for the agent, also where it would fit.
    let card = team
        .ann
        .wait_for_message(|m| m.text.contains("bread") && m.text.contains("Approved by"))
        .await;
    let aside = team.ann.reply_to(card.id, "at home");
    team.ann
        .wait_for_message(|m| m.id > aside && m.text.contains("Noted."))
        .await;
    team.ask("somewhere", "takes one of At home, At work").await;
    let said = team.ask("at home", "accept: bread").await;
    assert!(!said.contains("declined"), "{said}");
    let question = asked(&team, "cake").await;
    team.ann.reply_to(question.id, "at work");
    team.ann
        .wait_for_message(|m| m.id > question.id && m.text.contains("accept: cake"))
        .await;
    let question = asked(&team, "tea").await;
    team.ann.tap(question.id, "Decline");
    let answer = team
        .ann
        .wait_for_message(|m| m.id > question.id && !m.silent)
        .await;
    assert!(answer.text.contains("cancel: tea"), "{}", answer.text);
    let notes = team.program.workspace_file("notes.txt");
    assert_eq!(
        notes.as_deref(),
        Some("work: milk\nhome: bread\nwork: cake\n")
    );
    team.ask("/mcp history notes", "+asks people: yes").await;
    team.assert_well();
}

/// Waits until the program is at the point at which it dies.
async fn dies(team: &mut Team) {
    let mut looks = tokio::time::interval(std::time::Duration::from_millis(5));
    for _ in 0..6000 {
        looks.tick().await;
        if !team.program.is_up() {
            return;
        }
    }
    panic!("it lives:\n{}", team.program.printed());
}

/// Killed before a call, in the middle of it (its server has done it and does not answer) and after it, before anybody knows: a person is
/// asked each time, and what they say is true is what happened.
#[tokio::test]
async fn a_kill_around_a_call_asks_whether_it_happened() {
    for (mode, at, happened) in [
        ("does", Some("server-before:1"), false),
        ("slow", None, true),
        ("does", Some("server-after:1"), true),
    ] {
        let (mut team, _keep) = with_server(mode).await;
        if let Some(at) = at {
            team.program.quiet().await;
            team.program.kill().await;
            team.program.set("COUNTERSIGN_CRASH_AT", at);
            team.program.up().await;
        }
        let asked = team.ann.send(&echo("milk"));
        let card = team
            .ann
            .wait_for_message(|m| m.id > asked && m.button("Approve").is_some())
            .await;
        team.ann.tap(card.id, "Approve");
        match at {
            Some(_) => dies(&mut team).await,
            None => team.program.effects("effects", 1).await,
        }
        team.program.kill().await;
        team.program.unset("COUNTERSIGN_CRASH_AT");
        team.program.leases_run_out();
        team.program.up().await;
        let unknown = team
            .ann
            .wait_for_message(|m| m.id > card.id && m.button("It happened").is_some())
            .await;
        let lines = |team: &Team| {
            let file = team.program.workspace_file("effects");
            file.unwrap_or_default().lines().count()
        };
        assert_eq!(lines(&team), usize::from(happened), "{mode} {at:?}");
        let (choice, words) = match happened {
            true => ("It happened", "the person says that it happened"),
            false => ("Run again", "echo: milk"),
        };
        team.ann.tap(unknown.id, choice);
        let is_told = |m: &Message| m.id > unknown.id && m.text.contains(words);
        team.ann.wait_for_message(is_told).await;
        assert_eq!(lines(&team), 1, "{mode} {at:?}");
    }
}

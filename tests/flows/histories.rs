//! Skills and tool servers as they were: every change with who and what, and taking the latest back, in the chat and on the command line.

use super::{
    Program, Team,
    mcp::{added, mark, script},
};
use std::{fs, path::Path};

const SKILL: &str =
    "---\nname: greet\ndescription: Greets people.\n---\nSay hello in a friendly way.\n";

fn shelve(program: &Program, text: &str) {
    let shelf = program.home().join("data/skills");
    write(&shelf.join("greet"), text);
    let index = "skills:\n  - {name: greet, path: greet}\n";
    fs::write(shelf.join("index.yaml"), index).unwrap();
}

fn write(folder: &Path, text: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("SKILL.md"), text).unwrap();
}

impl Team {
    async fn installs(&self, text: &str) {
        shelve(&self.program, text);
        let asked = self.ann.send("/skill install greet");
        let card = self
            .ann
            .wait_for_message(|m| m.id > asked && m.button("Install").is_some())
            .await;
        self.ann.tap(card.id, "Install");
        self.ann
            .wait_for_message(|m| m.id == card.id && m.text.contains("is installed"))
            .await;
    }
}

#[tokio::test]
async fn a_skills_changes_are_told_and_taken_back() {
    let team = Team::start().await;
    team.ask("/skill history greet", "no skill").await;
    team.installs(SKILL).await;
    team.installs(&SKILL.replace("friendly", "formal")).await;
    let past = team.ask("/skill history greet", "Ann changed it").await;
    for part in [
        "Ann made it",
        "-Say hello in a friendly way.",
        "+Say hello in a formal way.",
        "/skill undo greet takes the latest change back",
    ] {
        assert!(past.contains(part), "{part}:\n{past}");
    }
    team.ask("/skill undo greet", "Version 2 was taken back")
        .await;
    team.ask("/skill show greet", "friendly").await;
    team.ask("/skill history greet", "took version 2 back")
        .await;
    team.ask("/skill undo greet", "is gone, as before").await;
    team.ask("/skill show greet", "no skill").await;
    team.ask("/skill undo greet", "nothing to take back").await;
    team.assert_well();
}

#[tokio::test]
async fn a_servers_changes_are_told_and_taken_back() {
    let (_keep, line) = script();
    let team = Team::start().await;
    team.ask("/mcp history notes", "There is no MCP server “notes”")
        .await;
    let said = team
        .ask(&format!("/mcp add notes {line} good"), "approve notes")
        .await;
    team.ask(&format!("/mcp approve notes {}", mark(&said)), "echo, fail")
        .await;
    team.ask("/mcp remove notes", "gone").await;
    let past = team.ask("/mcp history notes", "Ann deleted it").await;
    for part in [
        "Ann made it",
        "Ann changed it",
        "/mcp undo notes takes the latest change back",
    ] {
        assert!(past.contains(part), "{part}:\n{past}");
    }
    team.ask("/mcp undo notes", "is as before").await;
    team.ask("/mcp", "2 tools are approved").await;
    team.ask("/mcp undo notes", "is as before").await;
    // As it was added: nobody has agreed to anything.
    team.ask("/mcp test notes", "/mcp approve notes").await;
    team.ask("/mcp undo notes", "is gone, as before").await;
    team.ask("/mcp tools notes", "There is no MCP server “notes”")
        .await;
    team.assert_well();
}

#[tokio::test]
async fn the_command_line_tells_and_takes_back_too() {
    let program = Program::alone();
    let folder = program.home().join("greet");
    for text in [SKILL.to_owned(), SKILL.replace("friendly", "formal")] {
        write(&folder, &text);
        let path = folder.to_str().unwrap();
        let (_, out, err) = program.run(&["skills", "install", path]).await;
        let digest = err.split("--digest ").nth(1);
        let digest = digest.unwrap_or_else(|| panic!("{out}{err}"));
        let digest = digest.trim().trim_end_matches('.');
        let (status, _, err) = program
            .run(&["skills", "install", path, "--digest", digest])
            .await;
        assert_eq!(status, 0, "{err}");
    }
    let (_, out, _) = program.run(&["skills", "history", "greet"]).await;
    assert!(out.contains("+Say hello in a formal way."), "{out}");
    let (status, out, err) = program.run(&["skills", "undo", "greet"]).await;
    assert!(
        status == 0 && out.contains("Version 2 was taken back"),
        "{out}{err}"
    );
    let (_, out, _) = program.run(&["skills", "show", "greet"]).await;
    assert!(out.contains("friendly"), "{out}");

    let (_keep, _) = added(&program, "good").await;
    let (status, _, err) = program.run(&["mcp", "remove", "notes"]).await;
    assert_eq!(status, 0, "{err}");
    let (status, out, err) = program.run(&["mcp", "undo", "notes"]).await;
    assert!(status == 0 && out.contains("is as before"), "{out}{err}");
    let (_, out, _) = program.run(&["mcp", "history", "notes"]).await;
    assert!(out.contains("took version 2 back"), "{out}");
    let (status, _, err) = program.run(&["mcp", "tools", "notes"]).await;
    assert_eq!(status, 0, "{err}");
}

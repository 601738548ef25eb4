//! What agents and rules were, and going back, as people see it.

use super::*;

#[tokio::test]
async fn an_agents_history_is_shown_and_taken_back() {
    let mut world = World::new().await;
    let mut said = String::new();
    for text in [
        "/agents set coder preset read-only",
        "/agents rename coder ranger",
        "/agent undo ranger",
        "/agents duplicate coder twin",
        "/agent history coder",
        "/agents export coder",
        "/agents undo nobody",
        "/agent history",
    ] {
        said.push_str(&format!("> {text}\n{}\n", world.say(ANN, text).await));
    }
    let bobs = world.say(BOB, "/agent undo coder").await;
    insta::assert_snapshot!(format!("{said}Bob> /agent undo coder\n{bobs}"), @r#"
    > /agents set coder preset read-only
    coder
    Does things.

    model: the default one
    preset: read-only
    > /agents rename coder ranger
    ranger
    Does things.

    model: the default one
    preset: read-only
    > /agent undo ranger
    Version 3 was taken back: coder is as before (version 4). /agent undo coder goes further back.
    > /agents duplicate coder twin
    twin
    Does things.

    model: the default one
    preset: read-only
    > /agent history coder
    1 · 09:00 UTC · Ann made it
    +---
    +name: coder
    +description: Does things.
    +preset: ask-first
    +---
    +
    2 · 09:00 UTC · Ann changed it
    -preset: ask-first
    +preset: read-only
    3 · 09:00 UTC · Ann changed it
    -name: coder
    +name: ranger
    4 · 09:00 UTC · Ann took version 3 back
    -name: ranger
    +name: coder
    /agent undo coder takes the latest change back.
    > /agents export coder
    File { name: "coder.md", content: Inline("---\nname: coder\ndescription: Does things.\npreset: read-only\n---\n\n"), caption: "" }
    > /agents undo nobody
    There is no agent “nobody”. /agents lists them.
    > /agent history
    There is no agent “history”. /agents lists them.
    Bob> /agent undo coder
    That takes an owner.
    "#);
}

#[tokio::test]
async fn the_rules_history_is_shown_and_taken_back() {
    let mut world = World::new().await;
    let mut said = String::new();
    for text in [
        "/rules history",
        "/rules add deny network",
        "/rules undo",
        "/rules undo",
        "/rules history",
    ] {
        said.push_str(&format!("> {text}\n{}\n", world.say(ANN, text).await));
    }
    insta::assert_snapshot!(said, @r#"
    > /rules history
    The team’s rules have not changed yet.
    > /rules add deny network
    Rule 000010 holds from now on: deny network
    > /rules undo
    Taken back; this rule holds no more: deny network
    > /rules undo
    There is no change of the rules to take back.
    > /rules history
    1 · 09:00 UTC · Ann added: deny network
    2 · 09:00 UTC · Ann took 1 back, so no more: deny network
    "#);
}

//! Memories and conversations, as people see and change them.

use super::*;

async fn talk(world: &mut World, lines: &[(i64, &str)]) -> String {
    let mut said = String::new();
    for (who, text) in lines {
        let name = if *who == ANN { "Ann" } else { "Bob" };
        said.push_str(&format!(
            "{name}> {text}\n{}\n",
            world.say(*who, text).await
        ));
    }
    said
}

#[tokio::test]
async fn a_person_reads_and_edits_memories() {
    let mut world = World::new().await;
    let said = talk(
        &mut world,
        &[
            (ANN, "/memory"),
            (ANN, "/memory agent edit"),
            (ANN, "/memory agent add Tuesday is closed."),
            (ANN, "/memory agent add Tuesday is closed."),
            (ANN, "/memory member set # Ann\n- likes tables"),
            (ANN, "/memory"),
            (ANN, "/memory member"),
            (ANN, "/memory agent edit"),
            (BOB, "/memory"),
            (BOB, "/memory member"),
            (ANN, "/memory member undo"),
            (ANN, "/memory member undo"),
            (ANN, "/memory agent clear"),
            (ANN, "/memory agent history"),
            (ANN, "/memory team"),
            (ANN, "/memory agent burn"),
        ],
    )
    .await;
    insta::assert_snapshot!(said, @r#"
    Ann> /memory
    This conversation (session): nothing
    assistant (agent): nothing
    You (member): nothing

    /memory agent shows one; with “add TEXT” a line is added, with “edit” it comes as a file that you change and send back, “clear” empties it, “undo” takes the latest change back, “history” lists the changes.
    Ann> /memory agent edit
    Nothing was remembered there yet. /memory agent add TEXT begins it.
    Ann> /memory agent add Tuesday is closed.
    The agent’s memory has 21 bytes now.
    +- Tuesday is closed.
    /memory agent undo takes the latest change back.
    Ann> /memory agent add Tuesday is closed.
    The agent’s memory is as it was: it says so already.
    Ann> /memory member set # Ann
    - likes tables
    Your memory has 20 bytes now.
    +# Ann
    +- likes tables
    /memory member undo takes the latest change back.
    Ann> /memory
    This conversation (session): nothing
    assistant (agent): 1 line, 21 bytes, changed 09:00 UTC by Ann
    You (member): 2 lines, 20 bytes, changed 09:00 UTC by Ann

    /memory agent shows one; with “add TEXT” a line is added, with “edit” it comes as a file that you change and send back, “clear” empties it, “undo” takes the latest change back, “history” lists the changes.
    Ann> /memory member
    You (member): 2 lines, 20 bytes, changed 09:00 UTC by Ann
    # Ann
    - likes tables
    Ann> /memory agent edit
    File { name: "memory-agent.md", content: Inline("- Tuesday is closed.\n"), caption: "Change it and send it back, under this name or with the caption /memory agent." }
    Bob> /memory
    This conversation (session): nothing
    assistant (agent): 1 line, 21 bytes, changed 09:00 UTC by Ann
    You (member): nothing

    /memory agent shows one; with “add TEXT” a line is added, with “edit” it comes as a file that you change and send back, “clear” empties it, “undo” takes the latest change back, “history” lists the changes.
    Bob> /memory member
    You (member): nothing
    Ann> /memory member undo
    Your memory is as before change 1.
    -# Ann
    -- likes tables
    /memory member undo takes the latest change back.
    Ann> /memory member undo
    Nothing was changed there that could be taken back.
    Ann> /memory agent clear
    The agent’s memory has 0 bytes now.
    -- Tuesday is closed.
    /memory agent undo takes the latest change back.
    Ann> /memory agent history
    1 · 09:00 UTC · Ann changed it
    +- Tuesday is closed.
    2 · 09:00 UTC · Ann changed it
    -- Tuesday is closed.
    /memory agent undo takes the latest change back.
    Ann> /memory team
    Write it like this: /memory [session|agent|member [edit | add TEXT | set TEXT | clear | undo | history]]
    Ann> /memory agent burn
    Write it like this: /memory [session|agent|member [edit | add TEXT | set TEXT | clear | undo | history]]
    "#);
}

#[tokio::test]
async fn a_file_that_comes_back_is_the_memory() {
    let mut world = World::new().await;
    let file = |name: &str, caption: &str| json!({"caption": caption, "document": {"file_id": "- likes tea", "file_unique_id": "u", "file_name": name, "file_size": 10}});
    let by_name = world.message(ANN, ANN, file("memory-member.md", "")).await;
    let by_caption = world.message(ANN, ANN, file("x.md", "/memory agent")).await;
    let wrong = world.message(ANN, ANN, file("x.md", "/memory team")).await;
    let shown = world.say(ANN, "/memory member").await;
    insta::assert_snapshot!([by_name, by_caption, wrong, shown].join("\n---\n"), @r#"
    Your memory has 11 bytes now.
    +- likes tea
    /memory member undo takes the latest change back.
    ---
    The agent’s memory has 11 bytes now.
    +- likes tea
    /memory agent undo takes the latest change back.
    ---
    “team” is no memory: there are session, agent, member.
    ---
    You (member): 1 line, 11 bytes, changed 09:00 UTC by Ann
    - likes tea
    "#);
}

#[tokio::test]
async fn in_a_group_nobodys_own_memory_is_shown() {
    let mut world = World::new().await;
    world
        .say(ANN, "/memory member set secretly likes tea")
        .await;
    let said = |text: &str| json!({"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": 7}]});
    let mut shown = Vec::new();
    for text in ["/memory", "/memory member", "/memory member undo"] {
        shown.push(world.message(ANN, GROUP, said(text)).await);
    }
    insta::assert_snapshot!(shown.join("\n---\n"), @r#"
    This conversation (session): nothing
    assistant (agent): nothing

    /memory agent shows one; with “add TEXT” a line is added, with “edit” it comes as a file that you change and send back, “clear” empties it, “undo” takes the latest change back, “history” lists the changes.
    ---
    What is remembered about a member is theirs alone: it is there in their own chat, not where others read along.
    ---
    What is remembered about a member is theirs alone: it is there in their own chat, not where others read along.
    "#);
}

#[tokio::test]
async fn conversations_are_listed_and_gone_back_to() {
    let mut world = World::new().await;
    world.say(ANN, "fix the invoices").await;
    let mut said = talk(
        &mut world,
        &[
            (ANN, "/new"),
            (ANN, "/agent coder"),
            (ANN, "what is up?"),
            (ANN, "/sessions"),
            (ANN, "/resume"),
            (ANN, "/resume 5"),
            (ANN, "/resume 1"),
        ],
    )
    .await;
    said.push_str(&world.tap(ANN, "resume:2").await);
    said.push_str(&format!("\n{}", world.tap(ANN, "resume:x").await));
    insta::assert_snapshot!(said, @r#"
    Ann> /new
    A new conversation: what was said before is not known in it; /sessions goes back there. Files stay.
    Ann> /agent coder
    This chat talks to coder now: Does things.
    Ann> what is up?

    Ann> /sessions
    Card { card: Card { title: "Conversations here", blocks: [Text { text: "2 · what is up? · coder · 09:00 UTC · at work · here\n1 · fix the invoices · assistant · 09:00 UTC · at work" }], actions: [[Action { label: "1 · fix the invoices", data: "resume:1", style: Plain }]] } }
    Ann> /resume
    Write it like this: /resume <number>
    Ann> /resume 5
    There is no conversation “5”. /sessions lists them.
    Ann> /resume 1
    Back in conversation 1, “fix the invoices”. You talk to assistant. It is at work.
    (toast) You are in that conversation now.
    --
    Back in conversation 2, “what is up?”. You talk to coder. It is at work.
    (toast) There is no conversation “0”. /sessions lists them.
    "#);
}

/// They go on where they are; who reads along in a group is not told of other chats, nor anybody of another person's.
#[tokio::test]
async fn what_goes_on_in_other_chats_is_told_where_one_is_alone() {
    let mut world = World::new().await;
    world.say(BOB, "buy a boat").await;
    world.say(ANN, "fix the invoices").await;
    let asked = json!({"text": "@cs_bot plan the party", "entities": [{"type": "mention", "offset": 0, "length": 7}]});
    world.message(ANN, GROUP, asked).await;
    let private = world.say(ANN, "/sessions").await;
    let part = "Elsewhere, where it goes on:\\nin a group · ";
    assert!(
        private.contains(part) && private.contains("plan the party"),
        "{private}"
    );
    assert!(!private.contains("boat"), "{private}");
    let asked = json!({"text": "/sessions", "entities": [{"type": "bot_command", "offset": 0, "length": 9}]});
    let group = world.message(ANN, GROUP, asked).await;
    assert!(
        group.contains("plan the party") && !group.contains("Elsewhere"),
        "{group}"
    );
}

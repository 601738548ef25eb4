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
    insta::assert_snapshot!(said, @"");
}

#[tokio::test]
async fn a_file_that_comes_back_is_the_memory() {
    let mut world = World::new().await;
    let file = |name: &str, caption: &str| json!({"caption": caption, "document": {"file_id": "- likes tea", "file_unique_id": "u", "file_name": name, "file_size": 10}});
    let by_name = world.message(ANN, ANN, file("memory-member.md", "")).await;
    let by_caption = world.message(ANN, ANN, file("x.md", "/memory agent")).await;
    let wrong = world.message(ANN, ANN, file("x.md", "/memory team")).await;
    let shown = world.say(ANN, "/memory member").await;
    insta::assert_snapshot!([by_name, by_caption, wrong, shown].join("\n---\n"), @"");
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
    insta::assert_snapshot!(shown.join("\n---\n"), @"");
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
    insta::assert_snapshot!(said, @"");
}

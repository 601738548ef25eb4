//! Answers of a model as a chat shows them: marks, parts, files, and the status message while it works.

use super::{Team, team::redacted};
use serde_json::json;
use tests::servers::model::{Asked, Dialect, Gate, Reply, Script};

#[tokio::test]
async fn markdown_becomes_entities_and_code_blocks_keep_their_language() {
    let text = "## Result\nUse **bold** and `code`:\n\n```rust\nfn main() {}\n```\nSee [the docs](https://example.org).";
    let (team, _model) =
        Team::with_model(Dialect::Anthropic, Script::queue([Reply::text(text)])).await;
    let asked = team.ann.send("Show me.");
    let answer = team
        .ann
        .wait_for_message(|m| m.id > asked && m.text.contains("fn main"))
        .await;
    assert!(
        !answer.text.contains("**") && !answer.text.contains("```"),
        "{}",
        answer.text
    );
    assert_eq!(
        answer.parse_mode, None,
        "entities, never a parse mode that a text could break out of"
    );
    let styles: Vec<&str> = answer
        .entities
        .iter()
        .filter_map(|entity| entity["type"].as_str())
        .collect();
    for style in ["bold", "code", "pre", "text_link"] {
        assert!(styles.contains(&style), "{style} in {:?}", answer.entities);
    }
    let code = answer
        .entities
        .iter()
        .find(|entity| entity["type"] == "pre")
        .unwrap();
    assert_eq!(code["language"], "rust");
    let at = |key: &str| usize::try_from(code[key].as_u64().unwrap()).unwrap();
    let units: Vec<u16> = answer
        .text
        .encode_utf16()
        .skip(at("offset"))
        .take(at("length"))
        .collect();
    assert_eq!(
        String::from_utf16(&units).unwrap().trim_end(),
        "fn main() {}"
    );
}

fn paragraphs(count: usize) -> String {
    let paragraph = |n: usize| {
        format!(
            "Paragraph {n}. {}",
            "All of it 🙂 matters, says the author. "
                .repeat(10)
                .trim_end()
        )
    };
    (1..=count).map(paragraph).collect::<Vec<_>>().join("\n\n")
}

#[tokio::test]
async fn a_long_answer_comes_in_parts_cut_between_paragraphs() {
    let text = paragraphs(20);
    let (team, _model) =
        Team::with_model(Dialect::OpenAi, Script::queue([Reply::text(&text)])).await;
    let asked = team.ann.send("Tell me everything.");
    team.ann.wait_for_text("(3/3)").await;
    let parts: Vec<_> = team
        .ann
        .messages()
        .into_iter()
        .filter(|m| m.is_bots() && m.id > asked && m.text.contains("/3)"))
        .collect();
    assert_eq!(parts.len(), 3);
    let mut joined = Vec::new();
    for (part, number) in parts.iter().zip(1..) {
        assert!(part.text.encode_utf16().count() <= 4096);
        let (body, _) = part.text.rsplit_once(&format!("({number}/3)")).unwrap();
        assert!(
            body.trim_end().ends_with("author."),
            "cut within a paragraph: {body}"
        );
        joined.push(body.trim().to_owned());
    }
    assert_eq!(
        joined.join("\n\n"),
        text,
        "nothing is lost between the parts"
    );
    assert_eq!(
        parts.iter().filter(|part| !part.silent).count(),
        1,
        "it rings once"
    );
}

#[tokio::test]
async fn a_very_long_answer_comes_as_a_file_with_its_beginning() {
    let text = paragraphs(120);
    let (team, _model) =
        Team::with_model(Dialect::Anthropic, Script::queue([Reply::text(&text)])).await;
    team.ann.send("Tell me everything.");
    let file = team.ann.wait_for_message(|m| m.document.is_some()).await;
    let document = file.document.unwrap();
    assert_eq!(
        (document.name.as_str(), document.bytes.as_ref()),
        ("answer.md", text.as_bytes())
    );
    team.ann
        .wait_for_message(|m| m.text.starts_with("Paragraph 1.") && m.text.contains("in the file"))
        .await;
}

#[tokio::test]
async fn one_status_message_is_edited_while_a_run_works_and_stays_as_a_line() {
    let (thinking, again) = (Gate::new(), Gate::new());
    let gates = (thinking.clone(), again.clone());
    let script = Script::answering(move |asked: &Asked| match asked.calls() {
        0 => Reply::text_and_calls(
            "First I look.",
            [("run_command", json!({"command": "echo seen"}))],
        )
        .held_by(&gates.0),
        _ => Reply::text("I saw it.").held_by(&gates.1),
    });
    let (team, model) = Team::with_model(Dialect::Anthropic, script).await;
    let asked = team.ann.send("What is there?");
    let status = team
        .ann
        .wait_for_message(|m| m.id > asked && m.text.contains("thinking"))
        .await;
    assert!(status.silent, "a status rings nobody");
    thinking.open();
    model.wait_for_requests(2).await;
    team.ann
        .wait_for_message(|m| m.id == status.id && m.edits > 0)
        .await;
    again.open();
    let answer = team.ann.wait_for_text("I saw it.").await;
    assert!(
        answer.id > status.id && !answer.silent,
        "the answer is a message of its own"
    );
    let line = team
        .ann
        .wait_for_message(|m| m.id == status.id && m.text.starts_with("assistant · 2 steps · "))
        .await;
    assert!(!line.text.contains("thinking"), "{}", line.text);
    assert_eq!(
        team.ann
            .messages()
            .iter()
            .filter(|m| m.is_bots() && m.id > asked)
            .count(),
        2,
        "{}",
        team.ann.transcript()
    );
}

#[tokio::test]
async fn what_a_model_says_between_calls_is_no_answer_and_an_empty_answer_is_said() {
    let script = Script::queue([
        Reply::text_and_calls("Now I look.", [("list_files", json!({}))]),
        Reply::text(""),
    ]);
    let (team, _model) = Team::with_model(Dialect::OpenAi, script).await;
    let begun = team.ann.transcript().len();
    team.ask("Look around.", "It had nothing to say").await;
    insta::assert_snapshot!(redacted(&team.ann.transcript()[begun..]), @r"
    Ann: Look around.
    Bot: assistant is done. It had nothing to say.
    ");
}

//! The main job with a language model, in both dialects: a question, a call, a card, a yes, one effect, an answer.

use super::Team;
use serde_json::json;
use tests::servers::{
    model::{Asked, Dialect, Reply, Script, Turn},
    telegram::User,
};

/// Notes what it is asked to and says so.
fn notes(asked: &Asked) -> Reply {
    match asked.results().as_slice() {
        [] => {
            let call = (
                "write_file",
                json!({"path": "notes.md", "text": "buy milk\n"}),
            );
            Reply::text_and_calls("You want to find it again.", [call])
        }
        [result] if result.contains("denied") => Reply::text("Then I leave it."),
        _ => Reply::text("It is in **notes.md**."),
    }
}

async fn main_job(dialect: Dialect) -> (Team, String) {
    let (team, model) = Team::with_model(dialect, Script::answering(notes)).await;
    let begun = team.ann.transcript().len();
    team.ann.send("Note that we need milk.");
    let card = team.ann.wait_for_button("Approve").await;
    assert_eq!(
        team.program.workspace_file("notes.md"),
        None,
        "nothing happens before the yes"
    );
    let tap = team.ann.tap(card.id, "Approve");
    team.ann.wait_for_answer(&tap).await;
    let answer = team
        .ann
        .wait_for_message(|m| m.id > card.id && m.text == "It is in notes.md.")
        .await;
    assert_eq!(
        answer.entities.len(),
        1,
        "the model's Markdown became an entity: {:?}",
        answer.entities
    );
    team.ann
        .wait_for_message(|m| m.id == card.id && m.text.contains("Approved by Ann"))
        .await;
    assert_eq!(
        team.program.workspace_file("notes.md").as_deref(),
        Some("buy milk\n")
    );
    assert_eq!(model.requests().len(), 2, "one request per step");
    let transcript = super::team::redacted(&team.ann.transcript()[begun..]);
    (team, transcript)
}

#[tokio::test]
async fn a_question_a_card_a_yes_an_answer_with_anthropic() {
    let (mut team, transcript) = main_job(Dialect::Anthropic).await;
    insta::assert_snapshot!(transcript, @r"
    Ann: Note that we need milk.
    Bot (edited): assistant wants to write a file

         ✅ Approved by Ann at <time> UTC

         Create notes.md (9 bytes)
    Ann taps [Approve]
         toast: Approved.
    Bot: It is in notes.md.
    ");
    team.program.assert_well();
}

#[tokio::test]
async fn a_question_a_card_a_yes_an_answer_with_openai() {
    let (mut team, transcript) = main_job(Dialect::OpenAi).await;
    insta::assert_snapshot!(transcript, @r"
    Ann: Note that we need milk.
    Bot (edited): assistant wants to write a file

         ✅ Approved by Ann at <time> UTC

         Create notes.md (9 bytes)
    Ann taps [Approve]
         toast: Approved.
    Bot: It is in notes.md.
    ");
    team.program.assert_well();
}

#[tokio::test]
async fn a_no_with_a_reason_reaches_the_model() {
    let (team, model) = Team::with_model(Dialect::Anthropic, Script::answering(notes)).await;
    team.ann.send("Note that we need milk.");
    let card = team.ann.wait_for_button("Deny").await;
    team.ann.reply_to(card.id, "we have enough");
    team.ann.wait_for_text("Then I leave it.").await;
    let last = model.requests().pop().unwrap().json().unwrap();
    assert!(
        last["messages"].to_string().contains("we have enough"),
        "{last}"
    );
    assert_eq!(team.program.workspace_file("notes.md"), None);
}

#[tokio::test]
async fn the_next_run_knows_what_was_said_and_new_forgets_it() {
    let echo = |asked: &Asked| {
        let said = asked
            .turns
            .iter()
            .filter(|turn| matches!(turn, Turn::User(_)))
            .count();
        Reply::text(&format!(
            "I know {said} of your messages; the last is “{}”.",
            asked.last_user()
        ))
    };
    let (team, model) = Team::with_model(Dialect::OpenAi, Script::answering(echo)).await;
    team.ask("My name is Ann.", "I know 1 of").await;
    team.ask("What is my name?", "I know 2 of").await;
    let last = model.requests().pop().unwrap().json().unwrap();
    let said: Vec<&str> = last["messages"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .filter_map(|m| m["content"].as_str())
        .collect();
    assert_eq!(
        said,
        [
            "My name is Ann.",
            "I know 1 of your messages; the last is “My name is Ann.”.",
            "What is my name?"
        ]
    );
    team.ask("/new", "new conversation").await;
    team.ask("And now?", "I know 1 of").await;
}

#[tokio::test]
async fn every_topic_is_a_session_with_its_own_history_and_workspace() {
    let echo = |asked: &Asked| Reply::text(&format!("Turns so far: {}.", asked.turns.len()));
    let (team, _model) = Team::with_model(Dialect::Anthropic, Script::answering(echo)).await;
    let (ann, group) = (User::new(1001, "Ann"), team.tg.group(-100_700, "Work"));
    group.add_bot(&ann);
    let (red, blue) = (
        group.topic(7, "red").seat(&ann),
        group.topic(8, "blue").seat(&ann),
    );
    red.send("@fake_test_bot one");
    red.wait_for_text("Turns so far: 1.").await;
    red.send("@fake_test_bot two");
    red.wait_for_text("Turns so far: 3.").await;
    blue.send("@fake_test_bot one");
    blue.wait_for_text("Turns so far: 1.").await;
    assert!(
        !blue.transcript().contains("Turns so far: 3."),
        "answers stay in their topic:\n{}",
        group.transcript()
    );
}

#[tokio::test]
async fn the_agents_own_model_is_asked_and_where_it_fails_the_next_of_its_chain() {
    let by_name = |asked: &Asked| match asked.model.as_str() {
        "fake-small" => Reply::status(400).saying("out of order"),
        model => Reply::text(&format!("Here is {model}.")),
    };
    let (team, _model) = Team::with_model(Dialect::OpenAi, Script::answering(by_name)).await;
    team.ask(
        "/agents set assistant model openai/fake-small",
        "fake-small",
    )
    .await;
    team.ask(
        "/agents set assistant fallbacks openai/fake-large",
        "fake-large",
    )
    .await;
    team.ask("Who are you?", "Here is fake-large.").await;
}

//! From step to step of a run the beginning of a request stays the same bytes, so that the provider's cache is used.

use serde_json::{Value, json, value::RawValue};

use super::*;

#[derive(serde::Deserialize)]
struct Raw {
    tools: Box<RawValue>,
    system: Option<Box<RawValue>>,
    messages: Vec<Box<RawValue>>,
}

/// A run of three calls, one after the other, then an answer, then a second question.
fn script() -> Script {
    Script::answering(|asked| match asked.calls() {
        calls @ 0..3 => Reply::text_and_calls(
            "Next.",
            [(
                "read_file",
                json!({"path": format!("{calls}"), "z": 1, "a": 2}),
            )],
        ),
        _ => Reply::text("Done."),
    })
}

/// The requests of the whole conversation. Each is asked by an adapter of its own, from messages that were stored and read
/// again, as after a crash.
async fn conversation(fake: &FakeModel, dialect: Dialect) -> Vec<ModelReply> {
    let mut messages = vec![user("Read them all.")];
    let mut replies = Vec::new();
    for step in 0..5 {
        let stored = serde_json::to_value(&messages).unwrap();
        let reply = ask(
            &adapter(fake, dialect),
            serde_json::from_value(stored).unwrap(),
        )
        .await
        .unwrap();
        messages.push(said(&reply));
        messages.extend(results(
            &reply,
            &format!("the text of file {step}, which is not short"),
        ));
        if reply.calls.is_empty() {
            messages.push(user("And again?"));
        }
        replies.push(reply);
    }
    replies
}

fn without_marks(raw: &RawValue) -> String {
    raw.get()
        .replace(r#","cache_control":{"type":"ephemeral"}"#, "")
}

#[tokio::test]
async fn the_beginning_of_a_conversation_stays_the_same_bytes() {
    for dialect in BOTH {
        let fake = FakeModel::start(script()).await.unwrap();
        conversation(&fake, dialect).await;
        let requests: Vec<Raw> = fake
            .requests()
            .iter()
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect();
        assert_eq!(requests.len(), 5);
        for pair in requests.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            assert_eq!(before.tools.get(), after.tools.get());
            assert_eq!(
                before.system.as_ref().map(|raw| raw.get()),
                after.system.as_ref().map(|raw| raw.get())
            );
            assert!(before.messages.len() < after.messages.len());
            for (old, new) in before.messages.iter().zip(&after.messages) {
                match dialect {
                    Dialect::Anthropic => assert_eq!(without_marks(old), without_marks(new)),
                    Dialect::OpenAi => assert_eq!(old.get(), new.get()),
                }
            }
        }
    }
}

#[tokio::test]
async fn each_step_reads_from_the_cache_what_the_step_before_sent() {
    for dialect in BOTH {
        let fake = FakeModel::start(script()).await.unwrap();
        let replies = conversation(&fake, dialect).await;
        assert_eq!(replies[0].usage.cache_read, 0);
        for pair in replies.windows(2) {
            let (before, after) = (pair[0].usage, pair[1].usage);
            let sent_before = before.input + before.cache_read + before.cache_write;
            // Up to the rounding of three counts.
            assert!(
                after.cache_read + 3 >= sent_before,
                "{dialect:?}: {before:?} then {after:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_marks_of_anthropics_cache_are_where_they_belong() {
    let fake = FakeModel::start(script()).await.unwrap();
    conversation(&fake, Dialect::Anthropic).await;
    let body: Value = fake.requests()[3].json().unwrap();
    let marked = |block: &Value| block.get("cache_control").is_some();
    assert!(!marked(&body["tools"][0]) && marked(&body["tools"][1]) && marked(&body["system"][0]));
    let turns = body["messages"].as_array().unwrap();
    let marks: Vec<usize> = (0..turns.len())
        .filter(|at| turns[*at]["content"].as_array().unwrap().iter().any(marked))
        .collect();
    assert_eq!(marks, [4, 6]);
}

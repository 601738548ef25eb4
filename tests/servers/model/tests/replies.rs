//! What goes well, in all the ways in which servers do it.

use domain::MicroUsd;
use serde_json::{Value, json};

use super::*;
use crate::servers::model::{Gate, Turn};

#[tokio::test]
async fn a_text_is_streamed_and_counted() {
    for dialect in BOTH {
        let fake = FakeModel::start(Script::queue([Reply::text("eins zwei drei")]))
            .await
            .unwrap();
        let mut pieces = Vec::new();
        let mut on_text = |piece: &str| pieces.push(piece.to_owned());
        let model = adapter(&fake, dialect);
        let reply = model
            .complete(&request(vec![user("hi")]), &mut on_text)
            .await
            .unwrap();
        assert_eq!(reply.text, "eins zwei drei");
        assert_eq!(pieces, ["eins ", "zwei ", "drei"], "{dialect:?}");
        assert!(reply.calls.is_empty() && !reply.truncated && !reply.priced);
        assert_eq!((reply.cost, reply.usage.output), (MicroUsd::ZERO, 4));
        assert!(
            reply.usage.input + reply.usage.cache_write > 50,
            "{:?}",
            reply.usage
        );
    }
}

#[tokio::test]
async fn text_arrives_while_the_model_still_speaks() {
    for dialect in BOTH {
        let gate = Gate::new();
        let fake = FakeModel::start(Script::queue([Reply::text("a b c d e f").paused_by(&gate)]))
            .await
            .unwrap();
        let mut heard = String::new();
        // Only the first piece opens the gate: without streaming this would never end.
        let mut on_text = |piece: &str| {
            heard.push_str(piece);
            gate.open();
        };
        let model = adapter(&fake, dialect);
        model
            .complete(&request(vec![user("hi")]), &mut on_text)
            .await
            .unwrap();
        assert_eq!(heard, "a b c d e f");
    }
}

#[tokio::test]
async fn calls_arrive_with_ids_and_arguments() {
    for dialect in BOTH {
        let calls = [
            ("read_file", json!({"path": "ä \"b\"", "n": [1, null]})),
            ("list_files", json!({})),
        ];
        let reply = outcome(dialect, Reply::text_and_calls("I look.", calls.clone()))
            .await
            .unwrap();
        assert_eq!(reply.text, "I look.");
        let got: Vec<(&str, Value)> = reply
            .calls
            .iter()
            .map(|call| (call.name.as_str(), call.arguments.clone()))
            .collect();
        assert_eq!(got, calls, "{dialect:?}");
        assert_ne!(reply.calls[0].id, reply.calls[1].id);
        assert!(
            reply
                .calls
                .iter()
                .all(|call| call.id.as_str().contains("fake") && call.malformed.is_none())
        );
    }
}

#[tokio::test]
async fn how_the_bytes_are_cut_does_not_matter() {
    for dialect in BOTH {
        for size in [1, 2, 7, 1000] {
            let said = Reply::text_and_calls("Größe → 日本", [("read_file", json!({"path": "ü"}))]);
            let reply = outcome(dialect, said.in_pieces(size)).await.unwrap();
            assert_eq!(
                (reply.text.as_str(), &reply.calls[0].arguments),
                ("Größe → 日本", &json!({"path": "ü"}))
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    for dialect in BOTH {
        let said =
            Reply::text_and_calls("Well.", [("read_file", json!({"path": "a"}))]).unstreamed();
        let whole = outcome(dialect, said).await.unwrap();
        assert_eq!(whole.text, "Well.");
        assert_eq!(whole.calls[0].arguments, json!({"path": "a"}));
        assert!(whole.usage.output > 0);
    }
}

#[tokio::test]
async fn the_many_ways_to_send_calls_are_understood() {
    let calls = || {
        Reply::calls([
            ("read_file", json!({"path": "a"})),
            ("read_file", json!({"path": "b"})),
        ])
    };
    let ways = [
        calls().whole_calls(),
        calls().without_ids(),
        calls().without_ids().whole_calls(),
        calls().without_done(),
    ];
    for way in ways {
        let reply = outcome(Dialect::OpenAi, way.clone()).await.unwrap();
        let paths: Vec<_> = reply
            .calls
            .iter()
            .map(|call| call.text("path").unwrap())
            .collect();
        assert_eq!(paths, ["a", "b"], "{way:?}");
        assert_ne!(reply.calls[0].id, reply.calls[1].id);
    }
}

#[tokio::test]
async fn ids_that_a_server_left_out_are_unique_in_the_conversation_and_repeatable() {
    let fake = FakeModel::start(Script::answering(|_| {
        Reply::calls([("list_files", json!({}))]).without_ids()
    }))
    .await
    .unwrap();
    let model = adapter(&fake, Dialect::OpenAi);
    let first = ask(&model, vec![user("go")]).await.unwrap();
    assert_eq!(
        first.calls,
        ask(&model, vec![user("go")]).await.unwrap().calls
    );
    let mut messages = vec![user("go"), said(&first)];
    messages.extend(results(&first, "a"));
    let second = ask(&model, messages).await.unwrap();
    assert_ne!(first.calls[0].id, second.calls[0].id);
}

#[tokio::test]
async fn usage_is_estimated_where_nobody_counts() {
    let reply = outcome(Dialect::OpenAi, Reply::text("12345678").without_usage())
        .await
        .unwrap();
    assert_eq!(reply.usage.output, 2);
    assert!(reply.usage.input > 50);
}

#[tokio::test]
async fn a_reply_that_was_cut_off_says_so() {
    for dialect in BOTH {
        let reply = outcome(dialect, Reply::text("and then").truncated())
            .await
            .unwrap();
        assert!(reply.truncated);
    }
}

#[tokio::test]
async fn malformed_arguments_are_a_reply_too() {
    for dialect in BOTH {
        let reply = outcome(dialect, Reply::malformed_call("read_file", "{\"path\": "))
            .await
            .unwrap();
        assert_eq!(reply.calls[0].arguments, Value::Null);
        assert!(
            reply.calls[0]
                .malformed
                .as_deref()
                .unwrap()
                .starts_with("{\"path\": ")
        );
        // And the conversation can go on with it.
        let fake = FakeModel::start(Script::queue([Reply::text("sorry")]))
            .await
            .unwrap();
        let mut messages = vec![user("hi"), said(&reply)];
        messages.extend(results(&reply, "these arguments are not JSON"));
        assert_eq!(
            ask(&adapter(&fake, dialect), messages).await.unwrap().text,
            "sorry"
        );
    }
}

#[tokio::test]
async fn a_conversation_goes_on_over_results_whichever_process_asks() {
    for dialect in BOTH {
        let fake = FakeModel::start(Script::answering(|asked| {
            match asked.results().as_slice() {
                [] => Reply::calls([
                    ("read_file", json!({"path": asked.last_user()})),
                    ("list_files", json!({})),
                ]),
                results => Reply::text(&format!("{} of {}", results.len(), asked.tools.join(", "))),
            }
        }))
        .await
        .unwrap();
        let first = ask(&adapter(&fake, dialect), vec![user("notes.md")])
            .await
            .unwrap();
        assert_eq!(first.calls[0].text("path"), Some("notes.md"));
        let mut messages = vec![user("notes.md"), said(&first)];
        messages.extend(results(&first, "text"));
        let second = ask(&adapter(&fake, dialect), messages).await.unwrap();
        assert_eq!(second.text, "2 of list_files, read_file");
    }
}

#[tokio::test]
async fn scripts_see_one_shape_in_both_dialects() {
    for dialect in BOTH {
        let fake = FakeModel::start(Script::answering(move |asked| {
            assert_eq!(
                (asked.dialect, asked.model.as_str()),
                (dialect, "fake-large")
            );
            assert_eq!(
                (asked.system.as_str(), asked.calls()),
                ("You are under test.", 0)
            );
            assert_eq!(asked.turns, [Turn::User("hi".to_owned())]);
            Reply::text("seen")
        }))
        .await
        .unwrap();
        assert_eq!(
            ask(&adapter(&fake, dialect), vec![user("hi")])
                .await
                .unwrap()
                .text,
            "seen"
        );
    }
}

#[tokio::test]
async fn a_priced_model_costs_what_the_table_says_and_at_most_its_ceiling() {
    for (dialect, name) in [
        (Dialect::Anthropic, "claude-sonnet-4-5"),
        (Dialect::OpenAi, "gpt-4o"),
    ] {
        let fake = FakeModel::start(Script::queue([Reply::text("a short answer")]))
            .await
            .unwrap();
        let model = adapter(&fake, dialect);
        let request = ModelRequest {
            model: name.to_owned(),
            ..request(vec![user("hi")])
        };
        let ceiling = model.ceiling(&request);
        let reply = model.complete(&request, &mut |_| {}).await.unwrap();
        assert!(
            reply.priced && reply.cost > MicroUsd::ZERO && reply.cost <= ceiling,
            "{} {ceiling}",
            reply.cost
        );
        let unpriced = ModelRequest {
            model: "unheard-of".to_owned(),
            ..request
        };
        assert_eq!(model.ceiling(&unpriced), MicroUsd::ZERO);
    }
}

#[tokio::test]
async fn models_are_listed_for_the_doctor() {
    let fake = FakeModel::start_with_key(Script::queue([]), KEY)
        .await
        .unwrap();
    for dialect in BOTH {
        assert_eq!(
            adapter(&fake, dialect).probe().await.unwrap(),
            ["fake-large", "fake-small"]
        );
    }
    for url in [fake.url(), format!("{}/v1", fake.url())] {
        assert_eq!(
            model_http::detect_ollama(&url).await.unwrap(),
            ["fake-large", "fake-small"]
        );
    }
    assert!(fake.requests().is_empty());
    let gone = fake.url();
    drop(fake);
    // The port may have been taken by somebody else by now, but hardly by an Ollama.
    assert_eq!(model_http::detect_ollama(&gone).await, None);
}

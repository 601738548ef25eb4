use super::*;
use serde_json::json;
use std::time::Duration;

fn request(messages: Vec<Message>) -> ModelRequest {
    ModelRequest {
        model: "m".to_owned(),
        system: "s".to_owned(),
        messages,
        tools: Vec::new(),
        max_output_tokens: 100,
        timeout: Duration::from_secs(60),
    }
}

fn user(text: &str) -> Message {
    Message::User {
        text: Content::inline(text),
    }
}

#[tokio::test]
async fn a_queue_is_played_in_order_and_then_refuses() {
    let model = ScriptedModel::queue([
        Turn::text_and_calls(
            "look there",
            [
                ("read_file", json!({"path": "a"})),
                ("list_files", json!({})),
            ],
        ),
        Turn::fail(ModelError::RateLimited { retry_after: None }),
    ]);
    let mut heard = Vec::new();
    let mut on_text = |piece: &str| heard.push(piece.to_owned());
    let reply = model
        .complete(&request(vec![user("go")]), &mut on_text)
        .await
        .unwrap();
    assert_eq!(heard, ["look ", "there"]);
    assert_eq!(reply.text, "look there");
    let ids: Vec<&str> = reply.calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["call-1", "call-2"]);
    assert!(!reply.priced);

    let second = model.complete(&request(vec![]), &mut |_| {}).await;
    assert_eq!(second, Err(ModelError::RateLimited { retry_after: None }));
    let third = model.complete(&request(vec![]), &mut |_| {}).await;
    assert!(matches!(third, Err(ModelError::Refused(_))));
    assert_eq!(model.requests().len(), 3);
}

#[tokio::test]
async fn a_function_answers_by_the_conversation() {
    let model = ScriptedModel::answering(|request| match last_text(request) {
        "go" => Turn::calls([("read_file", json!({"path": "a"}))]).cost(MicroUsd(7)),
        _ => Turn::text("done").truncated(),
    });
    let mut messages = vec![user("go")];
    for _ in 0..2 {
        let reply = model
            .complete(&request(messages.clone()), &mut |_| {})
            .await
            .unwrap();
        assert_eq!(
            (reply.calls[0].id.as_str(), reply.cost, reply.priced),
            ("call-1", MicroUsd(7), true)
        );
    }
    messages.push(user("thanks"));
    let reply = model
        .complete(&request(messages), &mut |_| {})
        .await
        .unwrap();
    assert!(reply.truncated);
}

#[tokio::test]
async fn a_held_turn_waits_for_its_gate() {
    let gate = Gate::new();
    let model = ScriptedModel::queue([Turn::text("late").held_by(&gate)]);
    let asked = tokio::spawn({
        let model = model.clone();
        async move { model.complete(&request(vec![]), &mut |_| {}).await }
    });
    model.wait_for_requests(1).await;
    assert!(!asked.is_finished());
    gate.open();
    assert_eq!(asked.await.unwrap().unwrap().text, "late");
}

#[tokio::test]
async fn a_turn_that_is_never_released_runs_into_the_requests_time() {
    let model = ScriptedModel::queue([Turn::text("never").held_by(&Gate::new())]);
    let hurried = ModelRequest {
        timeout: Duration::ZERO,
        ..request(vec![])
    };
    let outcome = model.complete(&hurried, &mut |_| {}).await;
    assert_eq!(outcome, Err(ModelError::TimedOut(Duration::ZERO)));
}

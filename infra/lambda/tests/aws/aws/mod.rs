//! What is tested with an emulator.

mod bad_days;
mod cloud;
mod gate;
mod memory;
mod requests;
mod runtime;

use cloud::{Cloud, messages_in};
use runtime::Lambda;
use serde_json::json;
use std::time::Duration;
use tests::servers::telegram::{FakeTelegram, User};

/// Of a Lambda with the default time-out of the template.
const MINUTE: Duration = Duration::from_secs(60);

/// All of the functions, woken by their queues.
async fn deployed(cloud: &Cloud) -> Vec<Lambda> {
    let mut functions = Vec::new();
    for (role, lane) in [
        ("update", "front:telegram"),
        ("run", "run"),
        ("send", "send"),
        ("circulate", "circulate"),
    ] {
        let function = Lambda::start(env!("CARGO_BIN_EXE_function"), &cloud.variables(role)).await;
        cloud.map(lane, &function);
        functions.push(function);
    }
    functions
}

/// A message in, a card, a tap, the effect, the answer; what needs a sandbox is done by a worker.
#[tokio::test]
async fn a_conversation_through_functions_and_a_worker() {
    let tg = FakeTelegram::start().await;
    let cloud = Cloud::start(&tg).await;
    let webhook = Lambda::start(env!("CARGO_BIN_EXE_webhook"), &cloud.variables("webhook")).await;
    let tick = Lambda::start(env!("CARGO_BIN_EXE_function"), &cloud.variables("tick")).await;
    tick.invoke(json!({}), MINUTE).await.unwrap();
    let url = webhook.behind_a_url().await;
    cloud.countersign(&["webhook", "set", &url]).await;
    let shown = cloud.countersign(&["webhook", "show"]).await;
    assert!(
        shown.contains(&url) && shown.contains("[secret:webhook_path]"),
        "{shown}"
    );
    let _functions = deployed(&cloud).await;

    let ann = tg.private_chat(&User::new(1001, "Ann"));
    let code = cloud.countersign(&["pair"]).await;
    let code = code.split("?start=").nth(1).unwrap_or(&code).trim();
    let code: String = code.chars().take_while(|c| !c.is_whitespace()).collect();
    ann.send(&format!("/start {code}"));
    ann.wait_for_text("owner").await;

    let _worker = cloud.worker("sandbox").await;
    ann.send("run: echo once >> effects");
    let card = ann.wait_for_button("Approve").await;
    ann.tap(card.id, "Approve");
    ann.wait_for_message(|m| m.id > card.id && m.text.contains("echo once >> effects"))
        .await;
    assert_eq!(cloud.effects(), 1);
    let deliveries = tg.deliveries();
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.status == Some(200))
    );
}

/// A hint that comes twice, at once and late, changes nothing; one that is lost is made up for by the tick.
#[tokio::test]
async fn hints_that_come_twice_or_never() {
    let tg = FakeTelegram::start().await;
    let cloud = Cloud::start(&tg).await;
    let tick = Lambda::start(env!("CARGO_BIN_EXE_function"), &cloud.variables("tick")).await;
    tick.invoke(json!({}), MINUTE).await.unwrap();
    let webhook = Lambda::start(env!("CARGO_BIN_EXE_webhook"), &cloud.variables("webhook")).await;
    let url = webhook.behind_a_url().await;
    cloud.countersign(&["webhook", "set", &url]).await;
    let ann = tg.private_chat(&User::new(1001, "Ann"));
    ann.send("hello");
    // Taken away by nobody's function: lost.
    assert_eq!(cloud.take("front:telegram", 1).await.len(), 1);
    tick.invoke(json!({}), MINUTE).await.unwrap();
    let hints = cloud.take("front:telegram", 1).await;
    let event = json!({"Records": hints});
    let variables = cloud.variables("update");
    let (one, two) = tokio::join!(
        Lambda::start(env!("CARGO_BIN_EXE_function"), &variables),
        Lambda::start(env!("CARGO_BIN_EXE_function"), &variables)
    );
    let (first, second) = tokio::join!(
        one.invoke(event.clone(), MINUTE),
        two.invoke(event.clone(), MINUTE)
    );
    assert_eq!(first.unwrap(), json!({"batchItemFailures": []}));
    assert_eq!(second.unwrap(), json!({"batchItemFailures": []}));
    let send = Lambda::start(env!("CARGO_BIN_EXE_function"), &cloud.variables("send")).await;
    let out = json!({"Records": cloud.take("send", 1).await});
    for _ in 0..2 {
        let sent = send.invoke(out.clone(), MINUTE).await;
        assert_eq!(sent.unwrap(), json!({"batchItemFailures": []}));
    }
    let from_bot = ann.messages().into_iter().filter(|m| m.is_bots()).count();
    assert_eq!(from_bot, 1, "{}", ann.transcript());
}

/// Hints that nobody could look after come again, one and all; the owner hears of those that have come too often.
#[tokio::test]
async fn without_a_store_the_hints_come_again() {
    let tg = FakeTelegram::start().await;
    let cloud = Cloud::start(&tg).await;
    let run = Lambda::start(env!("CARGO_BIN_EXE_function"), &cloud.variables("run")).await;
    let event = json!({"Records": [{"messageId": "a"}, {"messageId": "b"}]});
    let done = run.invoke(event.clone(), MINUTE).await.unwrap();
    assert_eq!(messages_in(&done), Vec::<String>::new());
    cloud.drop_table().await;
    let failed = run.invoke(event, MINUTE).await.unwrap();
    assert_eq!(messages_in(&failed), ["a", "b"]);
    // A schedule has nobody to give it back to: the invocation failed.
    assert!(run.invoke(json!({}), MINUTE).await.is_err());
    // Whoever starts now says what is missing, each time.
    let late = Lambda::start(env!("CARGO_BIN_EXE_function"), &cloud.variables("run")).await;
    for _ in 0..2 {
        let why = late.invoke(json!({}), MINUTE).await.unwrap_err();
        assert!(why.contains("The database cannot be used"), "{why}");
    }
}

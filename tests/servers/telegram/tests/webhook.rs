//! Updates pushed to a webhook that a test serves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};

use super::*;

type Received = (Option<String>, Value);

/// Takes updates, answering with the statuses in line and then 200.
#[derive(Clone, Default)]
struct Receiver {
    /// The secret and the update.
    got: Arc<Mutex<Vec<Received>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    async fn serve(statuses: &[u16]) -> (Self, String) {
        let receiver = Self {
            statuses: Arc::new(Mutex::new(statuses.iter().copied().collect())),
            ..Self::default()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/hook", post(Self::take))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, url)
    }

    async fn take(
        State(receiver): State<Self>,
        headers: HeaderMap,
        Json(update): Json<Value>,
    ) -> StatusCode {
        let secret = headers
            .get("X-Telegram-Bot-Api-Secret-Token")
            .map(|value| value.to_str().unwrap().to_owned());
        receiver.got.lock().unwrap().push((secret, update));
        StatusCode::from_u16(receiver.statuses.lock().unwrap().pop_front().unwrap_or(200)).unwrap()
    }

    fn texts(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter()
            .map(|(_, update)| update["message"]["text"].as_str().unwrap_or("-").to_owned())
            .collect()
    }
}

async fn all_delivered(tg: &FakeTelegram) {
    tg.wait_for(|view| (view.pending_updates() == 0).then_some(()))
        .await;
}

#[tokio::test]
async fn updates_come_in_order_with_the_secret() {
    let (tg, chat, bot) = started().await;
    let (receiver, url) = Receiver::serve(&[]).await;
    bot.ok(
        "setWebhook",
        json!({"url": url, "secret_token": "s3cret_-"}),
    )
    .await;
    for text in ["one", "two", "three"] {
        chat.send(text);
    }
    all_delivered(&tg).await;
    assert_eq!(receiver.texts(), ["one", "two", "three"]);
    assert!(
        receiver
            .got
            .lock()
            .unwrap()
            .iter()
            .all(|(secret, _)| secret.as_deref() == Some("s3cret_-"))
    );
    let conflict = bot.refused("getUpdates", json!({})).await;
    assert!(conflict.starts_with("Conflict: can't use getUpdates method while webhook is active"));
    assert_eq!(bot.ok("getWebhookInfo", json!({})).await["url"], json!(url));
    bot.ok("deleteWebhook", json!({})).await;
    bot.ok("getUpdates", json!({})).await;
}

#[tokio::test]
async fn a_failing_update_is_tried_again_and_blocks_its_chat_only() {
    let (tg, chat, bot) = started().await;
    let card = bot
        .ok(
            "sendMessage",
            json!({"chat_id": 1001, "text": "?", "reply_markup": keyboard(&[("Yes", "y")])}),
        )
        .await;
    let (receiver, url) = Receiver::serve(&[500, 500]).await;
    tg.push_style(PushStyle {
        backoff: Duration::from_secs(3600),
        ..PushStyle::default()
    });
    bot.ok("setWebhook", json!({"url": url})).await;
    chat.send("one");
    tg.wait_for(|view| (view.deliveries().len() == 2).then_some(()))
        .await;
    chat.send("two");
    chat.tap(card["message_id"].as_i64().unwrap(), "Yes");
    tg.wait_for(|view| (view.pending_updates() == 2).then_some(()))
        .await;
    assert_eq!(
        receiver.texts(),
        ["one", "one", "-"],
        "the tap overtakes the messages that wait"
    );
    let info = bot.ok("getWebhookInfo", json!({})).await;
    assert_eq!(
        info["last_error_message"],
        "Wrong response from the webhook: 500"
    );
    tg.push_style(PushStyle {
        backoff: Duration::ZERO,
        ..PushStyle::default()
    });
    bot.ok("setWebhook", json!({"url": url})).await;
    all_delivered(&tg).await;
    assert_eq!(receiver.texts()[3..], ["one", "two"]);
}

#[tokio::test]
async fn deliveries_can_be_doubled_and_reversed() {
    let (tg, chat, bot) = started().await;
    let (receiver, url) = Receiver::serve(&[]).await;
    tg.push_style(PushStyle {
        copies: 2,
        newest_first: true,
        ..PushStyle::default()
    });
    tg.hold_updates();
    bot.ok("setWebhook", json!({"url": url})).await;
    for text in ["one", "two"] {
        chat.send(text);
    }
    tg.release_updates();
    all_delivered(&tg).await;
    assert_eq!(receiver.texts(), ["two", "two", "one", "one"]);
}

#[tokio::test]
async fn bad_webhooks_are_refused() {
    let (_tg, _chat, bot) = started().await;
    let refused = bot
        .refused("setWebhook", json!({"url": "http://example.com/x"}))
        .await;
    assert_eq!(
        refused,
        "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
    );
    let refused = bot
        .refused(
            "setWebhook",
            json!({"url": "https://example.com/x", "secret_token": "a b"}),
        )
        .await;
    assert_eq!(
        refused,
        "Bad Request: secret token contains unallowed characters"
    );
}

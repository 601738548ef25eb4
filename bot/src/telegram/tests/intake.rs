use super::*;
use crate::inbox::{Inbox, Incoming, NotStored};
use std::time::Duration;
use tower::ServiceExt;

/// Remembers what it stored; refuses the first `refusals` times.
#[derive(Default)]
struct Shelf {
    refusals: Mutex<u32>,
    stored: Mutex<Vec<Incoming>>,
    heard: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Inbox for Shelf {
    async fn store(&self, incoming: &[Incoming]) -> Result<(), NotStored> {
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(NotStored("disk full".to_owned()));
        }
        self.stored.lock().unwrap().extend_from_slice(incoming);
        Ok(())
    }

    async fn heard(&self, surface: &str, _: Duration) -> Result<(), NotStored> {
        self.heard.lock().unwrap().push(surface.to_owned());
        Ok(())
    }
}

fn update(id: i64) -> Value {
    json!({"update_id": id, "message": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "x", "of_the_future": [1.50]}})
}

#[tokio::test]
async fn updates_are_confirmed_after_they_are_stored() {
    let mut stub = Stub::start().await;
    stub.answer(200, json!({"ok": true, "result": true})); // deleteWebhook
    stub.answer(200, json!({"ok": true, "result": [update(10), update(12), {"update_id": 11, "poll": {"id": "p"}}]}));
    stub.answer(502, json!("bad gateway"));
    stub.answer(200, json!({"ok": true, "result": []}));
    stub.answer(200, json!({"ok": true, "result": []}));
    stub.fail(409, "Conflict: terminated by other getUpdates request");
    let shelf = Arc::new(Shelf {
        refusals: Mutex::new(1),
        ..Shelf::default()
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let poller =
        tokio::spawn(Poller::new(stub.api.clone(), shelf.clone()).run(async { _ = stopped.await }));
    assert_eq!(stub.asked().await.0, "DeleteWebhook");
    let (_, first) = stub.asked().await;
    assert_eq!(
        (first.get("offset"), &first["allowed_updates"]),
        (
            None,
            &json!([
                "message",
                "edited_message",
                "callback_query",
                "my_chat_member"
            ])
        )
    );
    let (_, second) = stub.asked().await;
    assert_eq!(second["offset"], 13);
    // Nothing more came: what is stored is confirmed, and the offset, which is good for this bot and a week, is let go.
    let (_, third) = stub.asked().await;
    assert_eq!(third["offset"], 13, "the second poll was refused");
    let (_, fourth) = stub.asked().await;
    assert_eq!(fourth.get("offset"), None);
    assert_eq!(*shelf.heard.lock().unwrap(), ["telegram.42", "telegram.42"]);
    let stored = shelf.stored.lock().unwrap().clone();
    let names: Vec<(&str, &str, &str)> = stored
        .iter()
        .map(|one| {
            (
                one.surface.as_str(),
                one.update.as_str(),
                one.session.as_str(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("telegram.42", "10", "telegram:7"),
            ("telegram.42", "12", "telegram:7"),
            ("telegram.42", "11", "telegram:0")
        ]
    );
    assert_eq!(stored[0].raw, update(10).to_string());
    stop.send(()).unwrap();
    poller.await.unwrap();
}

async fn push(shelf: &Arc<Shelf>, secret: Option<&str>, body: String) -> (u16, usize) {
    let front = Webhook {
        inbox: shelf.clone(),
        bot_id: "42".to_owned(),
        secret: "right-one".to_owned(),
    };
    let mut request = axum::http::Request::post("/telegram/hook");
    if let Some(secret) = secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    let answer = webhook("hook", front)
        .oneshot(request.body(axum::body::Body::from(body)).unwrap())
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (
        status,
        axum::body::to_bytes(answer.into_body(), 100)
            .await
            .unwrap()
            .len(),
    )
}

#[tokio::test]
async fn a_webhook_hears_only_who_knows_the_secret() {
    let shelf = Arc::new(Shelf::default());
    let body = update(1).to_string();
    for wrong in [
        None,
        Some(""),
        Some("right-on"),
        Some("right-onf"),
        Some("right-one1"),
    ] {
        assert_eq!(
            push(&shelf, wrong, body.clone()).await,
            (401, 0),
            "{wrong:?}"
        );
    }
    assert!(shelf.stored.lock().unwrap().is_empty());
    assert_eq!(push(&shelf, Some("right-one"), body).await.0, 200);
    assert_eq!(shelf.stored.lock().unwrap()[0].update, "1");
}

#[tokio::test]
async fn a_webhook_acknowledges_what_is_stored_and_nothing_else() {
    let shelf = Arc::new(Shelf {
        refusals: Mutex::new(1),
        ..Shelf::default()
    });
    assert_eq!(
        push(&shelf, Some("right-one"), update(1).to_string())
            .await
            .0,
        503
    );
    assert_eq!(
        push(&shelf, Some("right-one"), "x".repeat(1024 * 1024 + 1))
            .await
            .0,
        413
    );
    // It would be sent for a day, in front of everything else.
    assert_eq!(
        push(&shelf, Some("right-one"), "no update".to_owned())
            .await
            .0,
        200
    );
    assert!(shelf.stored.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_webhook_is_set_with_its_secret() {
    let mut stub = Stub::start().await;
    stub.api
        .set_webhook("https://example.org/telegram/hook".parse().unwrap(), "s-1")
        .await
        .unwrap();
    let (method, body) = stub.asked().await;
    assert_eq!(
        (method.as_str(), &body["secret_token"], &body["url"]),
        (
            "SetWebhook",
            &json!("s-1"),
            &json!("https://example.org/telegram/hook")
        )
    );
}

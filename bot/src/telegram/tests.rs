//! Against a Bot API of a few lines, which answers what a test tells it and remembers what it was asked.

mod errors;
mod intake;
mod reading;
mod sending;
mod status;

use super::*;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use testkit::clock::TestClock;
use tokio::sync::mpsc;

/// What the server answers next: status and body. Nothing left: success with message 7.
type Answers = Arc<Mutex<VecDeque<(u16, String)>>>;

#[derive(Clone)]
struct Script {
    answers: Answers,
    asked: mpsc::UnboundedSender<(String, Bytes)>,
}

struct Stub {
    api: Api,
    answers: Answers,
    asked: mpsc::UnboundedReceiver<(String, Bytes)>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Stub {
    async fn start() -> Self {
        let (asked_by, asked) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let script = Script {
            answers: answers.clone(),
            asked: asked_by,
        };
        let router = Router::new()
            .route("/{token}/{method}", post(answer))
            .with_state(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let api = Api::new("42:secret", Some(url.parse().unwrap()));
        Self {
            api,
            answers,
            asked,
            server,
        }
    }

    fn answer(&self, status: u16, body: Value) -> &Self {
        self.answers
            .lock()
            .unwrap()
            .push_back((status, body.to_string()));
        self
    }

    fn fail(&self, code: u16, description: &str) -> &Self {
        self.answer(
            code,
            json!({"ok": false, "error_code": code, "description": description}),
        )
    }

    /// The next request's method and JSON.
    async fn asked(&mut self) -> (String, Value) {
        let (method, body) = self.asked.recv().await.unwrap();
        (
            method,
            serde_json::from_slice(&body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())),
        )
    }
}

async fn answer(
    State(script): State<Script>,
    Path((_, method)): Path<(String, String)>,
    body: Bytes,
) -> (StatusCode, String) {
    let success = match method.as_str() {
        "sendMessage" | "sendDocument" => json!({"ok": true, "result": {"message_id": 7}}),
        "GetMe" => json!({"ok": true, "result": {"id": 42, "username": "cs_bot"}}),
        _ => json!({"ok": true, "result": true}),
    };
    let _ = script.asked.send((method, body));
    let next = script.answers.lock().unwrap().pop_front();
    let (status, text) = next.unwrap_or_else(|| (200, success.to_string()));
    (StatusCode::from_u16(status).unwrap(), text)
}

/// At a time that stands still.
fn rates() -> Arc<Rates> {
    Arc::new(Rates::new(Arc::new(TestClock::default()), true))
}

fn me() -> Me {
    Me {
        id: 42,
        username: "cs_bot".to_owned(),
    }
}

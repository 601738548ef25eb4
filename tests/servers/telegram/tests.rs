//! The fake's own tests: a bare HTTP client plays the bot.

mod faults;
mod honesty;
mod messages;
mod people;
mod polling;
mod webhook;

use serde_json::{Value, json};

use super::*;

/// A bot without a library: each call is one request.
#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    base: String,
}

impl Caller {
    fn new(tg: &FakeTelegram) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            http,
            base: format!("{}/bot{}", tg.url(), tg.token()),
        }
    }

    /// The status and the whole answer.
    async fn raw(&self, method: &str, params: Value) -> reqwest::Result<(u16, Value)> {
        let response = self
            .http
            .post(format!("{}/{method}", self.base))
            .json(&params)
            .send()
            .await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// The result of a call that succeeds.
    async fn ok(&self, method: &str, params: Value) -> Value {
        let (status, answer) = self.raw(method, params).await.unwrap();
        assert_eq!((status, &answer["ok"]), (200, &json!(true)), "{answer}");
        answer["result"].clone()
    }

    /// The description of a call that fails.
    async fn refused(&self, method: &str, params: Value) -> String {
        let (status, answer) = self.raw(method, params).await.unwrap();
        assert_eq!(answer["error_code"], json!(status));
        assert_eq!(answer["ok"], json!(false));
        answer["description"].as_str().unwrap().to_owned()
    }

    async fn say(&self, chat: i64, text: &str) -> Value {
        self.ok("sendMessage", json!({"chat_id": chat, "text": text}))
            .await
    }
}

fn ada() -> User {
    User::new(1001, "Ada")
}

fn keyboard(buttons: &[(&str, &str)]) -> Value {
    let row: Vec<Value> = buttons
        .iter()
        .map(|(text, data)| json!({"text": text, "callback_data": data}))
        .collect();
    json!({"inline_keyboard": [row]})
}

/// A fake whose Ada has written `/start`, and the update about it confirmed.
async fn started() -> (FakeTelegram, Conversation, Caller) {
    let tg = FakeTelegram::start().await;
    let chat = tg.private_chat(&ada());
    let bot = Caller::new(&tg);
    chat.send("/start");
    bot.ok("getUpdates", json!({"offset": -1})).await;
    bot.ok("getUpdates", json!({"offset": i64::MAX})).await;
    (tg, chat, bot)
}

//! Bots that do nothing but answer, each in a process of its own like the program that they are compared with: one on bare
//! teloxide, and a loop of HTTP requests that knows no Telegram at all, which shows how fast the fake itself is.

use anyhow::{Context, Result, bail};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use teloxide::{Bot, prelude::Requester, types::Message};

/// Sends that the raw loop has under way at once.
const AT_ONCE: usize = 16;

/// Until it is killed.
pub fn run(name: &str, url: &str, token: &str) -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match name {
        "teloxide" => runtime.block_on(teloxide_bot(url, token)),
        "raw" => runtime.block_on(raw(&format!("{url}/bot{token}"))),
        _ => bail!("there is no peer named {name}"),
    }
}

/// As teloxide's own example has it.
async fn teloxide_bot(url: &str, token: &str) -> Result<()> {
    let bot = Bot::new(token).set_api_url(url.parse()?);
    teloxide::repl(bot, |bot: Bot, message: Message| async move {
        bot.send_message(message.chat.id, message.text().unwrap_or("?"))
            .await?;
        Ok(())
    })
    .await;
    Ok(())
}

async fn raw(url: &str) -> Result<()> {
    let client = reqwest::Client::new();
    let mut offset = 0;
    loop {
        let poll = json!({"offset": offset, "timeout": 10, "limit": 100});
        let updates = call(&client, &format!("{url}/getUpdates"), &poll).await?;
        let updates = updates.as_array().context("no updates")?;
        if let Some(last) = updates
            .last()
            .and_then(|update| update["update_id"].as_i64())
        {
            offset = last + 1;
        }
        let method = format!("{url}/sendMessage");
        let sends = updates.iter().map(|update| {
            let message = &update["message"];
            let answer = json!({"chat_id": message["chat"]["id"], "text": message["text"]});
            let (client, method) = (&client, &method);
            async move { call(client, method, &answer).await }
        });
        let mut sends = stream::iter(sends).buffer_unordered(AT_ONCE);
        while let Some(sent) = sends.next().await {
            sent?;
        }
    }
}

async fn call(client: &reqwest::Client, method: &str, parameters: &Value) -> Result<Value> {
    let mut answer: Value = client
        .post(method)
        .json(parameters)
        .send()
        .await?
        .json()
        .await?;
    match answer["ok"].as_bool() {
        Some(true) => Ok(answer["result"].take()),
        _ => bail!("refused: {answer}"),
    }
}

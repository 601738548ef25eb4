//! `getUpdates`: offsets, waiting, conflicts, expiry.

use std::time::Duration;

use super::*;

fn texts(updates: &Value) -> Vec<&str> {
    updates
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|update| update["message"]["text"].as_str())
        .collect()
}

#[tokio::test]
async fn an_offset_confirms_what_is_below_it() {
    let (tg, chat, bot) = started().await;
    for text in ["one", "two", "three"] {
        chat.send(text);
    }
    let first = bot.ok("getUpdates", json!({"limit": 2})).await;
    assert_eq!(texts(&first), ["one", "two"]);
    let again = bot.ok("getupdates", json!({"limit": 2})).await;
    assert_eq!(first, again, "nothing was confirmed");
    let next = first[1]["update_id"].as_i64().unwrap() + 1;
    assert_eq!(
        texts(&bot.ok("getUpdates", json!({"offset": next})).await),
        ["three"]
    );
    assert_eq!(tg.pending_updates(), 1);
    chat.send("four");
    assert_eq!(
        texts(&bot.ok("getUpdates", json!({"offset": -1})).await),
        ["four"]
    );
    assert_eq!(
        tg.pending_updates(),
        1,
        "a negative offset forgets the earlier ones"
    );
}

#[tokio::test]
async fn a_poll_waits_for_a_message() {
    let (tg, chat, bot) = started().await;
    let poll = tokio::spawn(async move { bot.ok("getUpdates", json!({"timeout": 50})).await });
    tg.wait_for(|view| {
        view.requests()
            .last()
            .filter(|r| r.outcome.is_none())
            .map(|_| ())
    })
    .await;
    chat.send("hello");
    assert_eq!(texts(&poll.await.unwrap()), ["hello"]);
}

#[tokio::test]
async fn a_second_poll_ends_the_first() {
    let (tg, chat, bot) = started().await;
    let other = bot.clone();
    let first =
        tokio::spawn(async move { other.refused("getUpdates", json!({"timeout": 50})).await });
    tg.wait_for(|view| {
        view.requests()
            .last()
            .filter(|r| r.outcome.is_none())
            .map(|_| ())
    })
    .await;
    let second = tokio::spawn(async move { bot.ok("getUpdates", json!({"timeout": 50})).await });
    assert!(
        first
            .await
            .unwrap()
            .starts_with("Conflict: terminated by other getUpdates request")
    );
    chat.send("hello");
    assert_eq!(texts(&second.await.unwrap()), ["hello"]);
}

#[tokio::test]
async fn only_what_is_asked_for_is_queued() {
    let (_tg, chat, bot) = started().await;
    bot.ok("getUpdates", json!({"allowed_updates": ["message"]}))
        .await;
    let id = chat.send("before");
    chat.edit(id, "after");
    let updates = bot.ok("getUpdates", json!({})).await;
    assert_eq!(updates.as_array().unwrap().len(), 1);
    bot.ok("getUpdates", json!({"allowed_updates": []})).await;
    chat.edit(id, "later");
    let updates = bot.ok("getUpdates", json!({})).await;
    assert_eq!(updates[1]["edited_message"]["text"], "later");
}

#[tokio::test]
async fn taps_expire_before_messages_do() {
    let (tg, chat, bot) = started().await;
    let card = bot
        .ok(
            "sendMessage",
            json!({"chat_id": 1001, "text": "?", "reply_markup": keyboard(&[("Yes", "y")])}),
        )
        .await;
    chat.send("hello");
    chat.tap(card["message_id"].as_i64().unwrap(), "Yes");
    tg.advance(Duration::from_secs(151));
    assert_eq!(tg.pending_updates(), 1);
    tg.advance(Duration::from_secs(86_400));
    assert_eq!(tg.pending_updates(), 0);
}

#[tokio::test]
async fn a_wrong_token_and_an_unknown_method_are_refused() {
    let (tg, _chat, bot) = started().await;
    assert_eq!(bot.raw("sendNothing", json!({})).await.unwrap().0, 404);
    let stranger = Caller {
        base: format!("{}/bot1:wrong", tg.url()),
        ..bot
    };
    assert_eq!(stranger.refused("getMe", json!({})).await, "Unauthorized");
}

#[tokio::test]
async fn stopping_cuts_a_poll_and_frees_the_port() {
    let (tg, _chat, bot) = started().await;
    let address = tg.url().trim_start_matches("http://").to_owned();
    let poll = tokio::spawn(async move { bot.raw("getUpdates", json!({"timeout": 50})).await });
    tg.wait_for(|view| {
        view.requests()
            .last()
            .filter(|r| r.outcome.is_none())
            .map(|_| ())
    })
    .await;
    tg.stop().await;
    assert!(poll.await.unwrap().is_err());
    std::net::TcpListener::bind(address).unwrap();
}

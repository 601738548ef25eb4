//! Bad days, one at a time.

use super::*;

#[tokio::test]
async fn a_flood_of_messages_is_told_to_wait() {
    let (tg, chat, bot) = started().await;
    tg.inject_times("sendMessage", Fault::TooManyRequests(7), 2);
    let hello = json!({"chat_id": 1001, "text": "hello"});
    for _ in 0..2 {
        let (status, answer) = bot.raw("sendMessage", hello.clone()).await.unwrap();
        assert_eq!(
            (status, &answer["parameters"]["retry_after"]),
            (429, &json!(7))
        );
    }
    assert!(chat.last_from_bot().is_none());
    bot.ok("sendMessage", hello).await;
    let outcomes: Vec<_> = tg
        .requests()
        .into_iter()
        .filter(|r| r.method == "sendMessage")
        .map(|r| r.outcome)
        .collect();
    let wait = Some("Too Many Requests: retry after 7".to_owned());
    assert_eq!(outcomes, [wait.clone(), wait, Some("ok".into())]);
}

#[tokio::test]
async fn a_cut_connection_leaves_open_whether_it_arrived() {
    let (tg, chat, bot) = started().await;
    tg.inject("sendMessage", Fault::DropBefore);
    tg.inject("*", Fault::DropAfter);
    for text in ["lost", "arrived"] {
        assert!(
            bot.raw("sendMessage", json!({"chat_id": 1001, "text": text}))
                .await
                .is_err()
        );
    }
    assert_eq!(chat.last_from_bot().unwrap().text, "arrived");
    assert_eq!(chat.messages().len(), 2);
}

#[tokio::test]
async fn errors_come_as_telegram_words_them() {
    let (tg, _chat, bot) = started().await;
    tg.inject("sendMessage", Fault::InternalServerError);
    tg.inject("sendMessage", Fault::Blocked);
    tg.inject("sendMessage", Fault::ChatNotFound);
    tg.inject("sendMessage", Fault::MigratedTo(-1009));
    tg.inject("sendMessage", Fault::BadGateway);
    let hello = json!({"chat_id": 1001, "text": "hello"});
    assert_eq!(
        bot.refused("sendMessage", hello.clone()).await,
        "Internal Server Error"
    );
    assert_eq!(
        bot.refused("sendMessage", hello.clone()).await,
        "Forbidden: bot was blocked by the user"
    );
    assert_eq!(
        bot.refused("sendMessage", hello.clone()).await,
        "Bad Request: chat not found"
    );
    let (_, moved) = bot.raw("sendMessage", hello.clone()).await.unwrap();
    assert_eq!(moved["parameters"]["migrate_to_chat_id"], -1009);
    assert!(
        bot.raw("sendMessage", hello.clone()).await.is_err(),
        "a 502 is a page of HTML"
    );
    bot.ok("sendMessage", hello).await;
}

#[tokio::test]
async fn a_held_request_waits_until_released() {
    let (tg, chat, bot) = started().await;
    let held = tg.hold_answer("sendMessage");
    let sending = tokio::spawn(async move { bot.say(1001, "hello").await });
    held.reached().await;
    assert_eq!(chat.last_from_bot().unwrap().text, "hello");
    assert!(!sending.is_finished());
    held.release();
    sending.await.unwrap();
}

//! What is taken and what is refused, in Telegram's words.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn text_limits_count_utf16_units() {
    let (_tg, _chat, bot) = started().await;
    let send = |text: String| json!({"chat_id": 1001, "text": text});
    bot.ok("sendMessage", send("😀".repeat(2048))).await;
    assert_eq!(
        bot.refused("sendMessage", send("😀".repeat(2049))).await,
        "Bad Request: message is too long"
    );
    assert_eq!(
        bot.refused("sendMessage", send(String::new())).await,
        "Bad Request: message text is empty"
    );
    assert_eq!(
        bot.refused("sendMessage", send(" \n".into())).await,
        "Bad Request: text must be non-empty"
    );
}

#[tokio::test]
async fn entities_stay_within_the_text() {
    let (_tg, _chat, bot) = started().await;
    let send = |offset: u32, length: u32| json!({"chat_id": 1001, "text": "a😀b", "entities": [{"type": "bold", "offset": offset, "length": length}]});
    let sent = bot.ok("sendMessage", send(1, 2)).await;
    assert_eq!(
        sent["entities"],
        json!([{"type": "bold", "offset": 1, "length": 2}])
    );
    for (offset, length) in [(3, 2), (0, 0), (2, 1), (0, 2)] {
        assert_eq!(
            bot.refused("sendMessage", send(offset, length)).await,
            "Bad Request: ENTITY_BOUNDS_INVALID"
        );
    }
}

#[tokio::test]
async fn callback_data_is_1_to_64_bytes() {
    let (_tg, _chat, bot) = started().await;
    let send = |data: &str| json!({"chat_id": 1001, "text": "?", "reply_markup": keyboard(&[("Yes", data)])});
    bot.ok("sendMessage", send(&"é".repeat(32))).await;
    for data in ["", &"é".repeat(33)] {
        assert_eq!(
            bot.refused("sendMessage", send(data)).await,
            "Bad Request: BUTTON_DATA_INVALID"
        );
    }
    let bare = json!({"chat_id": 1001, "text": "?", "reply_markup": {"inline_keyboard": [[{"text": "Yes"}]]}});
    assert!(
        bot.refused("sendMessage", bare)
            .await
            .contains("Text buttons are unallowed")
    );
}

#[tokio::test]
async fn a_bot_writes_only_where_it_may() {
    let (tg, chat, bot) = started().await;
    let send = |chat: i64| json!({"chat_id": chat, "text": "hello"});
    assert_eq!(
        bot.refused("sendMessage", send(77)).await,
        "Bad Request: chat not found"
    );
    tg.private_chat(&User::new(1002, "Ben"));
    assert!(
        bot.refused("sendMessage", send(1002))
            .await
            .contains("can't initiate conversation")
    );
    chat.block_bot();
    assert_eq!(
        bot.refused("sendMessage", send(1001)).await,
        "Forbidden: bot was blocked by the user"
    );
    chat.unblock_bot();
    bot.ok("sendMessage", send(1001)).await;
    let group = tg.group(-5, "Team");
    assert_eq!(
        bot.refused("sendMessage", send(-5)).await,
        "Forbidden: bot is not a member of the supergroup chat"
    );
    group.add_bot(&ada());
    bot.ok("sendMessage", send(-5)).await;
    bot.ok("leaveChat", json!({"chat_id": -5})).await;
    assert!(!group.has_bot());
}

#[tokio::test]
async fn an_edit_must_change_something() {
    let (_tg, chat, bot) = started().await;
    let markup = keyboard(&[("Yes", "y")]);
    let card = bot
        .ok(
            "sendMessage",
            json!({"chat_id": 1001, "text": "?", "reply_markup": markup}),
        )
        .await;
    let id = card["message_id"].clone();
    let same = json!({"chat_id": 1001, "message_id": id, "text": "?", "reply_markup": markup});
    assert!(
        bot.refused("editMessageText", same)
            .await
            .starts_with("Bad Request: message is not modified")
    );
    let edited = bot
        .ok(
            "editMessageText",
            json!({"chat_id": 1001, "message_id": id, "text": "?"}),
        )
        .await;
    assert!(
        edited.get("reply_markup").is_none(),
        "an edit without a keyboard takes it away"
    );
    assert!(edited["edit_date"].is_i64());
    let edit = |id: i64| json!({"chat_id": 1001, "message_id": id, "text": "new"});
    assert_eq!(
        bot.refused("editMessageText", edit(99)).await,
        "Bad Request: message to edit not found"
    );
    assert_eq!(
        bot.refused("editMessageText", edit(chat.send("mine")))
            .await,
        "Bad Request: message can't be edited"
    );
    bot.ok("deleteMessage", json!({"chat_id": 1001, "message_id": id}))
        .await;
    let gone = bot
        .refused("deleteMessage", json!({"chat_id": 1001, "message_id": id}))
        .await;
    assert_eq!(gone, "Bad Request: message to delete not found");
}

#[tokio::test]
async fn a_tap_can_be_answered_for_150_seconds() {
    let (tg, chat, bot) = started().await;
    let card = bot
        .ok(
            "sendMessage",
            json!({"chat_id": 1001, "text": "?", "reply_markup": keyboard(&[("Yes", "y")])}),
        )
        .await;
    let id = card["message_id"].as_i64().unwrap();
    let answer = |id: &str, text: &str| json!({"callback_query_id": id, "text": text});
    let tap = chat.tap(id, "Yes");
    tg.advance(Duration::from_secs(149));
    assert_eq!(
        bot.refused("answerCallbackQuery", answer(&tap, &"x".repeat(201)))
            .await,
        "Bad Request: MESSAGE_TOO_LONG"
    );
    bot.ok("answerCallbackQuery", answer(&tap, "done")).await;
    assert_eq!(chat.wait_for_answer(&tap).await, "done");
    let late = chat.tap(id, "Yes");
    tg.advance(Duration::from_secs(150));
    let too_old =
        "Bad Request: query is too old and response timeout expired or query ID is invalid";
    assert_eq!(
        bot.refused("answerCallbackQuery", answer(&late, "")).await,
        too_old
    );
    assert_eq!(
        bot.refused("answerCallbackQuery", answer("unknown", ""))
            .await,
        too_old
    );
}

#[tokio::test]
async fn files_go_both_ways() {
    let (tg, chat, bot) = started().await;
    let part = reqwest::multipart::Part::bytes(b"a,b\n".to_vec())
        .file_name("table.csv")
        .mime_str("text/csv")
        .unwrap();
    let form = reqwest::multipart::Form::new()
        .text("chat_id", "1001")
        .text("document", "attach://f0")
        .text("caption", "the table")
        .text("reply_markup", keyboard(&[("Keep", "k")]).to_string())
        .part("f0", part);
    let sent = bot
        .http
        .post(format!("{}/SendDocument", bot.base))
        .multipart(form)
        .send()
        .await
        .unwrap();
    let sent: Value = sent.json().await.unwrap();
    assert_eq!(
        sent["result"]["document"]["mime_type"], "text/csv",
        "{sent}"
    );
    assert_eq!(
        chat.last_from_bot().unwrap().document.unwrap().bytes,
        "a,b\n"
    );
    let long = json!({"chat_id": 1001, "document": "FILE000001", "caption": "x".repeat(1025)});
    assert_eq!(
        bot.refused("sendDocument", long).await,
        "Bad Request: message caption is too long"
    );
    chat.send_document("notes.txt", b"hello");
    let updates = bot.ok("getUpdates", json!({})).await;
    let file_id = &updates[0]["message"]["document"]["file_id"];
    let file = bot.ok("getFile", json!({"file_id": file_id})).await;
    let url = format!(
        "{}/file/bot{}/{}",
        tg.url(),
        tg.token(),
        file["file_path"].as_str().unwrap()
    );
    assert_eq!(
        bot.http
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn forms_and_queries_mean_the_same_as_json() {
    let (_tg, chat, bot) = started().await;
    let markup = keyboard(&[("Yes & no", "y")]).to_string();
    let form = [
        ("chat_id", "1001"),
        ("text", "50% + é"),
        ("reply_markup", &markup),
        ("disable_notification", "True"),
    ];
    bot.http
        .post(format!("{}/sendMessage", bot.base))
        .form(&form)
        .send()
        .await
        .unwrap();
    let query = [("chat_id", "1001"), ("text", "by query")];
    bot.http
        .get(format!("{}/sendMessage", bot.base))
        .query(&query)
        .send()
        .await
        .unwrap();
    insta::assert_snapshot!(chat.transcript(), @r"
    Ada: /start
    Bot (silent): 50% + é
         [Yes & no]
    Bot: by query
    ");
}

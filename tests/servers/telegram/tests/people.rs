//! What people do, and how a conversation reads.

use super::*;

#[tokio::test]
async fn a_conversation_reads_like_one() {
    let (tg, chat, bot) = started().await;
    let ask = chat.send("list the files in here please\nall of them");
    let status = bot
        .ok(
            "sendMessage",
            json!({"chat_id": 1001, "text": "Working", "disable_notification": true}),
        )
        .await;
    let card = json!({"chat_id": 1001, "text": "Run `ls`?", "reply_markup": keyboard(&[("✅ Approve", "a"), ("Deny", "d")])});
    let card = bot.ok("sendMessage", card).await["message_id"]
        .as_i64()
        .unwrap();
    let tap = chat.tap(card, "Approve");
    bot.ok(
        "answerCallbackQuery",
        json!({"callback_query_id": tap, "text": "Approved"}),
    )
    .await;
    bot.ok(
        "editMessageText",
        json!({"chat_id": 1001, "message_id": card, "text": "Run `ls`? Yes."}),
    )
    .await;
    bot.ok(
        "deleteMessage",
        json!({"chat_id": 1001, "message_id": status["message_id"]}),
    )
    .await;
    let reply =
        json!({"chat_id": 1001, "text": "a.txt\nb.txt", "reply_parameters": {"message_id": ask}});
    let reply = bot.ok("sendMessage", reply).await;
    assert_eq!(reply["reply_to_message"]["message_id"], json!(ask));
    chat.reply_to(reply["message_id"].as_i64().unwrap(), "thanks");
    chat.send_document_with("more.csv", b"1,2", "and these?");
    let typo = chat.send("helo");
    chat.edit(typo, "hello");
    chat.tap_data(card, "forged");
    insta::assert_snapshot!(chat.transcript(), @r#"
    Ada: /start
    Ada: list the files in here please
         all of them
    Bot (silent, deleted): Working
    Bot (edited): Run `ls`? Yes.
    Ada taps [✅ Approve]
         toast: Approved
    Bot (re "list the files in here p…"): a.txt
         b.txt
    Ada (re "a.txt…"): thanks
    Ada sends more.csv (3 bytes): and these?
    Ada (edited): hello
    Ada taps [forged]
    "#);
    let last = bot.ok("getUpdates", json!({"offset": -1})).await;
    assert_eq!(last[0]["callback_query"]["data"], "forged");
    assert_eq!(tg.answers_to_callbacks().len(), 1);
}

#[tokio::test]
async fn a_group_has_people_and_topics() {
    let (tg, _chat, bot) = started().await;
    let ben = User::new(1002, "Ben").with_username("ben");
    let group = tg.group(-1005, "Team");
    let seat = group.seat(&ben);
    seat.send("unseen: the bot is not here yet");
    group.add_bot(&ben);
    let topic = group.topic(7, "releases");
    let question = topic.seat(&ben).send("/status");
    let updates = bot.ok("getUpdates", json!({})).await;
    assert_eq!(
        updates[0]["my_chat_member"]["new_chat_member"]["status"],
        "member"
    );
    assert_eq!(updates[0]["my_chat_member"]["from"]["id"], 1002);
    assert_eq!(updates[2]["message"]["message_thread_id"], 7);
    assert_eq!(updates[2]["message"]["entities"][0]["type"], "bot_command");
    let reply =
        json!({"chat_id": -1005, "text": "fine", "reply_parameters": {"message_id": question}});
    assert_eq!(
        bot.ok("sendMessage", reply).await["message_thread_id"],
        7,
        "a reply stays in its topic"
    );
    bot.ok(
        "sendMessage",
        json!({"chat_id": -1005, "text": "hello all"}),
    )
    .await;
    let wrong = json!({"chat_id": -1005, "text": "?", "message_thread_id": 8});
    assert_eq!(
        bot.refused("sendMessage", wrong).await,
        "Bad Request: message thread not found"
    );
    insta::assert_snapshot!(group.transcript(), @r#"
    Ben: unseen: the bot is not here yet
    Ben [new chat members Bot]
    #releases Ben: /status
    #releases Bot (re "/status"): fine
    Bot: hello all
    "#);
    insta::assert_snapshot!(topic.transcript(), @r#"
    Ben: /status
    Bot (re "/status"): fine
    "#);
    let member = bot
        .ok("getChatMember", json!({"chat_id": -1005, "user_id": 1002}))
        .await;
    assert_eq!(member["status"], "member");
    group.remove_bot(&ben);
    let last = bot.ok("getUpdates", json!({"offset": -1})).await;
    assert_eq!(
        last[0]["my_chat_member"]["new_chat_member"]["status"],
        "kicked"
    );
}

#[tokio::test]
#[should_panic(expected = "no button [Deny]")]
async fn a_tap_needs_its_button() {
    let (_tg, chat, bot) = started().await;
    let card = bot
        .ok(
            "sendMessage",
            json!({"chat_id": 1001, "text": "?", "reply_markup": keyboard(&[("Yes", "y")])}),
        )
        .await;
    chat.tap(card["message_id"].as_i64().unwrap(), "Deny");
}

#[tokio::test]
#[should_panic(expected = "ask the View")]
async fn a_look_at_the_fake_itself_fails_instead_of_hanging() {
    let (tg, chat, _bot) = started().await;
    tg.wait_for(|_| chat.last_from_bot()).await;
}

#[tokio::test]
async fn sending_is_counted() {
    let (tg, _chat, bot) = started().await;
    let group = tg.group(-5, "Team");
    group.add_bot(&ada());
    for _ in 0..3 {
        bot.say(-5, "hello").await;
    }
    bot.say(1001, "hello").await;
    let rates = tg.rates();
    assert_eq!(rates.per_group_minute, 3);
    assert!(
        rates.per_second >= rates.per_chat_second && rates.per_chat_second >= 1,
        "{rates:?}"
    );
}

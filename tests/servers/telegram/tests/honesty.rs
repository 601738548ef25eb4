//! An aiogram bot, unchanged, lives with the fake.

use std::time::Duration;

use super::super::honesty::{Intake, aiogram_bot, python, validate};
use super::*;

/// The chat once the bot is ready for it.
async fn with_bot(
    intake: Intake,
) -> Option<(
    FakeTelegram,
    Conversation,
    tokio::process::Child,
    std::path::PathBuf,
)> {
    let python = python()?;
    let tg = FakeTelegram::start().await;
    let bot = aiogram_bot(&python, &tg, intake).unwrap();
    let chat = tg.private_chat(&ada());
    Some((tg, chat, bot, python))
}

#[tokio::test]
async fn aiogram_converses_by_polling() {
    let Some((tg, chat, _bot, python)) = with_bot(Intake::Polling).await else {
        return;
    };
    chat.send("/start");
    let card = chat.wait_for_button("Yes").await;
    let tap = chat.tap(card.id, "No");
    chat.wait_for_answer(&tap).await;
    chat.wait_for_text("Ada said no").await;
    let tap = chat.tap_data(card.id, "forged");
    chat.wait_for_answer(&tap).await;
    chat.send("/start CODE-17");
    chat.wait_for_text("CODE-17").await;
    chat.send("/file");
    chat.wait_for_message(|message| message.document.is_some())
        .await;
    chat.send("/long");
    chat.wait_for_text("failed").await;
    chat.send_document("notes.txt", "héllo".as_bytes());
    chat.wait_for_text("got").await;
    let typo = chat.send("helo *there*");
    chat.wait_for_text("helo").await;
    chat.edit(typo, "hello");
    chat.wait_for_text("now").await;
    chat.send("/status");
    chat.wait_for_text("commands").await;
    insta::assert_snapshot!(chat.transcript(), @r#"
    Ada: /start
    Bot (edited): Ada said no
    Ada taps [No]
         alert: Noted: no
    Ada taps [forged]
         toast: I don't know this button
    Ada: /start CODE-17
    Bot: paired by CODE-17
    Ada: /file
    Bot (silent) sends table.csv (8 bytes): The table
    Ada: /long
    Bot: failed: Bad Request: message is too long
    Ada sends notes.txt (6 bytes)
    Bot (re "notes.txt"): got 'héllo'
    Ada (edited): hello
    Bot: helo *there*
    Bot (re "hello"): now: hello
    Ada: /status
    Bot (pinned, deleted): working
    Bot: private, member, 2 commands
    "#);
    let kept = |request: &RecordedRequest| request.method != "getUpdates";
    let requests: Vec<_> = tg.requests().into_iter().filter(kept).collect();
    validate(&python, &requests).await.unwrap();
}

#[tokio::test]
async fn aiogram_meets_a_bad_day() {
    let Some((tg, chat, _bot, _python)) = with_bot(Intake::Polling).await else {
        return;
    };
    tg.inject("sendMessage", Fault::TooManyRequests(1));
    chat.send("/patience");
    chat.wait_for_text("sent after 1 s").await;
    tg.inject("getUpdates", Fault::DropAfter);
    chat.send("one");
    chat.wait_for_text("one").await;
    chat.block_bot();
    tg.wait_for(|view| {
        view.requests()
            .iter()
            .find(|r| r.outcome.as_deref() == Some("Forbidden: bot was blocked by the user"))
            .map(drop)
    })
    .await;
    chat.unblock_bot();
    chat.wait_for_text("I am member").await;
}

#[tokio::test]
async fn aiogram_takes_a_webhook() {
    let Some((tg, chat, _bot, _python)) = with_bot(Intake::Webhook).await else {
        return;
    };
    tg.push_style(PushStyle {
        backoff: Duration::from_millis(1),
        ..PushStyle::default()
    });
    chat.send("/start");
    let card = chat.wait_for_button("Yes").await;
    chat.tap(card.id, "Yes");
    chat.wait_for_text("Ada said yes").await;
    let group = tg.group(-1005, "Team");
    let seat = group.seat(&ada());
    group.add_bot(&ada());
    seat.wait_for_text("I am member").await;
    group.topic(7, "releases").seat(&ada()).send("in a topic");
    seat.wait_for_text("in a topic").await;
    tg.wait_for(|view| (view.pending_updates() == 0).then_some(()))
        .await;
    assert!(
        tg.deliveries()
            .iter()
            .all(|delivery| delivery.status == Some(200)),
        "{:?}",
        tg.deliveries()
    );
    insta::assert_snapshot!(group.transcript(), @r"
    Ada [new chat members Bot]
    Bot: I am member
    #releases Ada: in a topic
    #releases Bot: in a topic
    ");
}

#[tokio::test]
async fn wrong_requests_are_found() {
    let Some(python) = python() else { return };
    let request = |method: &str, params: Value| RecordedRequest {
        method: method.into(),
        params,
        at: Duration::ZERO,
        outcome: None,
    };
    let button = json!({"text": "Yes", "callback_data": "y", "url": "https://example.com"});
    let wrong = [
        request("sendMessage", json!({"chat_id": 1})),
        request(
            "sendMessage",
            json!({"chat_id": 1, "text": "?", "silent": true}),
        ),
        request(
            "sendMessage",
            json!({"chat_id": 1, "text": "?", "entities": [{"type": "bold", "from": 0, "length": 1}]}),
        ),
        request(
            "sendMessage",
            json!({"chat_id": 1, "text": "?", "reply_markup": {"inline_keyboard": [[button]]}}),
        ),
        request(
            "sendMessage",
            json!({"chat_id": 1, "text": "?", "reply_markup": {"inline_keys": []}}),
        ),
        request("sendNothing", json!({})),
        request(
            "answerCallbackQuery",
            json!({"callback_query_id": "1", "show_alert": "perhaps"}),
        ),
    ];
    let faults = validate(&python, &wrong).await.unwrap_err();
    for number in 1..=wrong.len() {
        assert!(
            faults.contains(&format!("request {number}: ")),
            "request {number} passed:\n{faults}"
        );
    }
    validate(&python, &[])
        .await
        .expect_err("nothing was checked");
}

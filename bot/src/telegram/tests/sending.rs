use super::*;
use domain::{
    Digest,
    card::{Action, Block, Card, Style},
    content::Content,
    rich_text::RichText,
};
use ports::{
    Blobs,
    blob::BlobError,
    message::{Body, Messenger, Outgoing, SendError, Sent},
};

struct OneBlob;

#[async_trait::async_trait]
impl Blobs for OneBlob {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        Ok(Digest::of_bytes(bytes))
    }
    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        match *digest == Digest::of_bytes("stored") {
            true => Ok(b"stored".to_vec()),
            false => Err(BlobError::Missing(digest.clone())),
        }
    }
    async fn delete(&self, digest: &Digest) -> Result<(), BlobError> {
        Err(BlobError::Io(format!("{digest} stays")))
    }
}

fn messenger(stub: &Stub) -> TelegramMessenger {
    TelegramMessenger::new(stub.api.clone(), Arc::new(OneBlob), rates())
}

fn to(session: &str, body: Body) -> Outgoing {
    crate::present::outgoing(&session.into(), body)
}

fn card() -> Card {
    Card {
        title: "coder wants to run a command".to_owned(),
        blocks: vec![Block::Code {
            language: "sh".to_owned(),
            text: "ls 🚀".to_owned(),
        }],
        actions: vec![vec![
            Action {
                label: "Approve".to_owned(),
                data: "ok:1:2".to_owned(),
                style: Style::Good,
            },
            Action {
                label: "Details".to_owned(),
                data: "details:1".to_owned(),
                style: Style::Plain,
            },
        ]],
    }
}

#[tokio::test]
async fn a_text_goes_into_its_topic_with_entities_and_no_preview() {
    let mut stub = Stub::start().await;
    let mut message = to(
        "telegram:-100:5",
        Body::text(crate::text::markdown(
            "see [**here**](https://example.org/)",
        )),
    );
    message.reply_to = Some("3".to_owned());
    let sent = messenger(&stub).send(&message, None, false).await.unwrap();
    assert_eq!(
        sent,
        Some(Sent {
            message: "7".to_owned()
        })
    );
    insta::assert_json_snapshot!(stub.asked().await, @r#"
    [
      "sendMessage",
      {
        "chat_id": -100,
        "disable_notification": true,
        "entities": [
          {
            "length": 4,
            "offset": 4,
            "type": "bold"
          },
          {
            "length": 4,
            "offset": 4,
            "type": "text_link",
            "url": "https://example.org/"
          }
        ],
        "link_preview_options": {
          "is_disabled": true
        },
        "message_thread_id": 5,
        "reply_parameters": {
          "allow_sending_without_reply": true,
          "message_id": 3
        },
        "text": "see here"
      }
    ]
    "#);
}

#[tokio::test]
async fn the_general_topic_is_never_named() {
    let mut stub = Stub::start().await;
    messenger(&stub)
        .send(
            &to("telegram:-100:1", Body::text(RichText::plain("x"))),
            None,
            false,
        )
        .await
        .unwrap();
    assert_eq!(stub.asked().await.1.get("message_thread_id"), None);
}

#[tokio::test]
async fn a_card_has_buttons_with_styles_and_loses_them_in_an_edit() {
    let mut stub = Stub::start().await;
    let messenger = messenger(&stub);
    messenger
        .send(
            &Outgoing {
                rings: true,
                ..to("telegram:9", Body::Card { card: card() })
            },
            None,
            false,
        )
        .await
        .unwrap();
    insta::assert_json_snapshot!(stub.asked().await, @r#"
    [
      "sendMessage",
      {
        "chat_id": 9,
        "disable_notification": false,
        "entities": [
          {
            "length": 28,
            "offset": 0,
            "type": "bold"
          },
          {
            "language": "sh",
            "length": 5,
            "offset": 30,
            "type": "pre"
          }
        ],
        "link_preview_options": {
          "is_disabled": true
        },
        "reply_markup": {
          "inline_keyboard": [
            [
              {
                "callback_data": "ok:1:2",
                "style": "success",
                "text": "Approve"
              },
              {
                "callback_data": "details:1",
                "text": "Details"
              }
            ]
          ]
        },
        "text": "coder wants to run a command\n\nls 🚀"
      }
    ]
    "#);
    let settled = Card {
        actions: Vec::new(),
        ..card()
    };
    let edit = to(
        "telegram:9",
        Body::EditCard {
            tag: "approval:1".to_owned(),
            card: settled,
        },
    );
    let earlier = Sent {
        message: "7".to_owned(),
    };
    stub.fail(
        400,
        "Bad Request: message is not modified: specified new message content…",
    );
    assert_eq!(
        messenger.send(&edit, Some(&earlier), false).await,
        Ok(Some(earlier.clone()))
    );
    let (method, body) = stub.asked().await;
    assert_eq!(
        (method.as_str(), &body["message_id"], &body["reply_markup"]),
        (
            "editMessageText",
            &json!(7),
            &json!({"inline_keyboard": []})
        )
    );
    stub.fail(400, "Bad Request: message to edit not found");
    assert_eq!(
        messenger.send(&edit, Some(&earlier), false).await,
        Err(SendError::Missing)
    );
    stub.asked().await;
    // Never sent: it is sent now.
    assert_eq!(messenger.send(&edit, None, false).await, Ok(Some(earlier)));
    assert_eq!(stub.asked().await.0, "sendMessage");
}

#[tokio::test]
async fn a_repetition_says_so_and_keeps_its_marks_in_place() {
    let mut stub = Stub::start().await;
    messenger(&stub)
        .send(&to("telegram:9", Body::Card { card: card() }), None, true)
        .await
        .unwrap();
    let (_, body) = stub.asked().await;
    let text: Vec<u16> = body["text"].as_str().unwrap().encode_utf16().collect();
    let covered = body["entities"].as_array().unwrap().iter().map(|entity| {
        let (offset, length) = (
            entity["offset"].as_u64().unwrap() as usize,
            entity["length"].as_u64().unwrap() as usize,
        );
        String::from_utf16(&text[offset..offset + length]).unwrap()
    });
    assert_eq!(
        covered.collect::<Vec<_>>(),
        [
            "(sent again: the first attempt may have arrived)",
            "coder wants to run a command",
            "ls 🚀"
        ]
    );
}

#[tokio::test]
async fn a_file_is_a_document() {
    let mut stub = Stub::start().await;
    let stored = Content::Stored {
        blob: Digest::of_bytes("stored"),
        bytes: 6,
        head: String::new(),
    };
    let file = Body::File {
        name: "change\".diff".to_owned(),
        content: stored,
        caption: "The whole".to_owned(),
    };
    messenger(&stub)
        .send(&to("telegram:-100:5", file), None, false)
        .await
        .unwrap();
    let (method, body) = stub.asked().await;
    assert_eq!(method, "sendDocument");
    insta::assert_snapshot!(body.as_str().unwrap().replace('\r', ""), @r#"
    --countersign-part
    content-disposition: form-data; name="chat_id"

    -100
    --countersign-part
    content-disposition: form-data; name="message_thread_id"

    5
    --countersign-part
    content-disposition: form-data; name="disable_notification"

    true
    --countersign-part
    content-disposition: form-data; name="caption"

    The whole
    --countersign-part
    content-disposition: form-data; name="document"; filename="change_.diff"
    content-type: text/plain; charset=utf-8

    stored
    --countersign-part--
    "#);
    let gone = Content::Stored {
        blob: Digest::of_bytes("gone"),
        bytes: 4,
        head: String::new(),
    };
    let file = Body::File {
        name: "x".to_owned(),
        content: gone,
        caption: String::new(),
    };
    assert!(matches!(
        messenger(&stub)
            .send(&to("telegram:9", file), None, false)
            .await,
        Err(SendError::NotDelivered(_))
    ));
}

#[tokio::test]
async fn a_stale_tap_and_a_group_left_already_are_no_errors() {
    let mut stub = Stub::start().await;
    let messenger = messenger(&stub);
    stub.fail(
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    );
    let toast = Body::Toast {
        tap: "t1".to_owned(),
        text: "x".repeat(300),
    };
    assert_eq!(
        messenger.send(&to("telegram:9", toast), None, false).await,
        Ok(None)
    );
    let (_, body) = stub.asked().await;
    assert_eq!(body["text"].as_str().unwrap().chars().count(), 200);
    stub.fail(403, "Forbidden: bot is not a member of the supergroup chat");
    assert_eq!(
        messenger
            .send(&to("telegram:-100", Body::Leave), None, false)
            .await,
        Ok(None)
    );
}

#[tokio::test]
async fn the_menu_is_registered() {
    let mut stub = Stub::start().await;
    set_menu(&stub.api, &[("help", "What I can do")])
        .await
        .unwrap();
    assert_eq!(
        stub.asked().await.1,
        json!({"commands": [{"command": "help", "description": "What I can do"}]})
    );
}

#[test]
fn the_longest_text_fits_when_it_is_sent_again_too() {
    let longest = RichText::plain("x".repeat(crate::text::PART_LIMIT));
    assert!(super::super::render::sendable(&longest, true).utf16_len() <= 4096);
}

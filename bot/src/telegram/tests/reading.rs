use super::*;
use crate::inbound::{Inbound, What};

fn read(update: Value) -> Inbound {
    let raw = update.to_string();
    let filed = super::super::parse::incoming(&raw, "42").unwrap().session;
    let inbound = parse(&raw, &filed, &me());
    // Filing and parsing must agree, or an update would be handled in another conversation's order.
    assert_eq!(inbound.session, filed);
    inbound
}

fn message(chat: i64, kind: &str, more: Value) -> Value {
    let mut message = json!({
        "message_id": 5, "date": 1, "chat": {"id": chat, "type": kind},
        "from": {"id": 7, "is_bot": false, "first_name": "Ann", "last_name": "B"},
    });
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"update_id": 1, "message": message})
}

fn text(inbound: &Inbound) -> (&str, bool) {
    match &inbound.what {
        What::Text { text, .. } => (text, inbound.addressed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_private_text() {
    insta::assert_json_snapshot!(read(message(7, "private", json!({"text": " hello ", "entities": [{"type": "of the future", "offset": 0, "length": 1}]}))), @r#"
    {
      "session": "telegram:7",
      "from": {
        "id": "telegram:7",
        "name": "Ann B"
      },
      "private": true,
      "addressed": true,
      "what": {
        "what": "text",
        "text": "hello",
        "message": "5",
        "replies_to": null
      }
    }
    "#);
}

#[test]
fn commands_are_for_whom_they_name() {
    let group = |said: &str| read(message(-100, "supergroup", json!({"text": said})));
    assert_eq!(text(&group("/help")), ("/help", true));
    assert_eq!(
        text(&group("/agent@CS_bot coder fix it")),
        ("/agent coder fix it", true)
    );
    assert!(matches!(group("/help@other_bot").what, What::Other { .. }));
    assert_eq!(text(&group("lunch?")), ("lunch?", false));
    assert_eq!(
        text(&group("@cs_bot, what is this?")),
        ("what is this?", true)
    );
    assert_eq!(
        text(&group("ask @cs_bot about it")),
        ("ask @cs_bot about it", true)
    );
}

#[test]
fn a_reply_to_the_bot_is_addressed() {
    let reply = json!({"text": "too risky", "reply_to_message": {"message_id": 4, "from": {"id": 42, "is_bot": true, "first_name": "bot"}}});
    let inbound = read(message(-100, "supergroup", reply));
    assert!(inbound.addressed);
    assert!(matches!(inbound.what, What::Text { replies_to: Some(id), .. } if id == "4"));
}

#[test]
fn a_topic_is_a_session_and_a_thread_of_replies_is_not() {
    let session = |more| read(message(-100, "supergroup", more)).session;
    assert_eq!(
        session(json!({"text": "x", "message_thread_id": 9, "is_topic_message": true})),
        "telegram:-100:9".into()
    );
    assert_eq!(
        session(json!({"text": "x", "message_thread_id": 9})),
        "telegram:-100".into()
    );
    assert_eq!(
        session(json!({"text": "x", "message_thread_id": 1, "is_topic_message": true})),
        "telegram:-100".into()
    );
}

#[test]
fn a_tap_comes_from_the_person_and_not_from_the_bots_message() {
    let tapped = json!({"message_id": 4, "date": 1, "chat": {"id": -100, "type": "supergroup"}, "from": {"id": 42, "is_bot": true, "first_name": "bot"}});
    let tap = json!({"update_id": 3, "callback_query": {"id": "t1", "from": {"id": 7, "is_bot": false, "first_name": "Ann"}, "message": tapped, "data": "ok:1:2", "chat_instance": "x"}});
    insta::assert_json_snapshot!(read(tap), @r#"
    {
      "session": "telegram:-100",
      "from": {
        "id": "telegram:7",
        "name": "Ann"
      },
      "private": false,
      "addressed": true,
      "what": {
        "what": "tap",
        "tap": "t1",
        "data": "ok:1:2",
        "message": "4"
      }
    }
    "#);
}

#[test]
fn coming_and_going() {
    let standing = |old: &str, new: &str| {
        let member = |status: &str| json!({"user": {"id": 42, "is_bot": true, "first_name": "bot"}, "status": status});
        read(json!({"update_id": 4, "my_chat_member": {"chat": {"id": -100, "type": "group"}, "from": {"id": 7, "is_bot": false, "first_name": "Ann"}, "date": 1, "old_chat_member": member(old), "new_chat_member": member(new)}})).what
    };
    assert_eq!(standing("left", "member"), What::Added);
    assert_eq!(standing("member", "kicked"), What::Removed);
    assert!(matches!(
        standing("member", "administrator"),
        What::Other { .. }
    ));
}

#[test]
fn what_nobody_knows_is_kept_as_other() {
    let kind = |update: Value| match read(update).what {
        What::Other { kind } => kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        kind(message(
            7,
            "private",
            json!({"photo": [{}], "caption": "look"})
        )),
        "photo"
    );
    assert_eq!(
        kind(json!({"update_id": 5, "chat_boost_of_2031": {"chat": {"id": 7}}})),
        "chat_boost_of_2031"
    );
    assert!(
        kind(json!({"update_id": 6, "message": {"chat": {"id": 7}}}))
            .starts_with("message that cannot be read")
    );
    let anonymous =
        json!({"text": "x", "from": {"id": 1_087_968_824, "is_bot": true, "first_name": "Group"}});
    assert_eq!(read(message(-100, "supergroup", anonymous)).from, None);
    assert!(super::super::parse::incoming("{\"x\":1}", "42").is_none());
}

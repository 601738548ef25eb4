//! One raw update to what a person did. What can't be understood becomes [`What::Other`]: it is never lost and never an error.
//!
//! teloxide's own types are not used for reading: they refuse a whole message for one entity or field of a newer Bot API than
//! they know, and a person who pastes such a text would get no answer. Only what is used is read here.

use super::{
    api::Me,
    attached,
    hear::hear,
    place::{Place, SURFACE, member},
};
use crate::{
    inbound::{Inbound, Person, What},
    inbox::Incoming,
};
use domain::id::SessionId;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Update {
    message: Option<Message>,
    edited_message: Option<Message>,
    callback_query: Option<Tap>,
    my_chat_member: Option<Standing>,
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
    chat: Chat,
    from: Option<User>,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
    text: Option<String>,
    caption: Option<String>,
    reply_to_message: Option<Box<Replied>>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Replied {
    message_id: i64,
    chat: Option<Chat>,
    from: Option<User>,
    #[serde(default)]
    reply_markup: Value,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    first_name: String,
    last_name: Option<String>,
}

#[derive(Deserialize)]
struct Tap {
    id: String,
    from: User,
    data: Option<String>,
    message: Option<Tapped>,
}

#[derive(Deserialize)]
struct Tapped {
    message_id: i64,
    chat: Chat,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
}

#[derive(Deserialize)]
struct Standing {
    chat: Chat,
    from: User,
    old_chat_member: Status,
    new_chat_member: Status,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    status: String,
    /// Of a restricted one: in the chat all the same.
    #[serde(default)]
    is_member: bool,
}

impl Status {
    fn is_in(&self) -> bool {
        self.is_member || matches!(self.status.as_str(), "member" | "administrator" | "creator")
    }
}

/// What it says, where, and from whom. `session` is where it was filed; what has no place of its own stays there.
#[must_use]
pub fn parse(raw: &str, session: &SessionId, me: &Me) -> Inbound {
    let other = |kind: String| Inbound {
        session: session.clone(),
        from: None,
        private: false,
        addressed: false,
        what: What::Other { kind },
    };
    match serde_json::from_str::<Update>(raw) {
        Ok(Update {
            message: Some(message),
            ..
        }) => message.read(me),
        Ok(Update {
            edited_message: Some(message),
            ..
        }) => Inbound {
            what: What::Other {
                kind: "edit".to_owned(),
            },
            ..message.read(me)
        },
        Ok(Update {
            callback_query: Some(tap),
            ..
        }) => tap.read(session),
        Ok(Update {
            my_chat_member: Some(standing),
            ..
        }) => standing.read(),
        Ok(_) => other(kind(raw)),
        Err(error) => other(format!("{} that cannot be read: {error}", kind(raw))),
    }
}

/// How an update is filed: its number, and the conversation whose order it keeps. `None` if it has no number.
pub(super) fn incoming(raw: &str, bot: &str) -> Option<Incoming> {
    #[derive(Deserialize)]
    struct Numbered {
        update_id: i64,
    }
    let number = serde_json::from_str::<Numbered>(raw).ok()?.update_id;
    Some(Incoming {
        surface: surface(bot),
        update: number.to_string(),
        session: session(raw),
        raw: raw.to_owned(),
    })
}

/// The identity of a bot's updates.
pub(super) fn surface(bot: &str) -> String {
    format!("{SURFACE}.{bot}")
}

/// The conversation that an update belongs to; one for all that belong to none.
fn session(raw: &str) -> SessionId {
    let nowhere = SessionId::new(format!("{SURFACE}:0"));
    let Ok(update) = serde_json::from_str::<Value>(raw) else {
        return nowhere;
    };
    // Whatever its kind: the update's one object holds a message, or is one, and that has a chat.
    let body = update
        .as_object()
        .and_then(|update| update.values().find(|value| value.is_object()));
    let Some(body) = body else { return nowhere };
    let message = if body["chat"].is_object() {
        body
    } else {
        &body["message"]
    };
    let place = message["chat"]["id"].as_i64().map(|chat| {
        let in_topic = message["is_topic_message"].as_bool().unwrap_or(false);
        Place::new(
            chat,
            message["message_thread_id"].as_i64().filter(|_| in_topic),
        )
    });
    let person = body["from"]["id"]
        .as_i64()
        .map(|user| Place::new(user, None));
    place.or(person).map_or(nowhere, |place| place.session())
}

/// The name of the update's kind, for people and logs.
fn kind(raw: &str) -> String {
    let update = serde_json::from_str::<Value>(raw).ok();
    let name = update
        .as_ref()
        .and_then(Value::as_object)
        .and_then(|update| update.keys().find(|key| *key != "update_id"));
    name.map_or_else(|| "update".to_owned(), Clone::clone)
}

impl Message {
    fn read(self, me: &Me) -> Inbound {
        let place = Place::new(
            self.chat.id,
            self.message_thread_id.filter(|_| self.is_topic_message),
        );
        let private = self.chat.kind == "private";
        let answers_bot = self
            .reply_to_message
            .as_ref()
            .is_some_and(|replied| replied.from.as_ref().is_some_and(|user| user.id == me.id));
        let heard = self.text.as_deref().map(|text| hear(text, &me.username));
        let caption = self.caption.as_deref();
        let caption = caption.map(|caption| hear(caption, &me.username));
        let to_me = heard.iter().chain(&caption).any(|heard| heard.to_me);
        let addressed = private || answers_bot || to_me;
        let elsewhere = heard.as_ref().is_some_and(|heard| heard.to_another);
        let answered = self.reply_to_message.as_deref();
        let what = match heard {
            Some(_) if elsewhere => What::Other {
                kind: "command for another bot".to_owned(),
            },
            Some(heard) => What::Text {
                text: heard.text,
                message: self.message_id.to_string(),
                replies_to: answered.map(|replied| replied.message_id.to_string()),
                replies_in: answered
                    .and_then(|replied| replied.chat.as_ref())
                    .filter(|chat| chat.id != self.chat.id)
                    .map(|chat| Place::new(chat.id, None).session()),
                replies_to_button: answered
                    .filter(|_| answers_bot)
                    .and_then(|replied| {
                        replied.reply_markup["inline_keyboard"][0][0]["callback_data"].as_str()
                    })
                    .map(ToOwned::to_owned),
            },
            None => attached::file(&self.rest, caption, self.message_id)
                .or_else(|| self.moved())
                .unwrap_or_else(|| What::Other { kind: self.kind() }),
        };
        Inbound {
            session: place.session(),
            from: self.from.and_then(User::person),
            private,
            addressed: addressed && !elsewhere,
            what,
        }
    }

    /// A group that was made a supergroup says so twice: in the old one where it went, in the new one where it was.
    fn moved(&self) -> Option<What> {
        let other = |key| {
            let chat = self.rest.get(key)?.as_i64()?;
            Some(Place::new(chat, None).session())
        };
        let here = || Place::new(self.chat.id, None).session();
        let moved = |from, to| What::Moved { from, to };
        let went = other("migrate_to_chat_id").map(|to| moved(here(), to));
        went.or_else(|| Some(moved(other("migrate_from_chat_id")?, here())))
    }

    /// What a message without text is.
    fn kind(&self) -> String {
        let known = [
            "photo",
            "document",
            "voice",
            "audio",
            "video",
            "video_note",
            "sticker",
            "animation",
            "location",
            "contact",
            "poll",
        ];
        let found = known.iter().find(|kind| self.rest.contains_key(**kind));
        match (found, &self.caption) {
            (Some(kind), _) => (*kind).to_owned(),
            (None, Some(_)) => "media".to_owned(),
            (None, None) => "service message".to_owned(),
        }
    }
}

impl Tap {
    fn read(self, filed: &SessionId) -> Inbound {
        let place = self.message.as_ref().map(|message| {
            Place::new(
                message.chat.id,
                message
                    .message_thread_id
                    .filter(|_| message.is_topic_message),
            )
        });
        Inbound {
            session: place.map_or_else(|| filed.clone(), |place| place.session()),
            private: self
                .message
                .as_ref()
                .is_none_or(|message| message.chat.kind == "private"),
            addressed: true,
            what: What::Tap {
                tap: self.id,
                data: self.data.unwrap_or_default(),
                message: self.message.map(|message| message.message_id.to_string()),
            },
            from: self.from.person(),
        }
    }
}

impl Standing {
    fn read(self) -> Inbound {
        let what = match (self.old_chat_member.is_in(), self.new_chat_member.is_in()) {
            (false, true) => What::Added,
            (true, false) => What::Removed,
            _ => What::Other {
                kind: "change of rights".to_owned(),
            },
        };
        Inbound {
            session: Place::new(self.chat.id, None).session(),
            private: self.chat.kind == "private",
            addressed: false,
            what,
            from: self.from.person(),
        }
    }
}

impl User {
    /// Bots (and anonymous admins, who write as one) are nobody whom one could ask.
    fn person(self) -> Option<Person> {
        let last = self.last_name.unwrap_or_default();
        let name = format!("{} {last}", self.first_name).trim().to_owned();
        let name = if name.is_empty() {
            self.id.to_string()
        } else {
            name
        };
        (!self.is_bot).then(|| Person {
            id: member(self.id),
            name,
        })
    }
}

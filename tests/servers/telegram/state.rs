//! Everything the fake Telegram knows: one struct, behind one mutex.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::fake::Options;
use super::faults::Faults;
use super::message::{Document, Message};
use super::rates::RateLog;
use super::updates::{Lane, Updates};
use super::webhook::Push;

/// How long Telegram keeps an update, in seconds.
pub(super) const UPDATE_LIFE: i64 = 86_400;
/// How long it keeps a tap, and how long a tap can be answered, in seconds.
pub(super) const CALLBACK_LIFE: i64 = 150;

pub struct State {
    pub(super) token: String,
    pub(super) me: User,
    pub(super) started: Instant,
    clock_offset: Duration,
    pub(super) chats: BTreeMap<i64, Chat>,
    pub(super) updates: Updates,
    pub(super) push: Push,
    pub(super) callbacks: HashMap<String, Callback>,
    pub(super) answers: Vec<CallbackAnswer>,
    pub(super) files: HashMap<String, StoredFile>,
    /// Command menus by scope and language.
    pub(super) commands: BTreeMap<String, Value>,
    pub(super) faults: Faults,
    pub(super) rates: RateLog,
    pub(super) recording: bool,
    pub(super) patience: Duration,
    pub(super) requests: Vec<RecordedRequest>,
}

impl State {
    pub(super) fn new(options: &Options) -> Self {
        let token = options.token.clone();
        let id = token
            .split(':')
            .next()
            .and_then(|id| id.parse().ok())
            .unwrap_or(1);
        let me = User {
            id,
            is_bot: true,
            first_name: "Bot".into(),
            username: Some("fake_test_bot".into()),
        };
        Self {
            token,
            me,
            started: Instant::now(),
            clock_offset: Duration::ZERO,
            chats: BTreeMap::new(),
            updates: Updates::default(),
            push: Push::default(),
            callbacks: HashMap::new(),
            answers: Vec::new(),
            files: HashMap::new(),
            commands: BTreeMap::new(),
            faults: Faults::default(),
            rates: RateLog::default(),
            recording: options.record_requests,
            patience: options.patience,
            requests: Vec::new(),
        }
    }

    /// Seconds since 1970 on the fake's own clock.
    pub(super) fn now(&self) -> i64 {
        let real = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        (real + self.clock_offset).as_secs().cast_signed()
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.clock_offset += by;
        let now = self.now();
        self.updates.drop_expired(now);
    }

    /// Queues an update; `payload` is the object under `kind`.
    pub(super) fn push_update(&mut self, kind: &str, payload: &Value, lane: Lane) {
        let life = if kind == "callback_query" {
            CALLBACK_LIFE
        } else {
            UPDATE_LIFE
        };
        let expires = self.now() + life;
        self.updates.push(kind, payload, lane, expires);
    }

    pub(super) fn message(&self, chat: i64, id: i64) -> Option<&Message> {
        self.chats.get(&chat)?.message(id)
    }

    /// A message as the Bot API shows it; the message that it replies to is shown one level deep.
    pub(super) fn message_json(&self, message: &Message) -> Value {
        let mut value = self.bare_message_json(message);
        if let Some(original) = message
            .reply_to
            .and_then(|id| self.message(message.chat_id, id))
            && !original.deleted
        {
            value["reply_to_message"] = self.bare_message_json(original);
        }
        value
    }

    fn bare_message_json(&self, message: &Message) -> Value {
        let mut value =
            json!({"message_id": message.id, "from": message.from.json(), "date": message.date});
        if let Some(chat) = self.chats.get(&message.chat_id) {
            value["chat"] = chat.json();
        }
        if let Some(thread) = message.thread_id {
            value["message_thread_id"] = thread.into();
            value["is_topic_message"] = true.into();
        }
        if let Some(date) = message.edit_date {
            value["edit_date"] = date.into();
        }
        if let Some(markup @ Value::Object(map)) = &message.reply_markup
            && map.contains_key("inline_keyboard")
        {
            value["reply_markup"] = markup.clone();
        }
        if let Some((kind, what)) = &message.service {
            value[kind.as_str()] = what.clone();
            return value;
        }
        let (text, entities) = match &message.document {
            Some(document) => {
                value["document"] = document.json();
                ("caption", "caption_entities")
            }
            None => ("text", "entities"),
        };
        if !message.text.is_empty() {
            value[text] = message.text.clone().into();
        }
        if !message.entities.is_empty() {
            value[entities] = message.entities.clone().into();
        }
        value
    }
}

/// A person or the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: i64,
    pub is_bot: bool,
    pub first_name: String,
    /// Without the `@`.
    pub username: Option<String>,
}

impl User {
    /// A person without a username.
    pub fn new(id: i64, first_name: &str) -> Self {
        Self {
            id,
            is_bot: false,
            first_name: first_name.into(),
            username: None,
        }
    }

    #[must_use]
    pub fn with_username(mut self, username: &str) -> Self {
        self.username = Some(username.into());
        self
    }

    pub(super) fn json(&self) -> Value {
        let mut value =
            json!({"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name});
        if let Some(username) = &self.username {
            value["username"] = username.clone().into();
        }
        if !self.is_bot {
            value["language_code"] = "en".into();
        }
        value
    }
}

/// Whether the bot may write in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// A private chat whose person never wrote to the bot, or a group it was never in.
    Stranger,
    Member,
    /// Blocked by the person, or removed from the group.
    Kicked,
    Left,
}

impl Standing {
    pub fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Kicked => "kicked",
            Self::Stranger | Self::Left => "left",
        }
    }
}

/// What happened in a chat, in order, for the transcript.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Message(i64),
    Tap {
        by: String,
        label: String,
        thread: Option<i64>,
        callback: String,
    },
}

pub struct Chat {
    pub(super) id: i64,
    /// `None` in groups.
    pub(super) person: Option<User>,
    pub(super) title: String,
    pub(super) standing: Standing,
    pub(super) topics: BTreeMap<i64, String>,
    pub(super) members: BTreeMap<i64, (User, &'static str)>,
    /// The message with id *n* is at *n − 1*; ids are counted per chat.
    pub(super) messages: Vec<Message>,
    pub(super) timeline: Vec<Happening>,
}

impl Chat {
    pub(super) fn new(id: i64, title: &str, person: Option<User>) -> Self {
        Self {
            id,
            person,
            title: title.into(),
            standing: Standing::Stranger,
            topics: BTreeMap::new(),
            members: BTreeMap::new(),
            messages: Vec::new(),
            timeline: Vec::new(),
        }
    }

    pub(super) fn is_private(&self) -> bool {
        self.person.is_some()
    }

    /// A message that is still there.
    pub(super) fn message(&self, id: i64) -> Option<&Message> {
        self.messages
            .get(usize::try_from(id - 1).ok()?)
            .filter(|message| !message.deleted)
    }

    pub(super) fn message_mut(&mut self, id: i64) -> Option<&mut Message> {
        self.messages
            .get_mut(usize::try_from(id - 1).ok()?)
            .filter(|message| !message.deleted)
    }

    /// Gives the message its id and stores it.
    pub(super) fn add(&mut self, mut message: Message) -> i64 {
        message.id = self.messages.len() as i64 + 1;
        message.chat_id = self.id;
        let id = message.id;
        self.timeline.push(Happening::Message(id));
        self.messages.push(message);
        id
    }

    pub(super) fn json(&self) -> Value {
        match &self.person {
            Some(person) => {
                let mut value =
                    json!({"id": self.id, "type": "private", "first_name": person.first_name});
                if let Some(username) = &person.username {
                    value["username"] = username.clone().into();
                }
                value
            }
            None => {
                let mut value = json!({"id": self.id, "type": "supergroup", "title": self.title});
                if !self.topics.is_empty() {
                    value["is_forum"] = true.into();
                }
                value
            }
        }
    }
}

pub(super) struct StoredFile {
    pub document: Document,
    /// Below `/file/bot<token>/`.
    pub path: String,
}

/// A tap that may still be answered.
pub(super) struct Callback {
    pub at: i64,
}

/// What the bot answered to a tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackAnswer {
    pub callback_id: String,
    pub text: Option<String>,
    pub show_alert: bool,
}

/// A request that the bot sent.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// In Telegram's own spelling: `sendMessage`.
    pub method: String,
    /// An object; files are shown as `attach://<part name>`.
    pub params: Value,
    /// Since the fake was started.
    pub at: Duration,
    /// `ok`, the error's description, or `cut` where the connection was closed without an answer; `None` while it is being
    /// worked on.
    pub outcome: Option<String>,
}

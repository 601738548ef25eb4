//! The people: what a test lets them do in a chat, and what they see there.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::message::Message;
use super::server::Shared;
use super::state::{Callback, Chat, Happening, Standing, State, User};
use super::transcript;
use super::updates::Lane;
use super::view::{self, View};

/// A person in a chat.
#[derive(Clone)]
pub struct Conversation {
    pub(super) shared: Arc<Shared>,
    pub(super) chat: i64,
    pub(super) thread: Option<i64>,
    pub(super) person: User,
}

impl Conversation {
    pub(super) fn private(shared: Arc<Shared>, person: &User) -> Self {
        let new = || Chat::new(person.id, "", Some(person.clone()));
        shared.lock().chats.entry(person.id).or_insert_with(new);
        Self {
            shared,
            chat: person.id,
            thread: None,
            person: person.clone(),
        }
    }

    pub fn chat_id(&self) -> i64 {
        self.chat
    }

    pub fn person(&self) -> &User {
        &self.person
    }

    /// Returns the message's id.
    pub fn send(&self, text: &str) -> i64 {
        self.post(|message| message.text = text.into())
    }

    /// A message that answers another.
    pub fn reply_to(&self, message_id: i64, text: &str) -> i64 {
        self.post(|message| {
            message.text = text.into();
            message.reply_to = Some(message_id);
        })
    }

    pub fn send_document(&self, name: &str, bytes: &[u8]) -> i64 {
        self.send_document_with(name, bytes, "")
    }

    pub fn send_document_with(&self, name: &str, bytes: &[u8], caption: &str) -> i64 {
        let document = self
            .shared
            .lock()
            .store_file(name, None, Bytes::copy_from_slice(bytes));
        self.post(|message| {
            message.document = Some(document);
            message.text = caption.into();
        })
    }

    fn post(&self, fill: impl FnOnce(&mut Message)) -> i64 {
        let mut state = self.shared.lock();
        let mut message = Message {
            thread_id: self.thread,
            ..Message::new(self.person.clone(), state.now())
        };
        fill(&mut message);
        if message.entities.is_empty() {
            message.entities = command_entity(&message.text);
        }
        let id = state.receive(self.chat, message);
        drop(state);
        self.shared.updates_came.notify_waiters();
        id
    }

    /// The person changes an own message: the bot gets `edited_message`.
    pub fn edit(&self, message_id: i64, text: &str) {
        let mut state = self.shared.lock();
        let now = state.now();
        let mine = |message: &&mut Message| message.from.id == self.person.id;
        let found = state
            .chats
            .get_mut(&self.chat)
            .and_then(|chat| chat.message_mut(message_id).filter(mine));
        let Some(message) = found else {
            self.fail(&state, &format!("no message {message_id} to edit"))
        };
        message.text = text.into();
        message.entities = command_entity(text);
        message.edits += 1;
        message.edit_date = Some(now);
        let message = message.clone();
        let payload = state.message_json(&message);
        state.push_update("edited_message", &payload, Lane::Chat(self.chat));
        drop(state);
        self.shared.updates_came.notify_waiters();
    }

    /// Taps the button with this label (or the only one whose label contains it). Returns the callback query's id.
    ///
    /// # Panics
    /// Where the message has no such button.
    pub fn tap(&self, message_id: i64, label: &str) -> String {
        let state = self.shared.lock();
        let found = state
            .message(self.chat, message_id)
            .and_then(|message| message.button(label));
        let Some(button) = found else {
            self.fail(
                &state,
                &format!("no button [{label}] on message {message_id}"),
            )
        };
        let Some(data) = button.data else {
            self.fail(&state, &format!("button [{label}] opens a link"))
        };
        drop(state);
        self.tap_with(message_id, &button.label, &data)
    }

    /// A tap with any data at all: forged, or from a keyboard that has changed since.
    pub fn tap_data(&self, message_id: i64, data: &str) -> String {
        self.tap_with(message_id, data, data)
    }

    fn tap_with(&self, message_id: i64, label: &str, data: &str) -> String {
        let mut state = self.shared.lock();
        let at = state.now();
        let id = format!("{}", 9_000_000_001 + state.callbacks.len());
        state.callbacks.insert(id.clone(), Callback { at });
        let message = match state.message(self.chat, message_id) {
            Some(message) => state.message_json(message),
            None => {
                json!({"chat": state.chats.get(&self.chat).map(Chat::json), "message_id": message_id, "date": 0})
            }
        };
        let payload = json!({
            "id": id, "from": self.person.json(), "message": message, "data": data,
            "chat_instance": self.chat.to_string(),
        });
        state.push_update("callback_query", &payload, Lane::TapsOf(self.person.id));
        if let Some(chat) = state.chats.get_mut(&self.chat) {
            let thread = chat
                .message(message_id)
                .and_then(|message| message.thread_id);
            let (by, label) = (self.person.first_name.clone(), label.to_owned());
            chat.timeline.push(Happening::Tap {
                by,
                label,
                thread,
                callback: id.clone(),
            });
        }
        drop(state);
        self.shared.updates_came.notify_waiters();
        id
    }

    /// The person blocks the bot in their private chat.
    pub fn block_bot(&self) {
        self.shared
            .lock()
            .set_standing(self.chat, &self.person, Standing::Kicked);
        self.shared.updates_came.notify_waiters();
    }

    pub fn unblock_bot(&self) {
        self.shared
            .lock()
            .set_standing(self.chat, &self.person, Standing::Member);
        self.shared.updates_came.notify_waiters();
    }

    /// The chat, or this topic of it, as text.
    pub fn transcript(&self) -> String {
        transcript::chat(&self.shared.lock(), self.chat, self.thread)
    }

    /// What the chat (or this topic of it) holds now, without what was deleted.
    pub fn messages(&self) -> Vec<Message> {
        view::look(&self.shared, |view| self.seen(view).cloned().collect())
    }

    /// The bot's newest message.
    pub fn last_from_bot(&self) -> Option<Message> {
        self.messages().into_iter().rfind(Message::is_bots)
    }

    /// The newest message of the bot's for which `is` holds, as soon as there is one.
    pub async fn wait_for_message(&self, is: impl Fn(&Message) -> bool) -> Message {
        self.wait_for_bots("the message", is).await
    }

    /// The newest message of the bot's that contains `text`.
    pub async fn wait_for_text(&self, text: &str) -> Message {
        self.wait_for_bots(&format!("a message with {text:?}"), |message| {
            message.text.contains(text)
        })
        .await
    }

    /// The newest message of the bot's with this button.
    pub async fn wait_for_button(&self, label: &str) -> Message {
        self.wait_for_bots(&format!("a message with [{label}]"), |message| {
            message.button(label).is_some()
        })
        .await
    }

    /// The newest message of the bot's that came after message `id`.
    pub async fn wait_for_message_after(&self, id: i64) -> Message {
        self.wait_for_bots(&format!("a message after {id}"), |message| message.id > id)
            .await
    }

    /// The bot's answer to a tap: the toast's text, empty where it has none.
    pub async fn wait_for_answer(&self, callback_id: &str) -> String {
        let find = |view: &View<'_>| {
            let mut answers = view.answers_to_callbacks().iter();
            answers
                .find(|answer| answer.callback_id == callback_id)
                .map(|answer| answer.text.clone().unwrap_or_default())
        };
        view::wait(&self.shared, "the answer to the tap", find).await
    }

    async fn wait_for_bots(&self, what: &str, is: impl Fn(&Message) -> bool) -> Message {
        let find = |view: &View<'_>| {
            self.seen(view)
                .filter(|m| m.is_bots() && is(m))
                .last()
                .cloned()
        };
        view::wait(&self.shared, what, find).await
    }

    fn seen<'a>(&self, view: &View<'a>) -> impl Iterator<Item = &'a Message> + use<'a> {
        let thread = self.thread;
        let here = move |message: &&Message| {
            !message.deleted && (thread.is_none() || message.thread_id == thread)
        };
        view.messages(self.chat).iter().filter(here)
    }

    fn fail(&self, state: &State, why: &str) -> ! {
        view::give_up(&format!(
            "{}: {why}\n\n{}",
            self.person.first_name,
            view::dump(state)
        ))
    }
}

/// Telegram marks the command that a message begins with.
fn command_entity(text: &str) -> Vec<Value> {
    let command = text
        .split_whitespace()
        .next()
        .filter(|word| word.len() > 1 && text.starts_with('/') && word.starts_with('/'));
    command.map(|word| json!({"type": "bot_command", "offset": 0, "length": word.encode_utf16().count()})).into_iter().collect()
}

//! The people: what a test lets them do, and what they see.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::methods::member;
use super::server::Shared;
use super::state::{
    Callback, Chat, Document, Happening, Message, Standing, State, StoredFile, User,
};
use super::transcript;
use super::updates::Lane;
use super::view::{self, View};

/// A supergroup, or one topic of it.
#[derive(Clone)]
pub struct Group {
    shared: Arc<Shared>,
    id: i64,
    thread: Option<i64>,
}

impl Group {
    pub(super) fn open(shared: Arc<Shared>, id: i64, title: &str) -> Self {
        shared
            .lock()
            .chats
            .entry(id)
            .or_insert_with(|| Chat::new(id, title, None));
        Self {
            shared,
            id,
            thread: None,
        }
    }

    pub fn id(&self) -> i64 {
        self.id
    }

    /// The topic with this id, made where there is none; with one, the group is a forum. 1 is General, whose messages carry no
    /// topic.
    pub fn topic(&self, id: i64, name: &str) -> Self {
        if id > 1
            && let Some(chat) = self.shared.lock().chats.get_mut(&self.id)
        {
            chat.topics.entry(id).or_insert_with(|| name.into());
        }
        Self {
            thread: (id > 1).then_some(id),
            ..self.clone()
        }
    }

    /// The person's view of the group; the person is a member from now on.
    pub fn seat(&self, person: &User) -> Conversation {
        self.seat_as(person, "member")
    }

    /// The same for the one who made the group.
    pub fn creator(&self, person: &User) -> Conversation {
        self.seat_as(person, "creator")
    }

    fn seat_as(&self, person: &User, status: &'static str) -> Conversation {
        if let Some(chat) = self.shared.lock().chats.get_mut(&self.id) {
            chat.members
                .entry(person.id)
                .or_insert_with(|| (person.clone(), status));
        }
        Conversation {
            shared: self.shared.clone(),
            chat: self.id,
            thread: self.thread,
            person: person.clone(),
        }
    }

    /// `by` adds the bot: it gets `my_chat_member`, and a service message.
    pub fn add_bot(&self, by: &User) {
        let mut state = self.shared.lock();
        state.set_standing(self.id, by, Standing::Member);
        let added = Some(("new_chat_members".to_owned(), json!([state.me.json()])));
        let message = Message {
            service: added,
            ..Message::new(by.clone(), state.now())
        };
        state.receive(self.id, message);
        drop(state);
        self.shared.updates_came.notify_waiters();
    }

    /// `by` removes the bot: it gets `my_chat_member` and can't write any more.
    pub fn remove_bot(&self, by: &User) {
        self.shared
            .lock()
            .set_standing(self.id, by, Standing::Kicked);
        self.shared.updates_came.notify_waiters();
    }

    pub fn has_bot(&self) -> bool {
        self.shared
            .lock()
            .chats
            .get(&self.id)
            .is_some_and(|chat| chat.standing == Standing::Member)
    }

    /// The group, or this topic of it, as text.
    pub fn transcript(&self) -> String {
        transcript::chat(&self.shared.lock(), self.id, self.thread)
    }
}

/// A person in a chat.
#[derive(Clone)]
pub struct Conversation {
    shared: Arc<Shared>,
    chat: i64,
    thread: Option<i64>,
    person: User,
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
        self.seen(&View::new(&self.shared.lock()))
            .cloned()
            .collect()
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

impl State {
    /// A person's message arrives in a chat, and reaches the bot where it is in the chat. Returns the message's id.
    fn receive(&mut self, chat_id: i64, message: Message) -> i64 {
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return 0;
        };
        if chat.is_private() && chat.standing == Standing::Stranger {
            chat.standing = Standing::Member;
        }
        let reaches_bot = chat.standing == Standing::Member;
        let id = chat.add(message);
        if reaches_bot && let Some(message) = self.message(chat_id, id) {
            let payload = self.message_json(message);
            self.push_update("message", &payload, Lane::Chat(chat_id));
        }
        id
    }

    /// Changes whether the bot may write in a chat, and tells it by `my_chat_member`.
    pub(super) fn set_standing(&mut self, chat_id: i64, by: &User, standing: Standing) {
        let (me, date) = (self.me.clone(), self.now());
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let before = std::mem::replace(&mut chat.standing, standing);
        let payload = json!({
            "chat": chat.json(), "from": by.json(), "date": date,
            "old_chat_member": member(&me, before.word()), "new_chat_member": member(&me, standing.word()),
        });
        self.push_update("my_chat_member", &payload, Lane::Chat(chat_id));
    }

    pub(super) fn store_file(
        &mut self,
        name: &str,
        mime: Option<String>,
        bytes: Bytes,
    ) -> Document {
        let number = self.files.len() + 1;
        let document = Document {
            file_id: format!("FILE{number:06}"),
            name: name.to_owned(),
            mime,
            bytes,
        };
        let path = format!("documents/file_{number}");
        self.files.insert(
            document.file_id.clone(),
            StoredFile {
                document: document.clone(),
                path,
            },
        );
        document
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

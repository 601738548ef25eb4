//! Groups and their topics, and how the bot comes into one and goes.

use std::sync::Arc;

use serde_json::json;

use super::message::Message;
use super::person::Conversation;
use super::server::Shared;
use super::state::{Chat, Standing, User};
use super::transcript;

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

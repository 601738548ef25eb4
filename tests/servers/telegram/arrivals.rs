//! What changes in the state when a person acts, and the update that the bot gets of it.

use axum::body::Bytes;
use serde_json::json;

use super::message::{Document, Message};
use super::methods::member;
use super::state::{Standing, State, StoredFile, User};
use super::updates::Lane;

impl State {
    /// A person's message arrives in a chat, and reaches the bot where it is in the chat. Returns the message's id.
    pub(super) fn receive(&mut self, chat_id: i64, message: Message) -> i64 {
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

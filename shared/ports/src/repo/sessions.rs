//! Sessions, one per chat, topic or terminal conversation, found by their agent. What one is stands in `domain::session`.

use super::Entity;
use crate::store::{Index, Table};
use domain::session::{Conversation, Session};

pub static SESSIONS: Table = Table {
    name: "sessions",
    indexes: &[Index {
        name: "by_agent",
        partition: "agent",
        sort: "updated_at",
    }],
};

impl Entity for Session {
    const TABLE: &'static Table = &SESSIONS;
    fn id(&self) -> String {
        self.id.as_str().to_owned()
    }
}

/// Earlier conversations of a session, found by it.
pub static CONVERSATIONS: Table = Table {
    name: "conversations",
    indexes: &[Index {
        name: "by_session",
        partition: "session",
        sort: "updated_at",
    }],
};

impl Entity for Conversation {
    const TABLE: &'static Table = &CONVERSATIONS;
    fn id(&self) -> String {
        self.id.clone()
    }
}

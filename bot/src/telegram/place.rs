//! Where in Telegram a conversation is: a chat, or a topic of one.

use domain::id::{MemberId, SessionId};

pub const SURFACE: &str = "telegram";

/// The topic that every forum has, and that no send may name.
const GENERAL: i64 = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub chat: i64,
    pub topic: Option<i32>,
}

impl Place {
    #[must_use]
    pub fn new(chat: i64, topic: Option<i64>) -> Self {
        let topic = topic.filter(|topic| *topic != GENERAL);
        Self {
            chat,
            topic: topic.and_then(|topic| i32::try_from(topic).ok()),
        }
    }

    /// `None` for a conversation of another surface.
    #[must_use]
    pub fn of(session: &SessionId) -> Option<Self> {
        let mut fields = session.as_str().split(':');
        if fields.next() != Some(SURFACE) {
            return None;
        }
        let chat = fields.next()?.parse().ok()?;
        let topic = match fields.next() {
            Some(topic) => Some(topic.parse().ok()?),
            None => None,
        };
        fields.next().is_none().then_some(Self::new(chat, topic))
    }

    #[must_use]
    pub fn session(&self) -> SessionId {
        SessionId::new(match self.topic {
            Some(topic) => format!("{SURFACE}:{}:{topic}", self.chat),
            None => format!("{SURFACE}:{}", self.chat),
        })
    }

    /// Groups have negative ids.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.chat < 0
    }
}

#[must_use]
pub fn member(user: i64) -> MemberId {
    MemberId::new(format!("{SURFACE}:{user}"))
}

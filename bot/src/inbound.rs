//! What a person did on a surface, free of that surface: a text, a tap, an invitation into a group.

use domain::id::{MemberId, SessionId};
use serde::{Deserialize, Serialize};

/// One thing that happened at a front door.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Inbound {
    pub session: SessionId,
    /// Only people do something here; a message of a channel or of an anonymous admin comes from nobody.
    pub from: Option<Person>,
    /// A conversation with one person, as opposed to a group.
    pub private: bool,
    /// Meant for the bot: a private conversation, a command for it, its name mentioned, a reply to its message, a tap.
    pub addressed: bool,
    pub what: What,
}

/// As the surface names them; who they are to the team says the member's record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Person {
    pub id: MemberId,
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    Text {
        text: String,
        /// The surface's id of the message.
        message: String,
        /// The message that this one answers.
        #[serde(default)]
        replies_to: Option<String>,
        /// Where that message is, if not here: from before this place got its id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replies_in: Option<SessionId>,
        /// The data of a button at that message: a card that was sent right before a crash is known by nothing else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replies_to_button: Option<String>,
    },
    /// A file was sent.
    File {
        /// The surface's id of it, by which it is fetched.
        file: String,
        name: String,
        /// As far as the surface says.
        #[serde(default)]
        bytes: Option<u64>,
        #[serde(default)]
        caption: String,
        /// The surface's id of the message.
        message: String,
    },
    /// A button was pressed.
    Tap {
        /// What a toast answers.
        tap: String,
        data: String,
        /// The message with the button.
        #[serde(default)]
        message: Option<String>,
    },
    /// The bot was let into a group, by `from`.
    Added,
    /// The bot was blocked or removed.
    Removed,
    /// A place got another id: who talked at `from` goes on at `to`. The surface says so itself, whoever caused it.
    Moved { from: SessionId, to: SessionId },
    /// Anything else (a photo, an edit, a kind that this program doesn't know), by its surface's name.
    Other { kind: String },
}

//! What goes out to people: stored as a job before it is sent, sent by the `send` handler through a [`Messenger`].

use domain::{
    card::{Action, Card},
    content::Content,
    id::{ApprovalId, RunId, SessionId},
    rich_text::RichText,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One message or edit, free of any vendor. It is the payload of a `send` job.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Outgoing {
    /// The conversation's place.
    pub to: SessionId,
    pub body: Body,
    /// A name under which the message is found again: `approval:<id>` for an edit, [`QUESTION`] for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Finals, approvals and questions ring; the rest arrives silently.
    #[serde(default)]
    pub rings: bool,
    /// The surface's id of the message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The approval that can't be decided when this message can't be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
}

/// The tag of a question goes on with the id of the run that waits for the answer, and of a tool server's with `:` and its mark.
pub const QUESTION: &str = "question:";

impl Outgoing {
    /// The run that waits for an answer to this message.
    #[must_use]
    pub fn question(&self) -> Option<RunId> {
        let question = self.tag.as_deref()?.strip_prefix(QUESTION)?;
        let (run, _) = question.split_once(':').unwrap_or((question, ""));
        Some(RunId::new(run))
    }
}

impl Body {
    /// A text without buttons.
    #[must_use]
    pub fn text(text: RichText) -> Self {
        let actions = Vec::new();
        Self::Text { text, actions }
    }
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    Text {
        text: RichText,
        /// Rows of buttons below it: places to go on to. Nothing waits for them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        actions: Vec<Vec<Action>>,
    },
    Card {
        card: Card,
    },
    File {
        name: String,
        content: Content,
        caption: String,
    },
    /// Replaces the content of the message with this tag; if it was never sent, it is sent now.
    EditCard {
        tag: String,
        card: Card,
    },
    /// The answer to a tap: a short line at the person's screen. Worth nothing after some seconds, so it is never repeated.
    Toast {
        tap: String,
        text: String,
    },
    /// The bot goes out of a group where nobody of the team is.
    Leave,
}

/// What the sender knows about an earlier message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The surface's id of the message.
    pub message: String,
}

#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum SendError {
    #[error("told to wait {0:?}")]
    RetryAfter(Duration),
    /// The message did not arrive; later it may.
    #[error("not delivered: {0}")]
    NotDelivered(String),
    /// It may or may not have arrived.
    #[error("fate unknown: {0}")]
    Unknown(String),
    /// Blocked, deleted, kicked: no message will ever arrive there.
    #[error("nobody there: {0}")]
    Gone(String),
    #[error("the conversation moved to {0}")]
    Moved(SessionId),
    /// The message to edit is gone.
    #[error("the message to edit is gone")]
    Missing,
    /// Refused for what it is; repeating won't help.
    #[error("refused: {0}")]
    Refused(String),
}

/// A surface's way out. Rendering (entities, buttons) happens here, splitting has happened before.
#[async_trait::async_trait]
pub trait Messenger: Send + Sync {
    /// Sends `message`; for an edit `edits` is the message to change. `again` says that an earlier attempt may have arrived,
    /// which a new message then shows.
    async fn send(
        &self,
        message: &Outgoing,
        edits: Option<&Sent>,
        again: bool,
    ) -> Result<Option<Sent>, SendError>;
}

//! A session: one chat, topic or terminal conversation, with its current agent and its history.

use crate::{
    Micros,
    content::{Content, prefix},
    id::{AgentId, ApprovalId, CallId, MemberId, RunId, SessionId},
};
use serde::{Deserialize, Serialize};

/// Turns that go into the next run's context. Of more than these the older ones give way to a summary; they stay in the journals.
pub const HISTORY_TURNS: usize = 12;

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Session {
    pub id: SessionId,
    /// Who talks to it.
    pub agent: AgentId,
    /// The run that works or waits here; one at a time.
    #[serde(default)]
    pub run: Option<RunId>,
    /// What a person wrote while the run worked; the next run starts with it.
    #[serde(default)]
    pub queued: Vec<Queued>,
    /// Finished turns that no summary stands for, oldest first.
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// Which conversation this is. The first one has the number 1.
    #[serde(default = "first")]
    pub conversation: u32,
    /// How many began here.
    #[serde(default = "first")]
    pub conversations: u32,
    /// The beginning of the conversation's first prompt.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What came before its turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// What the next text is an answer to.
    #[serde(default)]
    pub expects: Option<Expects>,
    /// A directory of the person's own to work in, set from the command line only; else the session gets one.
    #[serde(default)]
    pub workspace: Option<String>,
    pub created_at: Micros,
    pub updated_at: Micros,
}

fn first() -> u32 {
    1
}

impl Session {
    /// The id of the conversation that this is.
    #[must_use]
    pub fn conversation_id(&self) -> String {
        conversation_id(&self.id, self.conversation)
    }

    /// What begins a conversation names it.
    pub fn entitle(&mut self, first: &str) {
        if self.title.is_empty() {
            prefix(first, 80).clone_into(&mut self.title);
        }
    }
}

/// The id of a conversation of a session.
#[must_use]
pub fn conversation_id(session: &SessionId, number: u32) -> String {
    format!("{session}#{number}")
}

/// A prompt that waits for the run before it.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Queued {
    pub by: MemberId,
    pub text: Content,
    /// For another agent than the session's.
    #[serde(default)]
    pub agent: Option<AgentId>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Turn {
    pub run: RunId,
    pub prompt: Content,
    pub answer: Content,
    /// Where content from outside came from that the answer may repeat: who reads the turn is tainted by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taint: Vec<String>,
    /// What people decided about its calls, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<String>,
}

/// What was talked about in a session before another conversation went on there; it can be taken up again.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Conversation {
    /// [`conversation_id`].
    pub id: String,
    pub session: SessionId,
    pub number: u32,
    pub agent: AgentId,
    /// The beginning of its first prompt.
    pub title: String,
    /// A run that goes on though nobody talks to it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    pub turns: Vec<Turn>,
    /// What came before those turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    pub updated_at: Micros,
}

/// The older part of a conversation, in few words.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Summary {
    pub text: String,
    /// How many turns it stands for.
    pub turns: u32,
    /// What people decided in them, a line each, word for word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<String>,
    /// Of those turns, as in [`Turn::taint`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taint: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Expects {
    /// The answer to `ask_person`.
    Answer { run: RunId, call: CallId },
    /// The reason for a denial; anything that is not a reply to that card is a new message.
    Reason { approval: ApprovalId, by: MemberId },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Fields that came later have a value in old records.
    #[test]
    fn an_old_record_is_read() {
        let old = json!({"id": "telegram:5", "agent": "coder", "created_at": 1, "updated_at": 2});
        let session: Session = serde_json::from_value(old).unwrap();
        assert_eq!(
            (session.run, session.expects, session.turns.len()),
            (None, None, 0)
        );
    }

    #[test]
    fn what_a_session_expects_is_read_as_it_was_written() {
        let answer = Expects::Answer {
            run: RunId::new("r"),
            call: CallId::new("c"),
        };
        let reason = Expects::Reason {
            approval: ApprovalId::new("a"),
            by: MemberId::new("m"),
        };
        for expects in [answer, reason] {
            let json = serde_json::to_string(&expects).unwrap();
            assert_eq!(serde_json::from_str::<Expects>(&json).unwrap(), expects);
        }
    }
}

//! How facts become sentences. Handlers answer with facts; the words, the cards and their buttons are made by the presenter
//! (in `bot`), without waiting for anything, so that what will be said is stored in the commit that made it true.

use crate::{message::Outgoing, problem::Problem};
use domain::{
    Digest, MicroUsd, Micros,
    approval::Approval,
    citation::Source,
    content::Content,
    elicitation::Elicitation,
    id::{RunId, SessionId},
    knowledge::Document,
    run::Outcome,
};
use serde_json::Value;
use std::time::Duration;

#[derive(Clone, PartialEq, Debug)]
pub enum Notice {
    /// A call waits for a decision. With the file that hangs on the card when the diff does not fit on it.
    ApprovalAsked { approval: Approval },
    /// What the card shows changed while it waits: it is edited.
    ApprovalChanged { approval: Approval },
    /// Soon it expires. `card` is the surface's id of the message with the card, which is answered.
    ApprovalReminder { approval: Approval, card: String },
    /// A person changed the call, and the rules have spoken about it: the card is edited.
    CallModified { approval: Approval },
    /// A person's change of the call can't be done; the card shows it as it was.
    ChangeRefused { approval: Approval, why: String },
    /// A card that waits was on a surface that could not be heard for a while: it says so in its place.
    ApprovalOutage {
        approval: Approval,
        from: Micros,
        to: Micros,
    },
    /// So many cards of a run wait that were asked for together; `list` is the name of what they showed.
    SeveralAsked {
        run: RunId,
        calls: usize,
        list: Digest,
    },
    /// Somebody decided, or the time did: the card is edited.
    ApprovalSettled { approval: Approval, by: String },
    /// The agent wants to know something; the session's next message is the answer.
    Question {
        run: RunId,
        agent: String,
        text: String,
    },
    /// A tool server wants to know something in the middle of a call; the next message of who asked for the run, a reply to the card, or a
    /// button is the answer. `said` is what the call came to without one.
    Elicited {
        asked: ServerQuestion,
        agent: String,
        tool: String,
        /// A line for each.
        arguments: String,
        said: String,
    },
    /// Nobody waits for that any more: the card is edited.
    ElicitationSettled { asked: ServerQuestion, how: Settled },
    /// The run is over.
    RunEnded {
        run: RunId,
        agent: String,
        outcome: Outcome,
        answer: Option<Content>,
        /// What the answer's numbers stand for.
        cited: Vec<Source>,
        took: Duration,
        cost: MicroUsd,
        steps: u32,
    },
    /// A prompt that waited for the run before it was not begun. `prompt` is the beginning of its first line.
    NotStarted { prompt: String, why: Problem },
    /// A file that somebody added was read, or can't be: its status says which.
    DocumentRead { document: Document },
    /// For the owner: a message, or a card, will never arrive there.
    Undelivered {
        to: SessionId,
        card: bool,
        why: String,
    },
    /// For the owner: a job was set aside (a poisoned update). `what` is what it was about: its serial key or its id.
    SetAside {
        job: String,
        what: String,
        attempts: u32,
        why: String,
    },
    /// For the owner of a team in the cloud: wake-ups of functions that failed again and again.
    DeadLetters { count: u64 },
    /// For the owner: a seal over the audit, to be kept outside the database.
    Sealed {
        number: u64,
        digest: String,
        at: Micros,
    },
}

/// What a tool server asks, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerQuestion {
    pub run: RunId,
    /// [`Elicitation::mark`]: the card and its buttons are this question's.
    pub mark: Digest,
    pub server: String,
    pub question: Elicitation,
}

/// How a tool server's question came out. `by` is a person's name.
#[derive(Clone, PartialEq, Debug)]
pub enum Settled {
    Answered {
        by: String,
        answer: Value,
    },
    Declined {
        by: String,
    },
    /// They went on with something else.
    Left {
        by: String,
    },
    /// The run is over.
    Over,
}

pub trait Presenter: Send + Sync {
    /// The messages that tell it there, in order. `zone` is the reader's IANA time zone.
    fn present(&self, to: &SessionId, notice: &Notice, now: Micros, zone: &str) -> Vec<Outgoing>;
}

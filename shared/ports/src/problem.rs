//! Why what a person asked for can't be done.

use domain::{approval::Refusal, elicitation::Unfit, id::ApprovalId, member::Role};

/// Facts about why not; `bot` has the words.
#[derive(Clone, PartialEq, Debug)]
pub enum Problem {
    NotAllowed {
        needed: Role,
    },
    /// `what`: `agent`, `run`, `approval`, `rule`, `member`.
    NotFound {
        what: &'static str,
        name: String,
    },
    /// Several fit a shortened id.
    Ambiguous {
        what: &'static str,
        name: String,
    },
    /// Approvals that wait with this capability.
    Several {
        name: String,
        ids: Vec<ApprovalId>,
    },
    /// The sentence says what is wrong and what to do.
    Invalid(String),
    TooLarge {
        what: &'static str,
        bytes: u64,
        limit: u64,
    },
    AgentNotActive {
        name: String,
        archived: bool,
    },
    Exists {
        what: &'static str,
        name: String,
    },
    /// `ask` found so many prompts waiting already.
    QueueFull {
        waiting: usize,
    },
    NothingToCancel,
    /// The invite is unknown, used or too old.
    InviteInvalid,
    Decision(Refusal),
    Answer(NoAnswer),
}

/// Why a tool server is not given an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum NoAnswer {
    /// Nobody waits for it any more.
    Gone,
    Unfit(Unfit),
    /// It holds a secret that is kept here.
    HoldsSecret,
    /// It makes the call once more, and the yes to that was several persons' or is too old.
    NeedsYes,
}

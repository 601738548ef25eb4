//! A run is a journal, its state is a fold over it, and [`next`] says what happens next.
//!
//! ```text
//! events ──fold──▶ State ──next──▶ Action ──(the `run` handler performs it)──▶ more events
//! ```
//! The handler appends an event before each effect and one after it. So a process may die anywhere: whoever folds the journal
//! knows what was finished, what was begun, and what nobody can know.

mod call;
mod event;
mod limits;
mod money;
mod next;
mod offer;
mod state;
mod summary;

pub use call::{CallState, Elicited};
pub use event::{Actor, AgentSnapshot, Decided, Entry, Event, ParkedOn, RECALLED, lift};
pub use limits::{Limit, Limits};
pub use money::{BudgetCard, Hold, Moves, Spent};
pub use next::{ASK_PERSON, Action, MAX_REPEATS, Refusal, next};
pub use offer::Offer;
pub use state::{FoldError, Phase, State};
pub use summary::{Decision, EARLIER_TURNS, Past, SUMMARISE, SUMMARY, SUMMARY_BYTES, summary};

use crate::{
    MicroUsd, Micros,
    id::{AgentId, MemberId, RunId, SessionId},
    tokens::Gauge,
};
use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Answered,
    /// The person said no to a call and the agent could not go on without, or stopped the run at a card.
    Denied {
        what: String,
    },
    Cancelled {
        by: MemberId,
    },
    LimitReached {
        limit: Limit,
    },
    /// The sentence is for people: what went wrong and what to do.
    Failed {
        why: String,
    },
}

/// Where a run stands, for lists.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Running,
    Waiting,
    Answered,
    Denied,
    Cancelled,
    LimitReached,
    Failed,
}

impl RunStatus {
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting)
    }
}

impl From<&Outcome> for RunStatus {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answered => Self::Answered,
            Outcome::Denied { .. } => Self::Denied,
            Outcome::Cancelled { .. } => Self::Cancelled,
            Outcome::LimitReached { .. } => Self::LimitReached,
            Outcome::Failed { .. } => Self::Failed,
        }
    }
}

/// The record of a run. The journal is the truth; this is rewritten when the status changes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct RunSummary {
    pub id: RunId,
    pub session: SessionId,
    /// Which conversation of it, as `Session::conversation`; 0 in records from before there were several.
    #[serde(default, skip_serializing_if = "is_none")]
    pub conversation: u32,
    pub agent: AgentId,
    pub agent_name: String,
    pub requester: MemberId,
    /// The beginning of the prompt, at most 120 bytes.
    pub title: String,
    pub status: RunStatus,
    pub started_at: Micros,
    #[serde(default)]
    pub ended_at: Option<Micros>,
    pub steps: u32,
    pub cost: MicroUsd,
    /// The cost by day and model; empty in records of release 0.1 and of runs that cost nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spent: Vec<Spent>,
    /// `provider/model` that answered last.
    #[serde(default)]
    pub model: String,
    /// What a request to that model had, where its bytes were noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gauge: Option<Gauge>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_none(number: &u32) -> bool {
    *number == 0
}

impl RunSummary {
    /// Takes over what the journal says that the run did and what it cost so far.
    pub fn count(&mut self, state: &State) {
        self.steps = state.steps;
        self.cost = state.cost;
        self.spent.clone_from(&state.spent);
        self.model.clone_from(&state.model);
        self.gauge = state.offer.learned();
    }
}

#[cfg(test)]
mod tests;

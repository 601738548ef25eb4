//! The events of a run's journal. Old versions are lifted when they are read; nothing is ever rewritten.

use super::{Limits, Outcome};
use crate::{
    Digest, MicroUsd, Micros, Usage,
    budget::Scope,
    citation::Source,
    content::Content,
    elicitation::Elicitation,
    id::{AgentId, ApprovalId, CallId, CollectionId, MemberId, SessionId},
    message::Message,
    permission::Verdict,
    skill::SkillRef,
    tool::{ToolCall, ToolClass},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version that this program writes.
pub const VERSION: u32 = 1;

/// The `source` of context that was looked up in knowledge for the prompt. It is there once, even if nothing was found.
pub const RECALLED: &str = "knowledge";

/// One line of the journal: `{type, v, at, actor, …}`.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Entry {
    pub v: u32,
    pub at: Micros,
    pub actor: Actor,
    #[serde(flatten)]
    pub event: Event,
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    Member(MemberId),
    Agent(AgentId),
    System,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member(id) => write!(f, "member:{id}"),
            Self::Agent(id) => write!(f, "agent:{id}"),
            Self::System => f.write_str("system"),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.split_once(':') {
            Some(("member", id)) => Self::Member(MemberId::new(id)),
            Some(("agent", id)) => Self::Agent(AgentId::new(id)),
            _ => Self::System,
        })
    }
}

/// What a run needs of its agent, fixed at the start: a later change of the agent does not reach into a run.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct AgentSnapshot {
    pub id: AgentId,
    pub name: String,
    pub version: u64,
    /// `provider/model`, first the one to use, then the fallbacks.
    pub models: Vec<String>,
    pub system_prompt: Content,
    /// What it may look things up in, as far as who asks may read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knowledge: Vec<CollectionId>,
    /// The skills that it can use: what stands of them in the prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillRef>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    Started {
        agent: AgentSnapshot,
        session: SessionId,
        requester: MemberId,
        prompt: Content,
        limits: Limits,
    },
    /// Earlier turns of the session, or knowledge (`source` is [`RECALLED`]): what stands before the prompt.
    ContextAdded {
        source: String,
        messages: Vec<Message>,
        /// It came from outside.
        tainted: bool,
        /// From where, for people; in place of `source`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        taint: Vec<String>,
        /// The numbers under which `messages` show passages.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sources: Vec<Source>,
    },
    /// Before the first model call of a run that has tools of servers: whether all are listed, or looked for when they are needed.
    ToolsOffered {
        tools: u32,
        /// Of all of them, as estimated.
        tokens: u64,
        on_demand: bool,
        /// Of the request that is sent, as far as its tokens depend on them.
        bytes: u64,
    },
    /// Before a model call: what it may cost is spent until the reply says what it did cost.
    ModelAsked {
        model: String,
        reserved: MicroUsd,
        /// The counters of budgets on which it is reserved.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        held: Vec<String>,
        /// Of the request; 0 in journals from before it was noted.
        #[serde(default, skip_serializing_if = "is_none")]
        bytes: u64,
    },
    ModelReplied {
        model: String,
        text: Content,
        calls: Vec<ToolCall>,
        usage: Usage,
        cost: MicroUsd,
        #[serde(default)]
        truncated: bool,
    },
    /// The model that was asked did not answer.
    ModelFailed {
        error: String,
        /// The run goes on with this try of its chain, which may be the next model's first. 0: nobody is left to be asked.
        #[serde(default, skip_serializing_if = "is_zero")]
        again: u32,
        /// What the provider may charge all the same.
        #[serde(default, skip_serializing_if = "is_nothing")]
        cost: MicroUsd,
    },
    /// A model made a summary of a part of what models see. It stands in the place of these messages from here on.
    Summarised {
        model: String,
        /// Positions among the run's messages: from the first that goes to the first that stays.
        from: u32,
        to: u32,
        /// At most 3 KiB.
        text: String,
        /// What people decided in the turns that went, and in those before them: a line each, word for word.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        decided: Vec<String>,
        /// What people decided in this run, and what waits for a decision.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waiting: Vec<String>,
        usage: Usage,
        cost: MicroUsd,
    },
    /// A call was judged. `digest` binds what was judged; it is asked for again when the world changed before it could start.
    CallProposed {
        call: CallId,
        verdict: Verdict,
        class: ToolClass,
        digest: Digest,
    },
    ApprovalAsked {
        call: CallId,
        approval: ApprovalId,
        digest: Digest,
    },
    /// A person changed what the call would do, or the system takes such a change back that can't be done. The call is judged
    /// and asked about again; an approval of what it `was` is worth nothing.
    CallModified {
        call: CallId,
        /// The card, which is edited.
        approval: ApprovalId,
        was: Digest,
        arguments: Value,
    },
    /// The next model call would pass a budget: a card asks for more.
    BudgetAsked {
        scope: Scope,
        approval: ApprovalId,
        digest: Digest,
    },
    ApprovalDecided {
        call: CallId,
        approval: ApprovalId,
        decided: Decided,
    },
    /// Before a call runs. An approval is used up by this.
    CallStarted {
        call: CallId,
        #[serde(default)]
        approval: Option<ApprovalId>,
    },
    CallFinished {
        call: CallId,
        output: Content,
        ok: bool,
        /// The output came from outside and taints the run; the source, for people.
        #[serde(default)]
        taint: Option<String>,
        #[serde(default)]
        artifacts: Vec<String>,
        /// The numbers under which `output` shows passages for the first time.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sources: Vec<Source>,
    },
    /// In the middle of a call its server asked a person something and was told that nobody answers now; the rest is what the call then
    /// came to. The run parks until somebody answers, or takes that as the outcome.
    Elicited {
        call: CallId,
        /// The server's name.
        server: String,
        question: Elicitation,
        output: Content,
        ok: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taint: Option<String>,
    },
    /// A person answered: the call is made once more, and its server is given this where it asks the same.
    ElicitationAnswered {
        call: CallId,
        question: Digest,
        content: Value,
    },
    ChildStarted {
        run: String,
    },
    ChildFinished {
        run: String,
        output: Content,
    },
    Parked {
        on: ParkedOn,
    },
    /// A step begins where another one left off: its process died, or it made a pause. The time between them is nobody's work.
    Resumed,
    CancelAsked {
        by: MemberId,
    },
    Cancelled,
    Finished {
        #[serde(flatten)]
        outcome: Outcome,
        #[serde(default)]
        answer: Option<Content>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_none(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_nothing(amount: &MicroUsd) -> bool {
    *amount == MicroUsd::ZERO
}

/// What a run waits for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ParkedOn {
    Approvals,
    /// More money.
    Budget,
    /// The answer to a question of the agent.
    Person {
        call: CallId,
    },
}

/// How an approval came out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum Decided {
    Approved,
    Denied {
        reason: String,
    },
    Expired {
        seen: bool,
    },
    Undeliverable,
    /// A call of unknown outcome: do it again, take it as happened, stop the run.
    RunAgain,
    Happened,
    Stop,
    /// A budget has so much more now; of a run: this run's.
    Raised {
        amount: MicroUsd,
    },
    /// The budget has room again, without anybody's doing at this card.
    Freed,
}

/// Reads a stored event, whichever version wrote it.
///
/// # Errors
/// A sentence, when the text is no event or of a version that this program does not know.
pub fn lift(text: &str) -> Result<Entry, String> {
    let mut value: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    let version = value.get("v").and_then(Value::as_u64).unwrap_or(1);
    if version > u64::from(VERSION) {
        return Err(format!(
            "written by a newer program (event version {version}, this one knows {VERSION})"
        ));
    }
    if let Some(map) = value.as_object_mut() {
        // There is one version so far; a lift from version N to N+1 goes here, one step each.
        map.insert("v".to_owned(), VERSION.into());
    }
    serde_json::from_value(value).map_err(|e| format!("not an event: {e}"))
}

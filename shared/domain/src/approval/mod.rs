//! An approval: what was shown, bound by a digest to what may run, used once.

use crate::{
    Digest, MicroUsd, Micros,
    budget::Ask,
    id::{AgentId, ApprovalId, CallId, MemberId, RunId, SessionId, short},
    member::Role,
    permission::{Rule, Verdict},
    tool::ToolCall,
};
use serde::{Deserialize, Serialize};

mod votes;

pub use votes::{Named, SentTo, Vote, Voter};

/// Everything that an approval is about. Its digest is what a person signs; at execution the subject is made anew from the world
/// and must have the same digest.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Subject {
    pub tool: String,
    pub arguments: serde_json::Value,
    pub agent: AgentId,
    pub agent_version: u64,
    /// The workspace's directory or identity.
    pub working_directory: String,
    /// What the sandbox lets out and in (tier, limits, network grants).
    pub sandbox: Digest,
    /// The workspace's manifest for a command, the file's content before the change for a file.
    pub before: Digest,
}

impl Subject {
    /// # Errors
    /// When the arguments have no canonical form.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        Digest::of(self)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    Pending,
    Approved,
    Denied,
    Expired,
    ExpiredUnseen,
    /// No message with the card can arrive.
    Undeliverable,
    /// The run ended or the call changed before anybody decided.
    Withdrawn,
}

/// What the card asks.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// May this call run?
    #[default]
    Call,
    /// It was started, and nobody knows whether it happened: run again, take it as happened, or stop.
    Unknown,
    /// The next model call would pass a budget: more money, or stop.
    Budget,
}

/// What a person sees of the call, made when it was asked.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug, Default)]
#[serde(default)]
pub struct Shown {
    /// The command line as parsed, the path, the arguments: what exactly will happen.
    pub what: String,
    /// The command whose output the approval is bound to; [`Shown::diff`] is that output then.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub plan: String,
    /// The word by which the card can be addressed as long as it waits (`deploy`). Never the end of an id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub capability: String,
    /// A unified diff, for a change of a file; the beginning if it is long.
    pub diff: String,
    /// The whole diff or text, when it does not fit on the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<crate::content::Content>,
    /// The model's own words before the call.
    pub why: String,
    pub impact: String,
    pub rollback: String,
    /// Which rule asked, or that none spoke.
    pub because: String,
    /// Where the run's content from outside came from, if it is tainted.
    pub tainted_by: Vec<String>,
}

/// A person changed the call that a card is about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Change {
    /// Their name.
    pub by: String,
    /// Who they are; unknown in records that are older than the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<MemberId>,
    /// What the agent proposed, in the words of [`Shown::what`]; its beginning if it is long.
    pub was: String,
    /// The rules have spoken about the changed call, and the card shows it. Before that nothing can be decided.
    #[serde(default)]
    pub judged: bool,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Approval {
    pub id: ApprovalId,
    pub run: RunId,
    pub session: SessionId,
    pub agent: AgentId,
    pub agent_name: String,
    pub requester: MemberId,
    /// For who sees the card elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub requester_name: String,
    pub call: ToolCall,
    pub question: Question,
    pub digest: Digest,
    pub shown: Shown,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// The call ran once already: its server asked a person something, and a yes makes it once more with the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats: bool,
    /// What [`Question::Budget`] is about; the call is no more than a name then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Ask>,
    /// What `Always` would add; empty when nothing narrow enough can be said.
    #[serde(default)]
    pub always: Vec<Rule>,
    /// Those rules were added with the approval, and nobody has taken them back by its card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standing: bool,
    /// The lowest role that may decide.
    pub approvers: Role,
    /// How many different persons have to approve. From two on, who asked for the run or changed the call is none of them.
    #[serde(default = "votes::one", skip_serializing_if = "votes::is_one")]
    pub persons: u32,
    /// Each yes to what is shown now, the first one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// Where the card was sent besides the session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentTo>,
    /// Of the session and those, where it can't arrive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<SessionId>,
    /// After each such span without a decision one more person is sent the card, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after_s: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<Micros>,
    pub status: ApprovalStatus,
    pub asked_at: Micros,
    pub expires_at: Micros,
    #[serde(default)]
    pub decided_by: Option<MemberId>,
    /// In whose place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_for: Option<Named>,
    #[serde(default)]
    pub decided_at: Option<Micros>,
    #[serde(default)]
    pub reason: String,
}

impl Approval {
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        &self.call.id
    }

    /// What a person writes to decide it, as lists show it: the end of its id, and of a call that was changed `ID.DIGEST`, with which
    /// they decide about what they saw and about nothing later.
    #[must_use]
    pub fn handle(&self) -> String {
        let id = short(self.id.as_str());
        match self.change {
            None => id.to_owned(),
            Some(_) => format!("{id}.{}", self.digest.short()),
        }
    }

    /// Whether a decision is about what the call is now. `shown` is the digest's beginning that it came with; without one it is about
    /// what was asked first.
    #[must_use]
    pub fn stands_for(&self, shown: Option<&str>) -> bool {
        shown.map_or(self.change.is_none(), |shown| shown == self.digest.short())
    }

    /// What [`Choice::Raise`] adds; zero where nothing of the kind is asked.
    #[must_use]
    pub fn raise(&self) -> MicroUsd {
        self.budget
            .as_ref()
            .map_or(MicroUsd::ZERO, |budget| budget.raise)
    }

    /// Whether it took as many persons, of as high a role, as this verdict asks for.
    #[must_use]
    pub fn satisfies(&self, verdict: &Verdict) -> bool {
        let role = verdict.approvers.unwrap_or(Role::Operator);
        self.needed() >= role && self.persons >= verdict.persons.unwrap_or(1)
    }
}

/// What a person decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Approve,
    /// Approve, and add the rules that `Approval::always` shows.
    Always,
    Deny {
        reason: String,
    },
    /// For [`Question::Unknown`]: do it again.
    RunAgain,
    /// For [`Question::Unknown`]: it happened, go on.
    Happened,
    /// Not this call, and stop the run.
    Stop,
    /// For [`Question::Budget`]: as much more as `Ask::raise` says.
    Raise,
}

impl Choice {
    /// Whether it lets something run, or something be taken as done.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        matches!(
            self,
            Self::Approve | Self::Always | Self::RunAgain | Self::Happened | Self::Raise
        )
    }
}

/// Why a decision was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Somebody or the time was first.
    Settled(ApprovalStatus),
    Expired,
    /// The role is below the one that may decide.
    NotAllowed {
        needed: Role,
    },
    /// The button belongs to another version of the card.
    Changed,
    /// `Always` where no narrow rule can be said, a choice that this card doesn't offer.
    NotOffered,
    /// It takes several persons, and who asked for the run is none of them.
    OwnRequest,
    /// It takes several persons, and who wrote what the call says now is none of them.
    OwnChange,
    /// The same person's second yes.
    Voted,
}

/// A [handle](Approval::handle) as the id and the digest's beginning, if it has one.
#[must_use]
pub fn read_handle(written: &str) -> (&str, Option<&str>) {
    match written.split_once('.') {
        Some((id, digest)) => (id, Some(digest)),
        None => (written, None),
    }
}

/// Whether this choice by this person may be taken now. `shown` is the digest's beginning from the button or the handle.
///
/// # Errors
/// Why not.
pub fn check(
    approval: &Approval,
    choice: &Choice,
    who: &Voter,
    shown: Option<&str>,
    now: Micros,
) -> Result<(), Refusal> {
    if !who.may_decide(approval) {
        return Err(Refusal::NotAllowed {
            needed: approval.needed(),
        });
    }
    if approval.status != ApprovalStatus::Pending {
        return Err(Refusal::Settled(approval.status));
    }
    // A store may show a record after its time: expiry is checked on read.
    if now >= approval.expires_at {
        return Err(Refusal::Expired);
    }
    let changing = approval
        .change
        .as_ref()
        .is_some_and(|change| !change.judged);
    if changing || !approval.stands_for(shown) {
        return Err(Refusal::Changed);
    }
    let offered = match (approval.question, choice) {
        (Question::Call, Choice::Approve | Choice::Deny { .. } | Choice::Stop) => true,
        // A standing rule changes what may happen later, so it takes who may configure, themselves.
        (Question::Call, Choice::Always) => {
            !approval.always.is_empty()
                && approval.persons < 2
                && crate::member::may(who.role, crate::member::Deed::Configure)
        }
        (Question::Unknown, Choice::RunAgain | Choice::Happened | Choice::Stop) => true,
        (Question::Budget, Choice::Raise | Choice::Stop) => true,
        _ => false,
    };
    if !offered {
        return Err(Refusal::NotOffered);
    }
    if choice.is_yes() {
        return approval.may_vote(who, *choice == Choice::Happened);
    }
    Ok(())
}

/// Whether a person may change the call of this card now: who may refuse it, as long as it waits. An answer to what a call asked is
/// given to that call and to no other.
///
/// # Errors
/// Why not.
pub fn may_change(
    approval: &Approval,
    who: &Voter,
    shown: Option<&str>,
    now: Micros,
) -> Result<(), Refusal> {
    if approval.repeats {
        return Err(Refusal::NotOffered);
    }
    let reason = String::new();
    check(approval, &Choice::Deny { reason }, who, shown, now)
}

#[cfg(test)]
mod tests;

//! An approval: what was shown, bound by a digest to what may run, used once.

use crate::{
    Digest, Micros,
    id::{AgentId, ApprovalId, CallId, MemberId, RunId, SessionId},
    member::Role,
    permission::Rule,
    tool::ToolCall,
};
use serde::{Deserialize, Serialize};

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
}

/// What a person sees of the call, made when it was asked.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug, Default)]
#[serde(default)]
pub struct Shown {
    /// The command line as parsed, the path, the arguments: what exactly will happen.
    pub what: String,
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

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Approval {
    pub id: ApprovalId,
    pub run: RunId,
    pub session: SessionId,
    pub agent: AgentId,
    pub agent_name: String,
    pub requester: MemberId,
    pub call: ToolCall,
    pub question: Question,
    pub digest: Digest,
    pub shown: Shown,
    /// What `Always` would add; empty when nothing narrow enough can be said.
    #[serde(default)]
    pub always: Vec<Rule>,
    /// The lowest role that may decide.
    pub approvers: Role,
    pub status: ApprovalStatus,
    pub asked_at: Micros,
    pub expires_at: Micros,
    #[serde(default)]
    pub decided_by: Option<MemberId>,
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
    /// For [`Question::Unknown`]: stop the run.
    Stop,
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
}

/// Whether this choice by a person of this role may be taken now. `shown` is the digest's beginning from the button.
///
/// # Errors
/// Why not.
pub fn check(
    approval: &Approval,
    choice: &Choice,
    role: Role,
    shown: Option<&str>,
    now: Micros,
) -> Result<(), Refusal> {
    if !crate::member::may(role, crate::member::Deed::Decide) || role < approval.approvers {
        return Err(Refusal::NotAllowed {
            needed: approval.approvers.max(Role::Operator),
        });
    }
    if approval.status != ApprovalStatus::Pending {
        return Err(Refusal::Settled(approval.status));
    }
    // A store may show a record after its time: expiry is checked on read.
    if now >= approval.expires_at {
        return Err(Refusal::Expired);
    }
    if shown.is_some_and(|shown| shown != approval.digest.short()) {
        return Err(Refusal::Changed);
    }
    let offered = match (approval.question, choice) {
        (Question::Call, Choice::Approve | Choice::Deny { .. }) => true,
        // A standing rule changes what may happen later, so it takes who may configure.
        (Question::Call, Choice::Always) => {
            !approval.always.is_empty() && crate::member::may(role, crate::member::Deed::Configure)
        }
        (Question::Unknown, Choice::RunAgain | Choice::Happened | Choice::Stop) => true,
        _ => false,
    };
    if offered {
        Ok(())
    } else {
        Err(Refusal::NotOffered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn approval(question: Question, approvers: Role) -> Approval {
        let call = ToolCall {
            id: CallId::new("c"),
            name: "run_command".to_owned(),
            arguments: json!({"command": "make"}),
            malformed: None,
        };
        let rule = crate::permission::parse_rule("allow shell_exec make").unwrap();
        Approval {
            id: ApprovalId::new("1"),
            run: RunId::new("2"),
            session: SessionId::new("terminal:x"),
            agent: AgentId::new("a"),
            agent_name: "a".to_owned(),
            requester: MemberId::new("m"),
            call,
            question,
            digest: Digest::of_bytes("x"),
            shown: Shown::default(),
            always: vec![rule.into_rule(crate::id::RuleId::new("r"), None, Micros(0))],
            approvers,
            status: ApprovalStatus::Pending,
            asked_at: Micros(0),
            expires_at: Micros(100),
            decided_by: None,
            decided_at: None,
            reason: String::new(),
        }
    }

    fn choices() -> Vec<Choice> {
        let reason = String::new();
        let deny = Choice::Deny { reason };
        let unknown = [Choice::RunAgain, Choice::Happened, Choice::Stop];
        [
            vec![Choice::Approve, Choice::Always, deny],
            unknown.to_vec(),
        ]
        .concat()
    }

    #[test]
    fn each_question_offers_its_choices_to_those_who_may() {
        let taken = |question, approvers, role| -> Vec<usize> {
            let approval = approval(question, approvers);
            let taken = |choice: &Choice| check(&approval, choice, role, None, Micros(0)).is_ok();
            let choices = choices();
            (0..6).filter(|i| taken(&choices[*i])).collect()
        };
        assert_eq!(
            taken(Question::Call, Role::Operator, Role::Owner),
            [0, 1, 2]
        );
        assert_eq!(
            taken(Question::Call, Role::Operator, Role::Operator),
            [0, 2]
        );
        assert_eq!(
            taken(Question::Unknown, Role::Operator, Role::Operator),
            [3, 4, 5]
        );
        assert_eq!(taken(Question::Call, Role::Owner, Role::Operator), [0; 0]);
        // A rule can't let viewers decide.
        assert_eq!(taken(Question::Call, Role::Viewer, Role::Viewer), [0; 0]);
        assert_eq!(taken(Question::Call, Role::Viewer, Role::Operator), [0, 2]);
    }

    #[test]
    fn it_is_decided_once_in_time_and_as_it_was_shown() {
        let checked = |approval: &Approval, shown, now| {
            check(approval, &Choice::Approve, Role::Owner, shown, Micros(now))
        };
        let mut card = approval(Question::Call, Role::Operator);
        let digest = card.digest.short().to_owned();
        assert_eq!(checked(&card, Some(digest.as_str()), 99), Ok(()));
        assert_eq!(checked(&card, Some("0123"), 99), Err(Refusal::Changed));
        assert_eq!(checked(&card, None, 100), Err(Refusal::Expired));
        card.status = ApprovalStatus::ExpiredUnseen;
        assert_eq!(
            checked(&card, None, 5),
            Err(Refusal::Settled(ApprovalStatus::ExpiredUnseen))
        );
        card = approval(Question::Call, Role::Operator);
        card.always.clear();
        assert_eq!(
            check(&card, &Choice::Always, Role::Owner, None, Micros(0)),
            Err(Refusal::NotOffered)
        );
    }

    #[test]
    fn everything_that_is_bound_changes_the_digest() {
        let subject = || Subject {
            tool: "run_command".to_owned(),
            arguments: json!({"command": "make"}),
            agent: AgentId::new("a"),
            agent_version: 1,
            working_directory: "/w".to_owned(),
            sandbox: Digest::of_bytes("s"),
            before: Digest::of_bytes("b"),
        };
        let changes: [fn(&mut Subject); 7] = [
            |s| s.tool.push('x'),
            |s| s.arguments = json!({"command": "make "}),
            |s| s.agent = AgentId::new("b"),
            |s| s.agent_version = 2,
            |s| s.working_directory.push('/'),
            |s| s.sandbox = Digest::of_bytes(""),
            |s| s.before = Digest::of_bytes(""),
        ];
        let mut digests = vec![subject().digest().unwrap()];
        for change in changes {
            let mut changed = subject();
            change(&mut changed);
            let digest = changed.digest().unwrap();
            assert!(!digests.contains(&digest), "{changed:?}");
            digests.push(digest);
        }
        assert_eq!(subject().digest().unwrap(), digests[0]);
    }
}

//! What is said in a conversation: to strangers, after a tap, about commands and what went wrong with them.

use crate::text::one_line;
use domain::{
    approval::{Approval, ApprovalStatus, Change, Refusal},
    id::{ApprovalId, short},
    member::{Member, Role},
    run::RunStatus,
};
use handlers::{Problem, rules::Undone, tool::create_agent::CREATE_AGENT};

pub const STRANGER: &str = "I work for a team that you are not a member of. Ask its owner for an invitation: they get a link with /invite.";
pub const STRANGERS_GROUP: &str = "I work for a team that nobody here has shown me to be part of, so I leave. A member of the team can add me.";
pub const STRANGERS_TAP: &str = "Only members of the team can decide this.";
pub const JOIN_IN_PRIVATE: &str = "Open that link in a private chat with me.";
pub const INVITE_IN_PRIVATE: &str =
    "An invitation is for one person: ask me for it in a private chat.";
pub const ONLY_TEXT: &str = "I read text, and files with text: .txt, .md, .html, .pdf, source code. Write what you want done.";
pub const EDITED: &str =
    "I go by what was first written: an edit changes nothing. Send it as a new message.";
pub const GROUP: &str = "Hello. Write to me with a command, with my name (@…), or by replying to me; other messages I leave alone. /help says what I can do.";
pub const WRONG_BUTTON: &str = "I don’t know this button.";
pub const DETAILS_SENT: &str = "Sent below.";

#[must_use]
pub fn welcome(member: &Member) -> String {
    format!(
        "Welcome, {}. You are {} here.\n\n{}",
        one_line(&member.name),
        a_role(member.role),
        hint(member.role)
    )
}

/// For `/start` by who is a member already.
#[must_use]
pub fn hello(member: &Member, agent: &str) -> String {
    format!(
        "Hello, {}. You talk to {agent}.\n\n{}",
        one_line(&member.name),
        hint(member.role)
    )
}

fn hint(role: Role) -> &'static str {
    match role {
        Role::Viewer => {
            "You can look at everything: /runs, /approvals, /cost, /audit. /help lists the rest."
        }
        _ => {
            "Write what you want done. What needs your yes comes as a card with buttons. /help lists what else there is."
        }
    }
}

pub(super) fn a_role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "a viewer",
        Role::Operator => "an operator",
        Role::Owner => "an owner",
    }
}

#[must_use]
pub fn unknown_command(name: &str, nearest: Option<&str>) -> String {
    let name = one_line(name);
    match nearest {
        Some(nearest) => {
            format!("There is no /{name}. Did you mean /{nearest}? /help lists all commands.")
        }
        None => format!("There is no /{name}. /help lists all commands."),
    }
}

#[must_use]
pub fn usage(usage: &str) -> String {
    format!("Write it like this: {usage}")
}

#[must_use]
pub fn queued(behind: &str, waiting: usize) -> String {
    format!(
        "Noted. It is number {waiting} behind run {}; /cancel stops that one.",
        short(behind)
    )
}

#[must_use]
pub fn cancelling(run: &str) -> String {
    format!("Run {} is being stopped.", short(run))
}

#[must_use]
pub fn invited(role: Role, how: &str) -> String {
    format!(
        "For one person, to become {}, within 7 days:\n{how}",
        a_role(role)
    )
}

/// After a tap.
#[must_use]
pub fn decided(approval: &Approval, rules: usize) -> String {
    if let Some(ask) = &approval.budget {
        return super::decided_money(approval, ask);
    }
    match (approval.status, rules) {
        (ApprovalStatus::Denied, _) if approval.call.name == CREATE_AGENT => {
            match approval.reason.is_empty() {
                true => "No agent is made.".to_owned(),
                false => "Noted: there will be another draft.".to_owned(),
            }
        }
        (ApprovalStatus::Denied, _) if approval.reason.is_empty() => {
            format!(
                "Denied. Reply to the card to tell {} why.",
                one_line(&approval.agent_name)
            )
        }
        (ApprovalStatus::Denied, _) => "Denied, with your reason.".to_owned(),
        (ApprovalStatus::Pending, _) => super::counted(approval),
        (_, 0) => "Approved.".to_owned(),
        (_, 1) => "Approved, and the rule was added.".to_owned(),
        (_, rules) => format!("Approved, and {rules} rules were added."),
    }
}

/// After the rules of an “Always” were taken back.
#[must_use]
pub fn undone(undone: &Undone) -> String {
    let rules: Vec<String> = undone.rules.iter().map(super::rule).collect();
    match rules.is_empty() {
        true => "There is no rule of that approval (any more).".to_owned(),
        false => format!(
            "Taken back, from now on it is asked again: {}",
            rules.join("; ")
        ),
    }
}

pub const SEE_BELOW: &str = "The message says what came of each.";
pub const REDRAFT_HOW: &str =
    "Reply to this message with what should be different; then there is another draft.";
pub const CHANGE_BELOW: &str = "Reply to my message below.";
pub const CHANGE_NOTED: &str = "Noted. The card will show the changed call; it still needs a yes.";

/// How a call is changed; `field` is what a plain text stands for.
#[must_use]
pub fn change_how(id: &str, field: Option<&str>) -> String {
    let what = match field {
        Some("command") => "the command as it should be",
        Some(_) => "the text as it should be, or all arguments as a JSON object",
        None => "all arguments as a JSON object",
    };
    format!("Reply to this message with {what} (or write /modify {id} and then that). It says now:")
}

/// Of a card whose call a person changed.
#[must_use]
pub fn changed_by(change: &Change) -> String {
    format!("{}; the agent proposed: {}", change.by, change.was)
}

#[must_use]
pub fn change_refused(approval: &Approval, why: &str) -> String {
    format!(
        "The call of approval {} stays as it was: {}",
        short(approval.id.as_str()),
        why.trim()
    )
}

/// What an agent is told when the reason comes after it has gone on.
#[must_use]
pub fn late_reason(approval: &Approval, reason: &str) -> String {
    let what = domain::content::prefix(&approval.shown.what, 200);
    format!(
        "About the call that I denied ({} {}): {reason}",
        approval.call.name,
        one_line(what)
    )
}

#[must_use]
pub fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Settled(status) => match status {
            ApprovalStatus::Pending => "It still waits.".to_owned(),
            ApprovalStatus::Approved => "It was approved before.".to_owned(),
            ApprovalStatus::Denied => "It was denied before.".to_owned(),
            ApprovalStatus::Expired | ApprovalStatus::ExpiredUnseen => {
                "Too late: it has expired and did not run.".to_owned()
            }
            ApprovalStatus::Undeliverable => {
                "It was given up, because the card could not be delivered. It did not run."
                    .to_owned()
            }
            ApprovalStatus::Withdrawn => {
                "It was withdrawn: the run ended or the call changed.".to_owned()
            }
        },
        Refusal::Expired => "Too late: it has expired and did not run.".to_owned(),
        Refusal::NotAllowed { needed } => format!("Only {} can decide this.", a_role(*needed)),
        Refusal::OwnRequest => "You asked for this run, so you are none of those who have to approve it: it takes others. You can deny it.".to_owned(),
        Refusal::OwnChange => "You wrote what this call says now, so you are none of those who have to approve it: it takes others. You can deny it.".to_owned(),
        Refusal::Voted => "Your yes is counted already. Now it takes another person.".to_owned(),
        Refusal::Changed => {
            "This card is out of date: the call has changed. Decide on the card as it is now."
                .to_owned()
        }
        Refusal::NotOffered => {
            "That is not offered here. “Always” takes an owner, and a rule that is narrow enough."
                .to_owned()
        }
    }
}

#[must_use]
pub fn capability(word: &str) -> String {
    format!("{word} (/approve {word})")
}

/// Of a capability that is no name of one card.
#[must_use]
pub fn several_wait(capability: &str, ids: &[ApprovalId]) -> String {
    let ids: Vec<&str> = ids.iter().map(|id| short(id.as_str())).collect();
    format!(
        "Several calls wait as “{}”: {}. Name one by its id.",
        one_line(capability),
        ids.join(", ")
    )
}

#[must_use]
pub fn problem(problem: &Problem) -> String {
    match problem {
        Problem::NotAllowed { needed } => format!("That takes {}.", a_role(*needed)),
        Problem::NotFound { what, name } => format!(
            "There is no {what} “{}”. {}",
            one_line(name),
            where_to_look(what)
        ),
        Problem::Ambiguous { what, name } => format!(
            "Several {what}s end with “{}”: write more of the id.",
            one_line(name)
        ),
        Problem::Several { name, ids } => several_wait(name, ids),
        Problem::Invalid(sentence) => sentence.clone(),
        Problem::TooLarge { what, bytes, limit } => {
            format!(
                "That {what} is too long ({bytes} bytes, {limit} are possible). Put it into a file in the workspace and name the file."
            )
        }
        Problem::AgentNotActive {
            name,
            archived: true,
        } => format!("Agent {name} is archived. /agents lists the others."),
        Problem::AgentNotActive {
            name,
            archived: false,
        } => format!("Agent {name} is paused; /agents resume {name} wakes it."),
        Problem::Exists { what, name } => {
            format!("There is a {what} “{}” already.", one_line(name))
        }
        Problem::QueueFull { waiting } => {
            format!("{waiting} messages wait already. Let the run come to its end, or /cancel it.")
        }
        Problem::NothingToCancel => "Nothing is at work here.".to_owned(),
        Problem::InviteInvalid => {
            "This invitation is unknown, used, or too old. Ask for a new one.".to_owned()
        }
        Problem::Decision(refusal) => refused(refusal),
        Problem::Answer(why) => super::no_answer(why),
    }
}

fn where_to_look(what: &str) -> &'static str {
    match what {
        "agent" => "/agents lists them.",
        "run" => "/runs lists the latest.",
        "approval" => "/approvals lists those that wait.",
        "rule" => "/rules lists them.",
        "skill" => "/skills lists them.",
        "budget" => "/budget lists them.",
        "member" => "/settings lists them.",
        "collection" => "/kb lists them.",
        "conversation" => "/sessions lists them.",
        "passage" => "It was removed, or you can’t read it here.",
        _ => "",
    }
}

#[must_use]
pub fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "⏳",
        RunStatus::Waiting => "✋",
        RunStatus::Answered => "✅",
        RunStatus::Denied | RunStatus::Cancelled => "🛑",
        RunStatus::LimitReached => "⏱",
        RunStatus::Failed => "⚠️",
    }
}

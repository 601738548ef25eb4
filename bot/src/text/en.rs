//! Every English sentence that a person reads, in one place. Functions take facts and answer words; layout is elsewhere.

mod alerts;
mod conversations;
mod documents;
mod elicitation;
mod imports;
mod knowledge;
mod lists;
mod mcp;
mod memory;
mod money;
mod persons;
mod skills;
mod talk;
mod versions;

pub use alerts::*;
pub use conversations::*;
pub use documents::*;
pub use elicitation::*;
pub use imports::*;
pub use knowledge::*;
pub use lists::*;
pub use mcp::*;
pub use memory::*;
pub use money::*;
pub use persons::*;
pub use skills::*;
pub use talk::*;
pub use versions::*;

use domain::{
    MicroUsd,
    approval::{Approval, ApprovalStatus, Question},
    permission::Rule,
    run::{Limit, Outcome},
};
use handlers::tool::create_agent::CREATE_AGENT;

pub const APPROVE: &str = "Approve";
pub const DENY: &str = "Deny";
pub const UNDO: &str = "Undo “Always”";
pub const MODIFY: &str = "Modify";
/// On the card of a draft.
pub const CREATE: &str = "Create";
pub const CHANGE: &str = "Change";
pub const CANCEL: &str = "Cancel";
pub const ALWAYS: &str = "Always";
pub const DETAILS: &str = "Details";
pub const RUN_AGAIN: &str = "Run again";
pub const HAPPENED: &str = "It happened";
pub const STOP: &str = "Stop";

pub const CHANGED_BY: &str = "Changed by";
/// The command whose output the approval is bound to.
pub const PLAN: &str = "Plan";
pub const CAPABILITY: &str = "Capability";
pub const AGENT: &str = "Agent";
pub const TOOL: &str = "Tool";
pub const WHY: &str = "Why (the agent’s own words)";
pub const APPROVAL: &str = "Approval";
pub const DIGEST: &str = "Digest";
pub const IMPACT: &str = "Impact";
pub const ROLLBACK: &str = "Rollback";
pub const BECAUSE: &str = "Because";
pub const TAINTED: &str = "Asked after reading";
pub const EXPIRES: &str = "Expires";
pub const ALWAYS_ADDS: &str = "Always would add";
pub const NO_WORDS: &str = "it gave no reason";
pub const SENT_AGAIN: &str = "(sent again: the first attempt may have arrived)";
pub const EMPTY: &str = "(empty)";

/// The file on a card that holds the whole change.
pub const CHANGE_FILE: &str = "change.diff";
pub const PLAN_FILE: &str = "plan.txt";
/// The files on a card that hold the whole call, by what it is.
pub const COMMAND_FILE: &str = "command.sh";
pub const ARGUMENTS_FILE: &str = "arguments.json";
pub const CALL_FILE: &str = "call.txt";
pub const ANSWER_FILE: &str = "answer.md";

#[must_use]
pub fn card_title(approval: &Approval) -> String {
    let agent = super::one_line(&approval.agent_name);
    // Agents' and tools' names are checked to be short when they are made.
    let tool = approval.call.name.as_str();
    if let Some(ask) = &approval.budget {
        return over_budget(&agent, ask);
    }
    match (approval.question, tool) {
        (Question::Unknown, _) => format!(
            "Did it happen? {agent} was interrupted while using {}",
            super::one_line(tool)
        ),
        (_, "run_command") => format!("{agent} wants to run a command"),
        (_, "write_file") => format!("{agent} wants to write a file"),
        (_, "edit_file") => format!("{agent} wants to change a file"),
        (_, "read_file") => format!("{agent} wants to read a file"),
        (_, "remember") => format!("{agent} wants to remember something"),
        (_, CREATE_AGENT) => format!("{agent} wants to make an agent"),
        (_, other) => format!("{agent} wants to use {}", super::one_line(other)),
    }
}

/// What became of a call before it was asked about.
#[must_use]
pub fn happened_before(approval: &Approval) -> Option<&'static str> {
    let unknown = "The call below was started, and then the program stopped. Nobody knows whether it took effect. \
                   Look at what it would have changed, then say how to go on.";
    let repeats = "The call below ran once already. In the middle of it its server asked a person something, and has an answer now: \
                   a yes makes the call once more with that answer. You are asked because the rules or the tool are not what they were \
                   when it was begun.";
    match approval.question {
        Question::Unknown => Some(unknown),
        _ => approval.repeats.then_some(repeats),
    }
}

#[must_use]
pub fn why(agent: &str, words: &str) -> String {
    format!("Why ({agent}’s own words): {words}")
}

#[must_use]
pub fn expires(at: &str, left: &str) -> String {
    format!("{at} ({left} left)")
}

#[must_use]
pub fn more_lines(lines: usize) -> String {
    format!(
        "… {lines} more {}, in the file",
        if lines == 1 { "line" } else { "lines" }
    )
}

pub const MORE: &str = "\n… the rest is in the file";

#[must_use]
pub fn file_caption(approval: &Approval) -> String {
    format!(
        "The whole of what approval {} is about.",
        domain::id::short(approval.id.as_str())
    )
}

/// How an approval came out. `by` is a name, `at` a time in the reader's zone.
#[must_use]
pub fn settled(approval: &Approval, by: &str, at: &str) -> String {
    let reason = match approval.reason.trim() {
        "" => String::new(),
        reason => format!(" — {}", super::one_line(reason)),
    };
    let by = &signers(approval, by);
    if let Some(ask) = &approval.budget {
        return raised(approval, ask, by, at);
    }
    match approval.status {
        ApprovalStatus::Pending => "⏳ Waiting for a decision".to_owned(),
        ApprovalStatus::Approved => format!("✅ Approved by {by} at {at}{reason}"),
        ApprovalStatus::Denied => format!("❌ Denied by {by} at {at}{reason}"),
        ApprovalStatus::Expired => format!("⌛ Expired at {at}: nobody decided. It did not run."),
        ApprovalStatus::ExpiredUnseen => {
            format!("⌛ Expired at {at} before anybody could see the card. It did not run.")
        }
        ApprovalStatus::Undeliverable => {
            "🚫 The card could not be delivered. It did not run.".to_owned()
        }
        ApprovalStatus::Withdrawn => {
            format!("↩️ Withdrawn at {at}: the run ended or the call changed. It did not run.")
        }
    }
}

/// As `/rules add` takes it: `allow shell_exec “git status *” for agent coder`.
#[must_use]
pub fn rule(rule: &Rule) -> String {
    super::one_line(&rule.to_string())
}

/// How a run ended, where it did not simply answer: what happened and what to do.
#[must_use]
pub fn ended(agent: &str, outcome: &Outcome, steps: u32, cost: MicroUsd) -> Option<String> {
    Some(match outcome {
        Outcome::Answered => return None,
        Outcome::Denied { what } if what == CREATE_AGENT => "🛑 No agent was made.".to_owned(),
        Outcome::Denied { what } => {
            format!(
                "🛑 {agent} stopped: {} was not approved. Tell it what to do instead.",
                super::one_line(what)
            )
        }
        Outcome::Cancelled { .. } => format!(
            "🛑 {agent} was cancelled. What was done so far stays; write to go on from here."
        ),
        Outcome::LimitReached { limit } => {
            let which = match limit {
                Limit::Steps => format!("its limit of steps ({steps} done)"),
                Limit::Tokens => "its limit of tokens".to_owned(),
                Limit::Cost => format!("its budget ({cost} spent by this run)"),
                Limit::Wall => "its limit of working time".to_owned(),
            };
            format!(
                "⏱ {agent} reached {which} and stopped. Write “go on” to start a new run with what it has learned so far."
            )
        }
        Outcome::Failed { why } => format!("⚠️ {agent} could not finish: {}", why.trim()),
    })
}

#[must_use]
pub fn done(agent: &str) -> String {
    format!("{agent} is done. It had nothing to say.")
}

#[must_use]
pub fn asks(agent: &str) -> String {
    format!("❓ {agent} asks:")
}

pub const YOUR_ANSWER: &str = "(Your next message here is the answer.)";

pub const WHOLE_ANSWER: &str = "… the whole answer is in the file.";

#[must_use]
pub fn sealed(number: u64, digest: &str, at: &str) -> String {
    format!(
        "🔏 Audit seal {number}, {at}\n{digest}\nKeep this message: it proves that nothing before it was changed."
    )
}

/// The line that stays where the status message was.
#[must_use]
pub fn worked(agent: &str, steps: u32, took: &str, cost: MicroUsd) -> String {
    let steps = if steps == 1 {
        "1 step".to_owned()
    } else {
        format!("{steps} steps")
    };
    match cost {
        MicroUsd::ZERO => format!("{agent} · {steps} · {took}"),
        cost => format!("{agent} · {steps} · {took} · {cost}"),
    }
}

#[must_use]
pub fn thinking(said: &str) -> String {
    match said {
        "" => "💭 thinking…".to_owned(),
        said => format!("💭 {said}"),
    }
}

#[must_use]
pub fn using(tool: &str, what: &str) -> String {
    format!("🔧 {tool} {what}").trim_end().to_owned()
}

//! What commands show: lists, their hints, lines about runs and deeds.

use crate::text::{one_line, time};
use domain::{
    MicroUsd, Micros,
    agent::{Agent, AgentStatus},
    approval::{ApprovalStatus, Refusal},
    audit::Deed,
    content::prefix,
    id::short,
    member::Role,
    permission::Rule,
    run::{Decided, Event, Outcome, RunSummary},
};
use handlers::{Problem, batch::Came};

pub const HELP: &str = "Write what you want done, and this chat’s agent does it. What is harmless happens; what needs your yes comes as a card. \
     Reply to a card to deny with a reason. Each chat and topic has its own history.";
pub const NO_RUNS: &str = "Nothing has run yet. Write what you want done.";
pub const RUNS_HINT: &str = "/run <id> shows one.";
pub const NO_APPROVALS: &str = "Nothing waits for a decision.";
pub const APPROVALS_HINT: &str = "/approve <id> or /deny <id> [reason], or the card’s buttons.";
pub const SEVERAL_USAGE: &str =
    "Write it like this: /approve all except <id> <id>, or /deny run <run> except <id>";
pub const NO_OWN_APPROVALS: &str =
    "Nothing of that waits for a decision. /approvals lists what waits for others.";
pub const DECIDED_TOGETHER: &str = "Decided together";
pub const APPROVE_ALL: &str = "Approve all";
pub const DENY_ALL: &str = "Deny all";
pub const USE_BUTTONS: &str =
    "Nobody knows whether this call happened: choose on its card whether to run it again or go on.";
pub const NO_RULES: &str = "The team has no rules of its own; each agent has those of its preset.";
pub const RULES_HINT: &str = "An owner can /rules add allow shell_exec git status *, /rules add ask shell_exec git push * by 2 owners within 2h, and \
     /rules remove <id>. Where no rule speaks, I ask.";
pub const NO_AUDIT: &str = "Nothing was done yet.";
pub const BY_AGENT: &str = "By agent";
pub const BY_MODEL: &str = "By model";
pub const BY_MEMBER: &str = "By member";
pub const BY_DAY: &str = "By day (UTC)";
pub const DEFAULT_MODEL: &str = "the default one";
pub const AGENTS_HINT: &str =
    "/agent <name> chooses one for this chat, /agents show <name> tells more.";
pub const NO_SUCH_FIELD: &str = "The fields are name, description, prompt, model, fallbacks, preset, skills, knowledge and metadata: \
     /agents set coder model anthropic/claude-sonnet-4-5";

#[must_use]
pub fn talks_to(agent: &str) -> String {
    format!("This chat talks to {agent}. /agents lists the others.")
}

#[must_use]
pub fn chosen(agent: &Agent) -> String {
    format!(
        "This chat talks to {} now: {}",
        agent.name,
        one_line(&agent.description)
    )
}

#[must_use]
pub fn agent_status(status: AgentStatus) -> &'static str {
    match status {
        AgentStatus::Active => "",
        AgentStatus::Paused => " (paused)",
        AgentStatus::Archived => " (archived)",
    }
}

#[must_use]
pub fn no_object(why: &str) -> String {
    format!("Metadata is a JSON object, such as {{\"team\": \"search\"}}. This is none: {why}.")
}

#[must_use]
pub fn no_such_preset(name: &str, names: &[String]) -> String {
    format!(
        "There is no preset “{}”. There are {}.",
        one_line(name),
        names.join(", ")
    )
}

#[must_use]
pub fn deleted(what: &str, name: &str) -> String {
    format!("The {what} is gone: {}", one_line(name))
}

#[must_use]
pub fn rule_added(rule: &Rule) -> String {
    format!(
        "Rule {} holds from now on: {}",
        short(rule.id.as_str()),
        super::rule(rule)
    )
}

/// Below several cards, or a list of them; with a run's id where they are all of it.
#[must_use]
pub fn several(calls: usize) -> String {
    format!("{calls} calls wait for a decision")
}

#[must_use]
pub fn several_how(run: Option<&str>) -> String {
    match run {
        Some(run) => format!(
            "Each has its card. Together, with exceptions: /approve run {run} except <id> …"
        ),
        None => {
            "What was listed above, as it was listed. With exceptions: /approve all except <id> …"
                .to_owned()
        }
    }
}

/// What came of one of several cards.
#[must_use]
pub fn came(came: &Came) -> String {
    let approval = &came.approval;
    let what = one_line(prefix(&approval.shown.what, 80));
    let how = match (&came.refused, approval.status) {
        (Some(Problem::Decision(Refusal::Changed)), _) => {
            "left out: new or changed since".to_owned()
        }
        (Some(Problem::Decision(Refusal::NotOffered)), _) => "left out: use its card".to_owned(),
        (Some(problem), _) => format!("left out: {}", super::problem(problem)),
        (None, ApprovalStatus::Denied) => "denied".to_owned(),
        (None, ApprovalStatus::Pending) => "noted; it needs one more person".to_owned(),
        (None, _) => "approved".to_owned(),
    };
    format!("{} {what}: {how}", approval.handle())
}

#[must_use]
pub fn left(span: &str) -> String {
    format!("{span} left")
}

#[must_use]
pub fn run_line(run: &RunSummary, now: Micros) -> String {
    let took = time::span(run.ended_at.unwrap_or(now).since(run.started_at));
    let status = super::status(run.status);
    format!(
        "{status} {} {} · {took} · {}",
        short(run.id.as_str()),
        super::worked_on(run),
        one_line(&run.title)
    )
}

#[must_use]
pub fn worked_on(run: &RunSummary) -> String {
    match run.cost {
        MicroUsd::ZERO => run.agent_name.clone(),
        cost => format!("{} · {cost}", run.agent_name),
    }
}

#[must_use]
pub fn earlier(lines: usize) -> String {
    format!("… {lines} earlier")
}

/// A journal's line; `None` for one that says nothing to people.
#[must_use]
pub fn event(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started { .. } | Event::ContextAdded { .. } | Event::ToolsOffered { .. } => {
            return given(event);
        }
        Event::ModelReplied {
            model,
            text,
            calls,
            cost,
            ..
        } => {
            let calls: Vec<String> = calls.iter().map(|call| one_line(&call.name)).collect();
            let said = one_line(prefix(text.head(), 120));
            format!("{model} ({cost}) {said} {}", calls.join(", "))
                .trim()
                .to_owned()
        }
        Event::Summarised { from, to, cost, .. } => {
            format!("summarised {} older messages ({cost})", to - from)
        }
        Event::ModelFailed { error, .. } => format!("no model answered: {}", one_line(error)),
        Event::CallProposed { verdict, .. } => format!("judged: {}", one_line(&verdict.because)),
        Event::ApprovalAsked { approval, .. } => {
            format!("asked for approval {}", short(approval.as_str()))
        }
        Event::CallModified { was, .. } => format!("changed, it was {}", was.short()),
        Event::BudgetAsked {
            scope, approval, ..
        } => {
            let short = short(approval.as_str());
            format!("asked for more money ({scope}), approval {short}")
        }
        Event::ApprovalDecided { decided, .. } => format!("decided: {}", one_line(&how(decided))),
        Event::CallFinished { ok, output, .. } => format!(
            "{} {}",
            if *ok { "done:" } else { "failed:" },
            one_line(prefix(output.head(), 120))
        ),
        Event::Elicited { server, .. } => format!("{} asks a person", one_line(server)),
        Event::ElicitationAnswered { .. } => "answered by a person".to_owned(),
        Event::CancelAsked { by } => format!("{by} asked to stop"),
        Event::Finished { outcome, .. } => match outcome {
            Outcome::Answered => "answered".to_owned(),
            Outcome::Denied { what } => format!("stopped: {} was denied", one_line(what)),
            Outcome::Cancelled { by } => format!("cancelled by {by}"),
            Outcome::LimitReached { limit } => format!("limit reached: {limit:?}").to_lowercase(),
            Outcome::Failed { why } => format!("failed: {}", one_line(why)),
        },
        Event::ModelAsked { .. }
        | Event::CallStarted { .. }
        | Event::ChildStarted { .. }
        | Event::ChildFinished { .. }
        | Event::Parked { .. }
        | Event::Resumed
        | Event::Cancelled => return None,
    })
}

/// What a run begins with.
fn given(event: &Event) -> Option<String> {
    Some(match event {
        Event::Started { agent, prompt, .. } => format!(
            "{} was asked: {}",
            agent.name,
            one_line(prefix(prompt.head(), 200))
        ),
        Event::ContextAdded { source, .. } => format!("with {}", one_line(source)),
        Event::ToolsOffered {
            tools,
            tokens,
            on_demand,
            ..
        } => {
            let how = if *on_demand {
                "to be looked for"
            } else {
                "listed"
            };
            format!("{tools} tools of some {tokens} tokens, {how}")
        }
        _ => return None,
    })
}

fn how(decided: &Decided) -> String {
    match decided {
        Decided::Approved => "approved".to_owned(),
        Decided::Denied { reason } if reason.is_empty() => "denied".to_owned(),
        Decided::Denied { reason } => format!("denied, {reason}"),
        Decided::Expired { seen: true } => "expired".to_owned(),
        Decided::Expired { seen: false } => "expired unseen".to_owned(),
        Decided::Undeliverable => "could not be delivered".to_owned(),
        Decided::RunAgain => "run again".to_owned(),
        Decided::Happened => "taken as happened".to_owned(),
        Decided::Stop => "stopped".to_owned(),
        Decided::Raised { amount } => format!("{amount} more"),
        Decided::Freed => "the budget has room again".to_owned(),
    }
}

#[must_use]
pub fn deed(at: &str, deed: &Deed) -> String {
    let subject = if deed.subject.len() == 32 {
        short(&deed.subject)
    } else {
        &deed.subject
    };
    format!("{at} {} by {}: {subject}", deed.action, deed.actor)
}

#[must_use]
pub fn settings(zone: &str, role: Role, sent_on: &str, members: &str) -> String {
    format!(
        "Your time zone: {zone} (/settings zone Europe/Berlin)\nYour role: {role}\n{sent_on}\n\nMembers:\n{members}"
    )
}

#[must_use]
pub fn no_such_zone(zone: &str) -> String {
    format!(
        "“{}” is not a time zone. Write its IANA name: Europe/Berlin, America/New_York, UTC.",
        one_line(zone)
    )
}

#[must_use]
pub fn zone_set(zone: &str, now: &str) -> String {
    format!("Times are shown in {zone} from now on; it is {now} there.")
}

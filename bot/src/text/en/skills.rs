//! Sentences about skills.

use crate::text::{one_line, time};
use domain::skill::Kind;
use handlers::skills::{Listed, Proposal, Stats};
use ports::shelf::ShelfError;

pub const INSTALL: &str = "Install";
pub const DO_NOT_INSTALL: &str = "Don’t";
pub const CONTENT: &str = "Content";
pub const FROM: &str = "From";
pub const FILES: &str = "Files";
pub const CAN: &str = "What it can do";
pub const FINDINGS: &str = "What was found";
pub const NO_FINDINGS: &str = "Nothing. That proves nothing: read it.";
pub const LICENSE: &str = "License";
pub const USED: &str = "Used";
pub const HAVE_IT: &str = "Agents that have it";
pub const NOT_INSTALLED: &str = "Not installed.";
pub const SKILLS_HINT: &str =
    "/skill enable <name> <agent> gives one to an agent, /skill show <name> tells more.";
pub const ON_THE_SHELF: &str = "To be installed with /skill install <name>:";

#[must_use]
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Prompt => "text",
        Kind::Code => "scripts",
        Kind::Mcp => "servers",
    }
}

#[must_use]
pub fn source(skill: &Listed) -> String {
    match &skill.record {
        None => "built in".to_owned(),
        Some(record) => one_line(&record.current.source),
    }
}

#[must_use]
pub fn install(proposal: &Proposal) -> String {
    match &proposal.former {
        None => format!("Install the skill {}?", proposal.name),
        Some(_) => format!("Install another content of the skill {}?", proposal.name),
    }
}

#[must_use]
pub fn can(proposal: &Proposal) -> String {
    let mut can = "It tells agents that have it how to do things.".to_owned();
    if !proposal.scripts.is_empty() {
        let scripts = proposal.scripts.join(", ");
        can.push_str(&format!(
            " Its scripts ({scripts}) run in the sandbox, without network, on the files of a conversation; the rules ask about each run."
        ));
    }
    if !proposal.servers.is_empty() {
        can.push_str(&format!(
            " It is about tools of the servers {}.",
            proposal.servers.join(", ")
        ));
    }
    can
}

#[must_use]
pub fn how_to_agree(proposal: &Proposal) -> String {
    format!(
        "An owner agrees to exactly this content with /skill install {} {}",
        proposal.name,
        proposal.pin()
    )
}

#[must_use]
pub fn there_already(name: &str) -> String {
    format!("Exactly this content of {name} is installed.")
}

#[must_use]
pub fn installed(name: &str) -> String {
    format!("{name} is installed. /skill enable {name} <agent> gives it to an agent.")
}

#[must_use]
pub fn another_content(name: &str) -> String {
    format!(
        "The content of {name} is another one than on that card: /skill install {name} shows it."
    )
}

/// Where a skill came from that was sent.
#[must_use]
pub fn sent_file(name: &str) -> String {
    format!("the file {}", one_line(name))
}

#[must_use]
pub fn removed(name: &str, had: &[String]) -> String {
    match had {
        [] => format!("{name} is gone."),
        had => format!("{name} is gone. It was taken from {}.", had.join(", ")),
    }
}

#[must_use]
pub fn enabled(name: &str, agent: &str) -> String {
    format!("{agent} has {name} from its next task on.")
}

#[must_use]
pub fn disabled(name: &str, agent: &str) -> String {
    format!("{agent} has {name} no more.")
}

#[must_use]
pub fn shelf(error: &ShelfError) -> String {
    format!("That can’t be installed: {error}.")
}

/// `3 tasks, 2 of them answered, 4 scripts (1 failed), 2 min, $0.12`.
#[must_use]
pub fn stats(stats: &Stats) -> String {
    if stats.runs == 0 {
        return "not yet".to_owned();
    }
    let tasks = if stats.runs == 1 { "task" } else { "tasks" };
    let mut out = format!("{} {tasks}, {} answered", stats.runs, stats.answered);
    if stats.scripts > 0 {
        out.push_str(&format!(
            ", {} scripts ({} failed)",
            stats.scripts, stats.failed
        ));
    }
    out.push_str(&format!(", {}, {}", time::span(stats.time), stats.cost));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::MicroUsd;
    use std::time::Duration;

    #[test]
    fn what_a_skill_was_used_for_is_told_with_time_and_cost() {
        assert_eq!(stats(&Stats::default()), "not yet");
        let used = Stats {
            runs: 3,
            answered: 2,
            scripts: 4,
            failed: 1,
            time: Duration::from_secs(120),
            cost: MicroUsd(120_000),
        };
        assert_eq!(
            stats(&used),
            "3 tasks, 2 answered, 4 scripts (1 failed), 2 min, $0.12"
        );
    }
}

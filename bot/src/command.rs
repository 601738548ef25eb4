//! The commands, a file each. A new one is a file, and a line in [`COMMANDS`].

mod agent;
pub(crate) mod agents;
mod approvals;
mod approve;
mod audit;
mod away;
mod back;
mod budget;
mod cancel;
mod cost;
mod deny;
pub(crate) mod design;
mod help;
mod history;
mod invite;
pub(crate) mod kb;
mod mcp;
pub(crate) mod memory;
pub(crate) mod modify;
mod new;
pub(crate) mod resume;
mod rules;
mod run;
mod runs;
mod search;
mod sessions;
mod settings;
pub(crate) mod several;
pub(crate) mod skill;
mod skills;
mod start;

use crate::{
    inbound::{Inbound, What},
    present,
    telegram::Me,
    text::en,
};
use domain::content::Content;
use domain::{member::Member, rich_text::RichText};
use handlers::{CommandError, Home, knowledge::Reader, receive, tool::Tools};
use ports::{
    Sandbox, SearchIndex, Shelf,
    message::{Body, Outgoing},
    model::Models,
    store::Op,
};

/// In the order in which the menu shows them.
pub static COMMANDS: &[&dyn Command] = &[
    &start::Start,
    &help::Help,
    &new::New,
    &sessions::Sessions,
    &resume::Resume,
    &agents::Agents,
    &agent::Agent,
    &runs::Runs,
    &run::Run,
    &cancel::Cancel,
    &approvals::Approvals,
    &approve::Approve,
    &deny::Deny,
    &modify::Modify,
    &search::Search,
    &kb::Kb,
    &rules::Rules,
    &skills::Skills,
    &skill::Skill,
    &mcp::Mcp,
    &memory::Memory,
    &audit::Audit,
    &cost::Cost,
    &budget::Budget,
    &settings::Settings,
    &away::Away,
    &back::Back,
    &invite::Invite,
];

#[async_trait::async_trait]
pub trait Command: Sync {
    /// Without the slash: 1 to 32 of `a-z 0-9 _`.
    fn name(&self) -> &'static str;

    /// For the menu, at most 256 characters.
    fn description(&self) -> &'static str;

    /// The arguments, `<needed>` and `[not needed]`; empty when there are none.
    fn usage(&self) -> &'static str {
        ""
    }

    /// What it causes and says. A [`handlers::Problem`] becomes a sentence.
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError>;
}

/// Who wrote what, where.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    pub home: &'a Home,
    pub me: Option<&'a Me>,
    pub member: &'a Member,
    pub inbound: &'a Inbound,
    /// Names of the presets of rules that an agent can have.
    pub presets: &'a [String],
    pub tools: &'a Tools,
    pub models: &'a Models,
    pub index: &'a dyn SearchIndex,
    /// Skills that could be installed.
    pub shelf: &'a dyn Shelf,
    /// For looking into them; `None` where there is none.
    pub sandbox: Option<&'a dyn Sandbox>,
    /// What follows the command's name, trimmed.
    pub args: &'a str,
}

impl<'a> Ctx<'a> {
    /// Who wrote, and whether others read along.
    #[must_use]
    pub fn reader(&self) -> Reader<'a> {
        let (member, alone) = (self.member, self.inbound.private);
        Reader { member, alone }
    }

    #[must_use]
    pub fn say(&self, text: &str) -> Reply {
        self.show(&RichText::plain(text))
    }

    #[must_use]
    pub fn show(&self, text: &RichText) -> Reply {
        Reply {
            ops: Vec::new(),
            messages: present::texts(&self.inbound.session, text),
        }
    }

    /// Leaves a command of this person to a process with a sandbox, which answers here when it has done it.
    ///
    /// # Errors
    /// What the stores answer.
    pub async fn leave(&self, command: &str) -> Result<Op, CommandError> {
        let mut inbound = self.inbound.clone();
        if let What::Text { text, .. } = &mut inbound.what {
            command.clone_into(text);
        }
        receive::leave(self.home, &inbound.session, &inbound).await
    }

    /// The first word, and what follows it.
    #[must_use]
    pub fn word(&self) -> (&'a str, &'a str) {
        let (word, rest) = self
            .args
            .split_once(char::is_whitespace)
            .unwrap_or((self.args, ""));
        (word, rest.trim())
    }
}

/// What an update causes: changes and messages, committed together.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub ops: Vec<Op>,
    pub messages: Vec<Outgoing>,
}

impl Reply {
    #[must_use]
    pub fn with(mut self, ops: Vec<Op>) -> Self {
        self.ops.extend(ops);
        self
    }
}

/// For Telegram's menu: name and description.
#[must_use]
pub fn menu() -> Vec<(&'static str, &'static str)> {
    COMMANDS
        .iter()
        .map(|command| (command.name(), command.description()))
        .collect()
}

pub(crate) async fn run(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let name = name.to_lowercase();
    match COMMANDS.iter().find(|command| command.name() == name) {
        Some(command) => command.run(ctx).await,
        None => Ok(ctx.say(&en::unknown_command(&name, nearest(&name)))),
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    let near = COMMANDS
        .iter()
        .map(|command| (distance(name, command.name()), command.name()));
    near.min()
        .filter(|(distance, _)| *distance <= 2.min(name.len() / 2))
        .map(|(_, name)| name)
}

/// Insertions, deletions and replacements between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// A change that is longer than its card shows, as the file that comes with it.
fn full_diff(ctx: &Ctx<'_>, diff: &str, shown: usize) -> Option<Outgoing> {
    let body = Body::File {
        name: en::CHANGE_FILE.to_owned(),
        content: Content::inline(diff),
        caption: String::new(),
    };
    (diff.len() > shown).then(|| present::outgoing(&ctx.inbound.session, body))
}

/// The sentence about how a command is written.
fn usage(ctx: &Ctx<'_>, command: &dyn Command) -> Reply {
    ctx.say(&en::usage(&format!(
        "/{} {}",
        command.name(),
        command.usage()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        let found: Vec<Option<&str>> = ["aproove", "agnets", "hlep", "x", "frobnicate"]
            .map(nearest)
            .to_vec();
        assert_eq!(
            found,
            [Some("approve"), Some("agents"), Some("help"), None, None]
        );
    }

    #[test]
    fn telegram_takes_the_menu() {
        for (name, description) in menu() {
            assert!(
                (1..=32).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            assert!((1..=256).contains(&description.chars().count()), "{name}");
        }
    }
}

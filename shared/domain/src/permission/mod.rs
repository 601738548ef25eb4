//! Who may do what: rules, and the verdict that they give on a call.
//!
//! `deny > ask > allow`, and where no rule speaks the answer is ask. A verdict always says which rule gave it. Nothing here
//! looks at the world: the caller says what a call would touch ([`Access`]), the rules answer ([`Rules`]).

mod judge;
mod matching;
mod narrowest;
mod pattern;
mod terms;
mod text;

#[cfg(test)]
mod tests;

pub use judge::{Rules, Subject};
pub use narrowest::narrowest;
pub use terms::parse_expiry;
pub use text::parse_rule;

use crate::{
    Micros,
    id::{AgentId, MemberId, RuleId},
    member::Role,
};
use serde::{Deserialize, Serialize};

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    FileRead,
    FileWrite,
    ShellExec,
    ApiCall,
    Network,
    Spend,
    Memory,
    SelfChange,
    #[serde(rename = "*")]
    Any,
}

/// Ordered by strength: the strongest that matches wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Allow,
    Ask,
    Deny,
}

/// Which accesses of its resource a rule speaks about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Matcher {
    /// All of the resource.
    Any,
    /// A glob over the path relative to the workspace: `**`, `src/**/*.rs`, `notes.md`.
    Path(String),
    /// A command pattern by words: `ls`, `git status *`. The last word `*` stands for any further words, none included;
    /// `*` within a word for any characters. Without a last `*` the words must match exactly.
    Command(String),
    /// A host name, `*.example.org` for its subdomains.
    Host(String),
    /// A tool's name, `*` within it for any characters.
    Tool(String),
}

/// Whom a rule speaks about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    Team,
    Agent(AgentId),
    /// Runs that this person started.
    Member(MemberId),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Rule {
    pub id: RuleId,
    pub effect: Effect,
    pub resource: Resource,
    #[serde(rename = "match")]
    pub matcher: Matcher,
    #[serde(default)]
    pub scope: Scope,
    /// Command words that take a match away again (`find * ` except `-delete`); for other matchers, path globs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// The lowest role that may approve what this rule asks about; none means operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<Role>,
    /// How long a card made by this rule waits, in seconds; none means 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after_s: Option<u64>,
    /// How many different persons have to approve, other than who asked for the run; none means one, whoever may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persons: Option<u32>,
    /// After how many seconds without a decision one more person is sent the card, again and again; none means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after_s: Option<u64>,
    /// A sentence for people: why the rule is there.
    #[serde(default)]
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<MemberId>,
    #[serde(default)]
    pub created_at: Micros,
}

/// A rule that has not been added yet: what `/rules add`, a preset's file and “Always” make.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct NewRule {
    pub effect: Effect,
    pub resource: Resource,
    #[serde(rename = "match")]
    pub matcher: Matcher,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after_s: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persons: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after_s: Option<u64>,
    #[serde(default)]
    pub note: String,
}

impl NewRule {
    /// The rule under its id; `by` is nobody for a preset's rule.
    #[must_use]
    pub fn into_rule(self, id: RuleId, by: Option<MemberId>, at: Micros) -> Rule {
        Rule {
            id,
            effect: self.effect,
            resource: self.resource,
            matcher: self.matcher,
            scope: self.scope,
            except: self.except,
            approvers: self.approvers,
            expires_after_s: self.expires_after_s,
            persons: self.persons,
            escalate_after_s: self.escalate_after_s,
            note: self.note,
            created_by: by,
            created_at: at,
        }
    }

    /// Why the rule would not do what it seems to say, as a sentence.
    ///
    /// # Errors
    /// The sentence.
    pub fn check(&self) -> Result<(), String> {
        matching::check(self.resource, &self.matcher, &self.except)
    }
}

impl Rule {
    /// Why the rule would not do what it seems to say, as a sentence. An allow rule that fails this allows nothing; an ask
    /// or deny rule that fails it speaks about everything of its resource.
    ///
    /// # Errors
    /// The sentence.
    pub fn check(&self) -> Result<(), String> {
        matching::check(self.resource, &self.matcher, &self.except)
    }
}

/// An agent's own permissions: a preset's name (`read-only`, `development`, `full-access`, `ask-first`) and further rules.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(default)]
pub struct Permissions {
    pub preset: String,
    pub rules: Vec<Rule>,
}

/// One thing that a call would touch. A call touches one or several (a shell line: each command, each redirection).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// A path relative to the workspace, normalised, without `..`.
    FileRead(String),
    FileWrite(String),
    /// The words of one command. `None` is a word whose value is only known when it runs (`$X`, `$(…)`).
    Command(Vec<Option<String>>),
    Host(String),
    /// A tool that is about none of the above.
    Tool(String),
    /// Money beyond the agent's budget: what for.
    Spend(String),
    /// What is remembered beyond the run: the name of the memory.
    Memory(String),
    /// A change of the system itself: the name of what changes.
    SelfChange(String),
    /// Something that could not be understood (an `eval`, a script from a pipe): never allowed by any rule but `*`.
    Opaque(String),
}

/// Commands whose purpose is to bring something out of the workspace or into it; in a sandbox without a network they fail.
const LEAVING: [&str; 16] = [
    "curl", "wget", "ssh", "scp", "sftp", "rsync", "nc", "ncat", "telnet", "ftp", "socat", "mail",
    "sendmail", "gh", "docker", "sudo",
];

impl Access {
    /// Whether its effect may reach beyond the workspace. A run that read content from outside asks for these whatever rules
    /// allow. Other commands stay in the sandbox, which has no network and writes nowhere else.
    #[must_use]
    pub fn leaves_workspace(&self) -> bool {
        match self {
            Self::FileRead(_) => false,
            Self::FileWrite(path) => {
                path.starts_with('/') || path.split('/').any(|part| part == "..")
            }
            Self::Command(words) => {
                let mut words = words.iter().map(|word| word.as_deref().unwrap_or_default());
                let name = words.next().unwrap_or_default();
                let name = name.rsplit('/').next().unwrap_or_default();
                LEAVING.contains(&name)
                    || name == "git" && words.any(|word| matches!(word, "push" | "send-email"))
                    || words.any(|word| word == "publish")
            }
            Self::Host(_)
            | Self::Tool(_)
            | Self::Spend(_)
            | Self::Memory(_)
            | Self::SelfChange(_)
            | Self::Opaque(_) => true,
        }
    }
}

/// What the rules said about a call.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Verdict {
    pub effect: Effect,
    /// The rule that decided; `None` when no rule spoke.
    pub rule: Option<RuleId>,
    /// For people: `rule dev-3: allow shell_exec “git status *”`, `no rule speaks about “curl x”`.
    pub because: String,
    /// The lowest role that may approve, when `effect` is ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after_s: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persons: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_after_s: Option<u64>,
}

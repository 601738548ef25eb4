//! What Countersign brings along: policies (presets of permission rules), agents and skills, as files in this crate.
//!
//! The files are embedded when the program is built. They are written for people: a policy is YAML with a reason for each
//! group of rules, in the words of `/rules add`; an agent is a Markdown file, its text is the system prompt. Adding a file
//! takes one line in [`policy`], [`agent`] or [`skill`](mod@skill).

mod agent;
mod policy;
mod skill;

pub use agent::{AgentTemplate, DESIGNER, agents};
pub use policy::{Preset, policies};
pub use skill::{skill, skills};

/// A file of the catalog that does not say what it should. It can only come from a wrong build; a test reads every file.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("{file}: {problem}")]
    Unreadable { file: &'static str, problem: String },
    #[error("{file}: the rule “{rule}” is wrong: {problem}")]
    Rule {
        file: &'static str,
        rule: String,
        problem: String,
    },
    #[error("{file} extends {name}, which must come before it")]
    Unknown { file: &'static str, name: String },
}

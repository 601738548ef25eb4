//! The tools that an agent can call, one file each. A new one is a file and a line in [`all`].
//!
//! A tool says what a call would touch (for the rules), what a person has to see (for the card) and does it. Nothing here knows
//! about runs, approvals or models.

pub mod arguments;
pub mod create_agent;
mod create_skill;
mod edit_file;
mod files;
mod list_files;
pub mod on_demand;
pub mod person;
mod read_file;
mod recall;
mod remember;
pub(crate) mod run_command;
mod run_skill_script;
mod search_files;
mod search_knowledge;
pub(crate) mod server;
mod use_skill;
mod write_file;

use crate::{CommandError, Home, Problem, knowledge::Library, memory::Whose};
use catalog::Preset;
use domain::{
    Digest,
    approval::Shown,
    citation::Source,
    elicitation::Given,
    id::{AgentId, ApprovalId, MemberId, SessionId},
    permission::Access,
    skill::SkillRef,
    tool::{ToolClass, ToolSpec},
};
use ports::{
    Mcp, Sandbox, Workspace,
    sandbox::{Cancel, SandboxError},
    store::StoreError,
    workspace::WorkspaceError,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Where a call happens, and for whom.
pub struct ToolContext<'a> {
    pub home: &'a Home,
    pub caller: Caller<'a>,
    /// `None` where the process has no workspaces; then only tools that need none are called.
    pub place: Option<Place<'a>>,
    /// What the agent may look things up in, if anything.
    pub library: Option<Library<'a>>,
    pub cancel: Cancel,
    /// All that agents have.
    pub tools: &'a Tools,
    /// The presets of rules that there are.
    pub presets: &'a [Preset],
}

/// Whose call it is.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    pub agent: &'a AgentId,
    /// Who asked for the run.
    pub requester: &'a MemberId,
    pub session: &'a SessionId,
    /// Which conversation of the session.
    pub conversation: u32,
    /// Where content from outside came from that the run has read.
    pub taint: &'a [String],
    /// The skills that the run began with.
    pub skills: &'a [SkillRef],
    /// The card of this call, if there was one.
    pub approval: Option<&'a ApprovalId>,
    /// What people answered to questions in earlier attempts at it.
    pub answers: &'a [Given],
}

impl From<Caller<'_>> for Whose {
    fn from(caller: Caller<'_>) -> Self {
        let conversation = (caller.session, caller.conversation);
        Self::of_run(conversation, caller.agent, caller.requester)
    }
}

/// The files of the session, and where commands run on them.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub workspace: &'a dyn Workspace,
    pub sandbox: &'a dyn Sandbox,
}

impl<'a> ToolContext<'a> {
    fn place(&self) -> Result<Place<'a>, ToolError> {
        self.place.ok_or(ToolError::Nowhere)
    }

    fn workspace(&self) -> Result<&'a dyn Workspace, ToolError> {
        self.place().map(|place| place.workspace)
    }
}

/// What a call gave: text for the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToolOutput {
    pub text: String,
    pub ok: bool,
    /// The text came from outside the conversation: its source, for people (`notes.md`, `ls -la`).
    pub taint: Option<String>,
    /// Passages that the text numbers and the run did not know yet.
    pub sources: Vec<Source>,
}

#[derive(thiserror::Error, Debug)]
pub enum ToolError {
    /// The model's mistake: it is told and may try again.
    #[error("{0}")]
    Arguments(String),
    /// A tool asks for a workspace and has said that it needs none.
    #[error("there is no workspace here")]
    Nowhere,
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The team's state can't be read or changed so; a sentence.
    #[error("{0}")]
    Home(String),
    /// It was not begun, and why; no sentence.
    #[error("Not called: {0}.")]
    NotCalled(String),
    /// It was begun, and nobody knows what came of it: as after a crash in the middle of a call.
    #[error("{0}")]
    Unknown(String),
    /// In the middle of it somebody has to be asked; an answer makes the call once more.
    #[error("its server asks a person something")]
    Asks(Box<server::Asks>),
}

impl From<CommandError> for ToolError {
    fn from(error: CommandError) -> Self {
        Self::Home(match error {
            CommandError::Problem(Problem::Invalid(sentence)) => sentence,
            CommandError::Problem(Problem::Exists { what, name }) => {
                format!("“{name}” is the name of another {what} already")
            }
            CommandError::Problem(Problem::NotFound { what, name }) => {
                format!("there is no {what} “{name}”")
            }
            CommandError::Problem(Problem::NotAllowed { needed }) => {
                format!("that takes a member with the role {needed:?}")
            }
            other => other.to_string(),
        })
    }
}

impl From<StoreError> for ToolError {
    fn from(error: StoreError) -> Self {
        Self::Home(error.to_string())
    }
}

/// What a person is shown, and what of the world the call is bound to.
pub struct Preview {
    pub before: Digest,
    pub shown: Shown,
    /// The whole diff, where `shown.diff` is only its beginning.
    pub attachment: Option<String>,
}

#[async_trait::async_trait]
pub trait Tool: Send + Sync {
    fn spec(&self) -> ToolSpec;

    /// What the call would touch, for the rules. Empty means that it touches nothing and needs no rule (a question to the person).
    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError>;

    /// Only called for what needs a person, and when the rules allow [`Tool::plan`], which it performs.
    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError>;

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError>;

    /// The arguments of a call of this same tool whose output an approval of the call is bound to. The rules have to allow it: it
    /// is made for the card and again before the call starts.
    fn plan(&self, _: &Value) -> Option<Value> {
        None
    }

    /// Whether calls need the session's files or the sandbox, so that only a process that has them can judge and perform them.
    fn needs_workspace(&self) -> bool {
        true
    }

    /// Arguments of typical calls, the first of them the most typical: by them people are shown what an agent could do.
    fn samples(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Whether it is of use only to agents that have knowledge.
    fn needs_knowledge(&self) -> bool {
        false
    }

    /// The server whose tool it is. Such tools need not be listed in a prompt.
    fn server(&self) -> Option<&str> {
        None
    }

    /// The argument that a person's plain text stands for when they change a call.
    fn text_argument(&self) -> Option<&'static str> {
        None
    }

    /// Whether the world already is as the call would leave it. Only asked for what is [`ToolClass::Idempotent`].
    async fn is_done(&self, _: &ToolContext<'_>, _: &Value) -> Result<bool, ToolError> {
        Ok(false)
    }
}

/// Of more tools than these not all names are told.
const FEW_NAMES: usize = 24;
/// Names that are told instead.
const NEAREST: usize = 5;

/// Tools by name: the built-in ones, and where there are servers, an agent's tools of those ([`Tools::of`]).
#[derive(Clone)]
pub struct Tools {
    tools: BTreeMap<String, Arc<dyn Tool>>,
    servers: Option<Arc<dyn Mcp>>,
}

/// The built-in ones.
#[must_use]
pub fn all() -> Tools {
    let tools: Vec<Arc<dyn Tool>> = vec![
        Arc::new(list_files::ListFiles),
        Arc::new(read_file::ReadFile),
        Arc::new(write_file::WriteFile),
        Arc::new(edit_file::EditFile),
        Arc::new(search_files::SearchFiles),
        Arc::new(run_command::RunCommand),
        Arc::new(search_knowledge::SearchKnowledge),
        Arc::new(remember::Remember),
        Arc::new(recall::Recall),
        Arc::new(create_skill::CreateSkill),
        Arc::new(use_skill::UseSkill),
        Arc::new(run_skill_script::RunSkillScript),
        Arc::new(create_agent::CreateAgent),
        Arc::new(person::AskPerson),
        Arc::new(person::Finish),
    ];
    Tools {
        tools: tools
            .into_iter()
            .map(|tool| (tool.spec().name, tool))
            .collect(),
        servers: None,
    }
}

impl Tools {
    /// With a way to servers of further tools.
    #[must_use]
    pub fn with_servers(self, servers: Arc<dyn Mcp>) -> Self {
        Self {
            servers: Some(servers),
            ..self
        }
    }

    #[must_use]
    pub fn servers(&self) -> Option<&dyn Mcp> {
        self.servers.as_deref()
    }

    /// With those of the servers that an agent has, as people agreed to them. None takes a built-in one's name.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn of(&self, home: &Home, agent: &AgentId) -> Result<Self, CommandError> {
        let mut all = self.clone();
        if let Some(servers) = &self.servers {
            for tool in server::of_agent(home, servers, agent).await? {
                let name = tool.name.clone();
                all.tools.entry(name).or_insert_with(|| Arc::new(tool));
            }
        }
        Ok(all)
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.get(name)
    }

    /// Always in the same order, so that a prompt's prefix stays the same. Without `find_tools`, which stands for others.
    #[must_use]
    pub fn specs(&self, with_knowledge: bool) -> Vec<ToolSpec> {
        let fits = |tool: &&Arc<dyn Tool>| with_knowledge || !tool.needs_knowledge();
        let offered = self.tools.values().filter(fits).map(|tool| tool.spec());
        offered
            .filter(|spec| spec.name != on_demand::FIND_TOOLS)
            .collect()
    }

    #[must_use]
    pub fn names(&self) -> String {
        let names = self.tools.keys().map(String::as_str);
        let names: Vec<&str> = names
            .filter(|name| *name != on_demand::FIND_TOOLS)
            .collect();
        names.join(", ")
    }

    /// What to say about a name that no tool has: all names, or of many those that are most like it.
    #[must_use]
    pub fn instead_of(&self, name: &str) -> String {
        if self.tools.len() <= FEW_NAMES {
            return format!("there is no tool “{name}”; there are: {}", self.names());
        }
        let likeness = |known: &str| {
            let (_, bare) = known.split_once("__").unwrap_or(("", known));
            strsim::jaro_winkler(name, known).max(strsim::jaro_winkler(name, bare))
        };
        let mut names: Vec<&str> = self.tools.keys().map(String::as_str).collect();
        names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
        names.truncate(NEAREST);
        let nearest = names.join(", ");
        format!("there is no tool “{name}”; the nearest names are: {nearest}")
    }
}

/// A tool's spec; `properties` are name, JSON type and description, and the first `required` of them must be given.
fn spec(
    name: &str,
    description: &str,
    properties: &[(&str, &str, &str)],
    required: usize,
    class: ToolClass,
) -> ToolSpec {
    let names: Vec<&str> = properties
        .iter()
        .take(required)
        .map(|(name, ..)| *name)
        .collect();
    let properties: serde_json::Map<String, Value> = properties
        .iter()
        .map(|(name, kind, text)| {
            (
                (*name).to_owned(),
                json!({"type": kind, "description": text}),
            )
        })
        .collect();
    let schema = json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false});
    ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        schema,
        class,
        leaves_workspace: false,
    }
}

/// A required text argument.
fn text<'a>(arguments: &'a Value, name: &str) -> Result<&'a str, ToolError> {
    match arguments.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ToolError::Arguments(format!("“{name}” must be a text."))),
        None => Err(ToolError::Arguments(format!("“{name}” is missing."))),
    }
}

/// A call that shows nothing but itself: reads and questions, when a rule asks about them.
fn plain_preview(what: String) -> Preview {
    let shown = Shown {
        what,
        impact: "Reads only.".to_owned(),
        rollback: "Nothing to undo.".to_owned(),
        ..Shown::default()
    };
    Preview {
        before: Digest::of_bytes(""),
        shown,
        attachment: None,
    }
}

#[cfg(test)]
mod tests;

//! Sessions: finding the one of a chat, its conversations, choosing its agent.

mod conversations;
mod moved;

use crate::{CommandError, Draft, Home, Problem, agents};
use domain::{
    agent::{Agent, AgentStatus},
    id::{AgentId, SessionId, short},
    member::{Deed, Member, Role, may},
    session::Session,
};
use ports::repo::{self, settings::Setting};

pub(crate) use conversations::left;
pub use conversations::{Listed, conversations, elsewhere, renew, resume};
pub use moved::{moved, place_of};

/// Name of the setting that holds the id of the agent of new sessions.
pub const DEFAULT_AGENT: &str = "default_agent";

/// Begins the name of a session that a command at the terminal makes for one task.
const OF_COMMAND: &str = "terminal:ask-";

/// A session for one task of a command at the terminal. When the command is gone, nobody opens it again.
#[must_use]
pub fn of_command(home: &Home) -> SessionId {
    SessionId::new(format!("{OF_COMMAND}{}", short(&home.chance.id())))
}

/// Whether [`of_command`] made it. A conversation that a person named `ask-me` is none.
#[must_use]
pub fn is_of_command(id: &SessionId) -> bool {
    let digits = id.as_str().strip_prefix(OF_COMMAND).unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The session with the version it was read at; a new one (without version) for a place where nobody has talked yet. A place
/// that another one became has that one's session, under its old id.
///
/// # Errors
/// What the store answers.
pub async fn get_or_new(
    home: &Home,
    id: &SessionId,
) -> Result<(Session, Option<u64>), CommandError> {
    let id = &moved::session_of(home, id).await?;
    if let Some(stored) = repo::get::<Session>(&*home.store, &home.team, id.as_str()).await? {
        return Ok((stored.value, Some(stored.version)));
    }
    let default = repo::get::<Setting>(&*home.store, &home.team, DEFAULT_AGENT).await?;
    let agent = default
        .and_then(|setting| setting.value.value.as_str().map(AgentId::new))
        .unwrap_or_else(|| AgentId::new("assistant"));
    let now = home.now();
    let session = Session {
        id: id.clone(),
        agent,
        run: None,
        queued: Vec::new(),
        turns: Vec::new(),
        conversation: 1,
        conversations: 1,
        title: String::new(),
        summary: None,
        expects: None,
        workspace: None,
        created_at: now,
        updated_at: now,
    };
    Ok((session, None))
}

/// `/agent NAME`: whom the session talks to from now on.
///
/// # Errors
/// [`Problem`]s: not allowed, no such agent, not active.
pub async fn choose_agent(
    home: &Home,
    member: &Member,
    id: &SessionId,
    name: &str,
) -> Result<Draft<Agent>, CommandError> {
    if !may(member.role, Deed::Run) {
        return Err(Problem::NotAllowed {
            needed: Role::Operator,
        }
        .into());
    }
    let agent = agents::find(home, name).await?.value;
    if agent.status != AgentStatus::Active {
        return Err(Problem::AgentNotActive {
            name: agent.name,
            archived: agent.status == AgentStatus::Archived,
        }
        .into());
    }
    let (mut session, version) = get_or_new(home, id).await?;
    session.agent = agent.id.clone();
    session.updated_at = home.now();
    Ok(Draft::new(
        vec![repo::put(&home.team, &session, version)?],
        agent,
    ))
}

/// The directory that a terminal session works in, instead of one of its own.
///
/// # Errors
/// What the store answers.
pub async fn choose_workspace(
    home: &Home,
    id: &SessionId,
    directory: Option<String>,
) -> Result<Draft<()>, CommandError> {
    let (mut session, version) = get_or_new(home, id).await?;
    session.workspace = directory;
    session.updated_at = home.now();
    Ok(Draft::new(
        vec![repo::put(&home.team, &session, version)?],
        (),
    ))
}

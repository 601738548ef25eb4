//! A session's conversations: another one begins, an earlier one is taken up again. A run that works or waits stays with the one that it was begun
//! in: its cards hold, and what comes of it is there when somebody goes back.

use super::{get_or_new, is_of_command};
use crate::{CommandError, Draft, Home, Problem, ask, queries, versions};
use domain::{
    Micros,
    id::{RunId, SessionId},
    member::{Deed, Member, Role, may},
    run::{Actor, RunStatus, RunSummary},
    session::{Conversation, Expects, Session, conversation_id},
};
use ports::{
    repo::{self, Stored},
    store::{Op, StoreError},
};
use serde::Serialize;

/// Conversations of one session that are listed, the latest ones.
const LATEST: u32 = 30;
/// The team's latest runs, in which it is looked where else a person talks.
const RUNS: u32 = 200;

/// One conversation, for people.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Listed {
    pub session: SessionId,
    pub number: u32,
    /// The beginning of what was said first; empty where nothing was.
    pub title: String,
    /// The agent's name.
    pub agent: String,
    /// The one that goes on there now.
    pub here: bool,
    /// Of its run that is not over.
    pub run: Option<RunStatus>,
    pub updated_at: Micros,
}

/// The present conversation and the earlier ones, the latest first.
///
/// # Errors
/// What the store answers.
pub async fn conversations(home: &Home, place: &SessionId) -> Result<Vec<Listed>, CommandError> {
    let (session, _) = get_or_new(home, place).await?;
    let mut query = repo::by::<Conversation>(&home.team, "by_session", session.id.as_str());
    query.descending = true;
    query.limit = LATEST;
    let (earlier, _) = repo::page::<Conversation>(&*home.store, query).await?;
    let mut listed = vec![listed(home, &present(&session), true).await?];
    for stored in earlier {
        // An index may be behind.
        if stored.value.number != session.conversation {
            listed.push(self::listed(home, &stored.value, false).await?);
        }
    }
    Ok(listed)
}

/// Where this person talked to agents elsewhere, lately: what goes on there, the latest first.
///
/// # Errors
/// What the store answers.
pub async fn elsewhere(
    home: &Home,
    member: &Member,
    here: &SessionId,
) -> Result<Vec<Listed>, CommandError> {
    let (here, _) = get_or_new(home, here).await?;
    let mut places = vec![here.id];
    let mut listed = Vec::new();
    for run in queries::runs(home, None, RUNS).await? {
        let is_known = places.contains(&run.session) || is_of_command(&run.session);
        if run.requester != member.id || is_known {
            continue;
        }
        places.push(run.session.clone());
        let session = repo::get::<Session>(&*home.store, &home.team, run.session.as_str()).await?;
        if let Some(session) = session {
            listed.push(self::listed(home, &present(&session.value), true).await?);
        }
    }
    Ok(listed)
}

async fn listed(
    home: &Home,
    conversation: &Conversation,
    here: bool,
) -> Result<Listed, CommandError> {
    let run = match &conversation.run {
        Some(run) => active(home, run).await?.map(|run| run.status),
        None => None,
    };
    Ok(Listed {
        session: conversation.session.clone(),
        number: conversation.number,
        title: conversation.title.clone(),
        agent: versions::who(home, &Actor::Agent(conversation.agent.clone())).await?,
        here,
        run,
        updated_at: conversation.updated_at,
    })
}

async fn active(home: &Home, run: &RunId) -> Result<Option<RunSummary>, CommandError> {
    let stored = repo::get::<RunSummary>(&*home.store, &home.team, run.as_str()).await?;
    let run = stored.map(|stored| stored.value);
    Ok(run.filter(|run| !run.status.is_over()))
}

/// What a session's conversation is as a record.
fn present(session: &Session) -> Conversation {
    Conversation {
        id: session.conversation_id(),
        session: session.id.clone(),
        number: session.conversation,
        agent: session.agent.clone(),
        title: session.title.clone(),
        run: session.run.clone(),
        turns: session.turns.clone(),
        summary: session.summary.clone(),
        updated_at: session.updated_at,
    }
}

fn has_begun(session: &Session) -> bool {
    session.run.is_some() || session.summary.is_some() || !session.turns.is_empty()
}

/// `/new`: a conversation without history. What waited behind a run is forgotten; the run itself goes on and is told apart by its
/// own messages.
///
/// # Errors
/// [`Problem::NotAllowed`].
pub async fn renew(
    home: &Home,
    member: &Member,
    id: &SessionId,
) -> Result<Draft<Session>, CommandError> {
    may_talk(member)?;
    let (mut session, version) = get_or_new(home, id).await?;
    let begun = has_begun(&session);
    let mut ops = leave(home, member, &mut session).await?;
    if begun {
        session.conversations += 1;
        session.conversation = session.conversations;
    }
    ops.push(repo::put(&home.team, &session, version)?);
    Ok(Draft::new(ops, session))
}

/// `/resume N`: the conversation of that number goes on, with its agent, its history and its run.
///
/// # Errors
/// [`Problem`]s: not allowed, no such conversation.
pub async fn resume(
    home: &Home,
    member: &Member,
    id: &SessionId,
    number: u32,
) -> Result<Draft<Listed>, CommandError> {
    may_talk(member)?;
    let (mut session, version) = get_or_new(home, id).await?;
    if session.conversation == number {
        return Ok(Draft::fact(listed(home, &present(&session), true).await?));
    }
    let key = conversation_id(&session.id, number);
    let Some(found) = repo::get::<Conversation>(&*home.store, &home.team, &key).await? else {
        return Err(Problem::NotFound {
            what: "conversation",
            name: number.to_string(),
        }
        .into());
    };
    let mut ops = leave(home, member, &mut session).await?;
    // What it is from now on stands in the session; its run can't end meanwhile without one of the two commits being undone.
    ops.push(repo::delete(&home.team, &found));
    let found = found.value;
    let run = match &found.run {
        Some(run) => active(home, run).await?.map(|run| run.id),
        None => None,
    };
    session.conversation = number;
    session.agent = found.agent;
    session.title = found.title;
    session.turns = found.turns;
    session.summary = found.summary;
    session.run = run;
    ops.push(repo::put(&home.team, &session, version)?);
    Ok(Draft::new(
        ops,
        listed(home, &present(&session), true).await?,
    ))
}

fn may_talk(member: &Member) -> Result<(), Problem> {
    match may(member.role, Deed::Run) {
        true => Ok(()),
        false => Err(Problem::NotAllowed {
            needed: Role::Operator,
        }),
    }
}

/// Puts the present conversation away, and leaves the session without one.
async fn leave(
    home: &Home,
    member: &Member,
    session: &mut Session,
) -> Result<Vec<Op>, CommandError> {
    let mut ops = Vec::new();
    if let Some(Expects::Answer { run, call }) = session.expects.take() {
        ops = ask::left(home, member, &session.id, (run, call)).await?;
    }
    if has_begun(session) {
        ops.push(repo::create(&home.team, &present(session))?);
    }
    session.turns.clear();
    session.queued.clear();
    session.summary = None;
    session.title.clear();
    session.run = None;
    session.updated_at = home.now();
    Ok(ops)
}

/// The conversation that a run was begun in, where it was left since.
///
/// # Errors
/// What the store answers.
pub(crate) async fn left(
    home: &Home,
    run: &RunSummary,
) -> Result<Option<Stored<Conversation>>, StoreError> {
    let key = conversation_id(&run.session, run.conversation.max(1));
    let stored = repo::get::<Conversation>(&*home.store, &home.team, &key).await?;
    Ok(stored.filter(|stored| stored.value.run.as_ref() == Some(&run.id)))
}

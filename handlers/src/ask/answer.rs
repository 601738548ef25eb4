//! What a person answers to a run that waits for it: to a question of the agent, or of a tool server.

use super::{Asked, checked, elicited, wake};
use crate::{CommandError, Draft, Home, Problem, audit, keep::keep, run, sessions};
use domain::{
    content::Content,
    id::{CallId, RunId, SessionId},
    member::Member,
    run::{Actor, Entry, Event, State},
    session::{Expects, Session},
};
use ports::{repo, store::Op};

/// Words in a session that waits for an answer. `None`: they are about something else. Of a server's question they are the answer of who
/// asked for the run, unless they were `aside`; in a chat of several people others talk too, and answer by a [reply](super::reply) to it.
pub(super) async fn said(
    home: &Home,
    member: &Member,
    found: &(Session, Option<u64>),
    (text, aside): (&str, bool),
) -> Result<Option<Draft<Asked>>, CommandError> {
    let Some(Expects::Answer { run, call }) = &found.0.expects else {
        return Ok(None);
    };
    let done = match elicited::open(home, run, call).await? {
        Some(open) if aside || open.requester != member.id => return Ok(None),
        Some(open) => elicited::say(home, member, found.clone(), (text, open)).await?,
        None => give(home, member, found.clone(), (run, call, text)).await?,
    };
    Ok(Some(done))
}

/// An answer to what this run asks there, whoever asked for it.
///
/// # Errors
/// [`Problem`]s: not allowed, invalid where it asks nothing, [`Problem::Answer`].
pub async fn to_run(
    home: &Home,
    member: &Member,
    (place, run): (&SessionId, &RunId),
    text: &str,
) -> Result<Draft<Asked>, CommandError> {
    let text = checked(member, text)?;
    let found = sessions::get_or_new(home, place).await?;
    let call = match &found.0.expects {
        Some(Expects::Answer { run: asks, call }) if asks == run => call.clone(),
        _ => return Err(Problem::Invalid("This run asked nothing.".to_owned()).into()),
    };
    match elicited::open(home, run, &call).await? {
        Some(open) => elicited::say(home, member, found, (text, open)).await,
        None => give(home, member, found, (run, &call, text)).await,
    }
}

/// To the agent's own question.
async fn give(
    home: &Home,
    member: &Member,
    (mut session, version): (Session, Option<u64>),
    (run, call, text): (&RunId, &CallId, &str),
) -> Result<Draft<Asked>, CommandError> {
    let event = Event::CallFinished {
        call: call.clone(),
        output: keep(&*home.blobs, text.to_owned()).await?,
        ok: true,
        taint: None,
        artifacts: Vec::new(),
        sources: Vec::new(),
    };
    let mut ops = answered(home, Actor::Member(member.id.clone()), run, event).await?;
    session.expects = None;
    session.updated_at = home.now();
    ops.push(repo::put(&home.team, &session, version)?);
    Ok(Draft::new(ops, Asked::Answered { run: run.clone() }))
}

/// Ends the call by which a run waits for a person, or gives it the answer that its server wants, and wakes the run.
///
/// # Errors
/// What the store answers.
pub(crate) async fn answered(
    home: &Home,
    actor: Actor,
    run: &RunId,
    event: Event,
) -> Result<Vec<Op>, CommandError> {
    let Some(deed) = elicited::deed(&actor, &event) else {
        return Ok(Vec::new());
    };
    let entry = Entry {
        v: 1,
        at: home.now(),
        actor,
        event,
    };
    let journal = repo::runs::journal(&home.team, run);
    let mut ops = vec![
        Op::Append {
            at: home.store.head(&journal).await?,
            journal,
            entries: vec![domain::canonical_json(&entry)?],
        },
        wake(home, run)?,
    ];
    ops.extend(audit::append(home, &run::stream(run), vec![deed]).await?);
    Ok(ops)
}

/// The end of a call that waits for an answer which nobody will give, and why not. What was done already is not told as undone.
///
/// # Errors
/// What the store and the blob store answer.
pub(crate) async fn unanswered(
    home: &Home,
    run: &RunId,
    call: CallId,
    why: &str,
) -> Result<Event, CommandError> {
    if let Some(event) = run::as_it_ended(home, &fold(home, run).await?, &call, why).await? {
        return Ok(event);
    }
    let text = format!("Not answered: {why}. Decide yourself, or finish.");
    Ok(Event::CallFinished {
        call,
        output: Content::inline(text),
        ok: false,
        taint: None,
        artifacts: Vec::new(),
        sources: Vec::new(),
    })
}

pub(super) async fn fold(home: &Home, run: &RunId) -> Result<State, CommandError> {
    let state = run::fold(home, run).await;
    Ok(state.map_err(|error| Problem::Invalid(error.to_string()))?)
}

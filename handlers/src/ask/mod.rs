//! A person's words to an agent: they start a run, answer a question of a run, or wait behind the run that works.

mod answer;
mod elicited;

use crate::{
    CommandError, Draft, HandlerError, Home, Problem, audit, budgets,
    keep::{fit, keep, keep_within},
    members,
    memory::{self, Whose},
    sessions, skills,
};
pub use answer::to_run;
pub(crate) use answer::{answered, unanswered};
use domain::{
    agent::{Agent, AgentStatus},
    content::INLINE_LIMIT,
    id::{AgentId, RunId, SessionId},
    member::{Deed, Member, Role, may},
    message::Message,
    run::{
        Actor, AgentSnapshot, EARLIER_TURNS, Entry, Event, Limits, RunStatus, RunSummary, summary,
    },
    session::{Queued, Session},
};
pub use elicited::{Press, press, reply};
pub(crate) use elicited::{left, settled};
use ports::{
    job::{self, RunStep},
    repo::{self, Stored},
    search::SearchError,
    store::Op,
};
use serde_json::json;

/// Bytes of a prompt; more belongs into a file. 128 KiB are about 32,000 tokens.
pub const PROMPT_LIMIT: usize = 128 * 1024;
/// Prompts that may wait behind a run.
const QUEUE_LIMIT: usize = 10;
/// Bytes of a waiting prompt that stay in the session's record.
const QUEUED: usize = 512;

/// What became of the words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    Started {
        run: RunId,
        agent: String,
    },
    /// The run before it has to end first.
    Queued {
        behind: RunId,
        waiting: usize,
    },
    /// They were the answer to the agent's question.
    Answered {
        run: RunId,
    },
}

/// What a person wrote, to the session's agent or to the one that is named.
///
/// # Errors
/// [`Problem`]s: not allowed, too large, no such agent, queue full.
pub async fn ask(
    home: &Home,
    member: &Member,
    session: &SessionId,
    text: &str,
    agent: Option<&AgentId>,
) -> Result<Draft<Asked>, CommandError> {
    let text = checked(member, text)?;
    let found = sessions::get_or_new(home, session).await?;
    if agent.is_none()
        && let Some(answered) = answer::said(home, member, &found, (text, false)).await?
    {
        return Ok(answered);
    }
    begin_or_wait(home, member, found, (text, agent)).await
}

/// The same of words that belong to a card: the agent reads them, and no tool server that asks something is given them.
///
/// # Errors
/// Those of [`ask`].
pub async fn ask_aside(
    home: &Home,
    member: &Member,
    session: &SessionId,
    text: &str,
) -> Result<Draft<Asked>, CommandError> {
    let text = checked(member, text)?;
    let found = sessions::get_or_new(home, session).await?;
    match answer::said(home, member, &found, (text, true)).await? {
        Some(answered) => Ok(answered),
        None => begin_or_wait(home, member, found, (text, None)).await,
    }
}

async fn begin_or_wait(
    home: &Home,
    member: &Member,
    (mut session, version): (Session, Option<u64>),
    (text, agent): (&str, Option<&AgentId>),
) -> Result<Draft<Asked>, CommandError> {
    // Up to ten of them wait in the session's record.
    let limit = if session.run.is_some() {
        QUEUED
    } else {
        INLINE_LIMIT
    };
    let text = keep_within(&*home.blobs, text.to_owned(), limit).await?;
    let queued = Queued {
        by: member.id.clone(),
        text,
        agent: agent.cloned(),
    };
    if let Some(behind) = session.run.clone() {
        let waiting = wait(&mut session, queued)?;
        session.updated_at = home.now();
        let ops = vec![repo::put(&home.team, &session, version)?];
        return Ok(Draft::new(ops, Asked::Queued { behind, waiting }));
    }
    let name = find_active(home, agent.unwrap_or(&session.agent))
        .await?
        .name;
    let mut ops = begin(home, &mut session, queued).await?;
    let Some(run) = session.run.clone() else {
        return Err(Problem::Invalid("The run could not be started.".to_owned()).into());
    };
    ops.push(repo::put(&home.team, &session, version)?);
    Ok(Draft::new(ops, Asked::Started { run, agent: name }))
}

/// The text without white space around it, from who may say it.
fn checked<'a>(member: &Member, text: &'a str) -> Result<&'a str, Problem> {
    if !may(member.role, Deed::Run) {
        let needed = Role::Operator;
        return Err(Problem::NotAllowed { needed });
    }
    let text = text.trim();
    if text.is_empty() {
        let what = "There is nothing to do: write what you want done.";
        return Err(Problem::Invalid(what.to_owned()));
    }
    if text.len() > PROMPT_LIMIT {
        return Err(Problem::TooLarge {
            what: "message",
            bytes: text.len() as u64,
            limit: PROMPT_LIMIT as u64,
        });
    }
    Ok(text)
}

/// Puts a prompt behind those that wait; answers how many they are now.
fn wait(session: &mut Session, queued: Queued) -> Result<usize, Problem> {
    let waiting = session.queued.len();
    if waiting >= QUEUE_LIMIT {
        return Err(Problem::QueueFull { waiting });
    }
    session.queued.push(queued);
    Ok(waiting + 1)
}

/// A job that moves a run on.
///
/// # Errors
/// When the payload has no JSON form.
pub fn wake(home: &Home, run: &RunId) -> Result<Op, serde_json::Error> {
    Ok(Op::Enqueue(job::new_job(
        &home.team,
        home.chance.id(),
        &RunStep {
            run: run.clone(),
            workspace: false,
        },
        home.now(),
    )?))
}

async fn find_active(home: &Home, id: &AgentId) -> Result<Agent, CommandError> {
    let stored = repo::get::<Agent>(&*home.store, &home.team, id.as_str()).await?;
    let Some(Stored { value: agent, .. }) = stored else {
        return Err(Problem::NotFound {
            what: "agent",
            name: id.to_string(),
        }
        .into());
    };
    if agent.status != AgentStatus::Active {
        return Err(Problem::AgentNotActive {
            name: agent.name,
            archived: agent.status == AgentStatus::Archived,
        }
        .into());
    }
    Ok(agent)
}

/// The operations that start a run; `session.run` is set, the caller puts the session. A prompt may have waited for long: who wrote
/// it has to be somebody who may run something now.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn begin(
    home: &Home,
    session: &mut Session,
    queued: Queued,
) -> Result<Vec<Op>, CommandError> {
    let by = members::find(home, &queued.by).await?;
    if !by.is_some_and(|by| may(by.role, Deed::Run)) {
        let needed = Role::Operator;
        return Err(Problem::NotAllowed { needed }.into());
    }
    let agent = find_active(home, queued.agent.as_ref().unwrap_or(&session.agent)).await?;
    let run = RunId::new(home.chance.id());
    let requester = queued.by.clone();
    let summary = RunSummary {
        id: run.clone(),
        session: session.id.clone(),
        conversation: session.conversation,
        agent: agent.id.clone(),
        agent_name: agent.name.clone(),
        requester: requester.clone(),
        title: fit(queued.text.head().lines().next().unwrap_or(""), 120).to_owned(),
        status: RunStatus::Running,
        started_at: home.now(),
        ended_at: None,
        steps: 0,
        cost: domain::MicroUsd::ZERO,
        spent: Vec::new(),
        model: String::new(),
        gauge: None,
    };
    session.entitle(&summary.title);
    let events = opening(home, session, &agent, queued).await?;
    let entry = |event| Entry {
        v: 1,
        at: home.now(),
        actor: Actor::Member(requester.clone()),
        event,
    };
    let entries = events
        .into_iter()
        .map(|event| domain::canonical_json(&entry(event)))
        .collect::<Result<Vec<_>, _>>()?;
    let detail = json!({"agent": agent.id, "version": agent.version, "session": session.id});
    let deed = audit::deed("run.started", Actor::Member(requester), &run, detail);
    let mut ops = vec![
        repo::create(&home.team, &summary)?,
        Op::Append {
            journal: repo::runs::journal(&home.team, &run),
            at: 0,
            entries,
        },
        wake(home, &run)?,
    ];
    ops.extend(audit::append(home, &crate::run::stream(&run), vec![deed]).await?);
    session.run = Some(run);
    session.updated_at = home.now();
    Ok(ops)
}

/// The journal's first entries: the start, and the session's history as context.
async fn opening(
    home: &Home,
    session: &Session,
    agent: &Agent,
    queued: Queued,
) -> Result<Vec<Event>, CommandError> {
    let snapshot = AgentSnapshot {
        id: agent.id.clone(),
        name: agent.name.clone(),
        version: agent.version,
        models: agent.models(),
        system_prompt: keep(&*home.blobs, agent.system_prompt.clone()).await?,
        knowledge: agent.knowledge(),
        skills: skills::of_agent(home, &agent.skills).await?,
    };
    let limits: Limits = match agent.metadata.get("limits") {
        Some(limits) => serde_json::from_value(limits.clone()).unwrap_or_default(),
        None => {
            let mut limits = default_limits(home).await?;
            limits.cost = budgets::of_runs(home).await?.unwrap_or(limits.cost);
            limits
        }
    };
    let conversation = (&session.id, session.conversation);
    let whose = Whose::of_run(conversation, &agent.id, &queued.by);
    let mut events = vec![Event::Started {
        agent: snapshot,
        session: session.id.clone(),
        requester: queued.by,
        prompt: queued.text,
        limits,
    }];
    events.extend(memory::context(home, &whose).await?);
    events.extend(summarised(home, session).await?);
    events.extend(earlier(session));
    Ok(events)
}

/// The session's turns. What an earlier task read from outside may stand in its answer.
fn earlier(session: &Session) -> Option<Event> {
    let mut messages = Vec::new();
    for turn in &session.turns {
        messages.push(Message::User {
            text: turn.prompt.clone(),
        });
        messages.push(Message::Assistant {
            text: turn.answer.clone(),
            calls: Vec::new(),
        });
    }
    let mut taint: Vec<String> = Vec::new();
    for source in session.turns.iter().flat_map(|turn| &turn.taint) {
        if !taint.contains(source) {
            taint.push(source.clone());
        }
    }
    (!messages.is_empty()).then(|| Event::ContextAdded {
        source: EARLIER_TURNS.to_owned(),
        messages,
        tainted: !taint.is_empty(),
        taint,
        sources: Vec::new(),
    })
}

/// What stands for the turns that the session has no more, with the cards that wait now.
async fn summarised(home: &Home, session: &Session) -> Result<Option<Event>, CommandError> {
    let Some(known) = &session.summary else {
        return Ok(None);
    };
    let waiting = crate::run::waiting_in(home, &session.id).await?;
    Ok(Some(Event::ContextAdded {
        source: "a summary".to_owned(),
        messages: vec![summary(&known.text, &known.decided, &waiting)],
        tainted: !known.taint.is_empty(),
        taint: known.taint.clone(),
        sources: Vec::new(),
    }))
}

/// The team's setting `limits`, else the built-in ones.
async fn default_limits(home: &Home) -> Result<Limits, CommandError> {
    let setting = repo::get::<repo::settings::Setting>(&*home.store, &home.team, "limits").await?;
    Ok(setting
        .and_then(|setting| serde_json::from_value(setting.value.value).ok())
        .unwrap_or_default())
}

impl From<CommandError> for HandlerError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Store(error) => error.into(),
            CommandError::Blob(error) => error.into(),
            CommandError::Search(SearchError::Io(error)) => Self::Retry { after: None, error },
            other => Self::Fail(other.to_string()),
        }
    }
}

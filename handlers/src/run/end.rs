//! The end of a run: the answer, the session's history, the cards that nobody needs any more, and the next prompt that waits.

use super::{
    Step,
    approve::messages,
    log::{Log, Tail},
};
use crate::{HandlerError, ask, decide, tool::person};
use domain::{
    approval::{Approval, ApprovalStatus},
    content::{self, Content},
    member::Member,
    message::Message,
    run::{Actor, Event, Outcome, Phase, State},
    session::{HISTORY_TURNS, Session, Turn},
};
use ports::{blob, present::Notice, progress::Doing, repo, repo::Stored, store::Op};

impl Step<'_> {
    pub(super) async fn finish(&mut self, outcome: Outcome) -> Result<bool, HandlerError> {
        if matches!(outcome, Outcome::Cancelled { .. }) && self.state().cancel_asked.is_some() {
            self.log.note(Actor::System, Event::Cancelled)?;
        }
        let answer = match self.answer().await? {
            Some(text) => Some(blob::keep(&*self.ports.home.blobs, text).await?),
            None => None,
        };
        let done = self
            .log
            .commit(
                Some((Actor::System, Event::Finished { outcome, answer })),
                Tail::End,
            )
            .await?;
        if done {
            self.report(Doing::Over);
        }
        Ok(!done)
    }

    /// What the agent said last: the argument of `finish`, else the text of its last reply.
    async fn answer(&self) -> Result<Option<String>, HandlerError> {
        let finish = self
            .state()
            .calls
            .iter()
            .find(|call| call.call.name == person::FINISH);
        if let Some(call) = finish {
            let (_, arguments) = self.arguments(&call.call.id).await?;
            return Ok(arguments
                .get("answer")
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned));
        }
        let last = self
            .state()
            .messages
            .iter()
            .rev()
            .find_map(|message| match message {
                Message::Assistant { text, .. } => Some(text),
                _ => None,
            });
        match last {
            Some(text) => Ok(Some(blob::text(&*self.ports.home.blobs, text).await?)),
            None => Ok(None),
        }
    }
}

/// Everything else that becomes true when a run is over. Made anew for each attempt of the commit, since others change sessions
/// and approvals too.
pub async fn settle(log: &Log<'_>) -> Result<Vec<Op>, HandlerError> {
    let home = log.home();
    let state = &log.state;
    let Phase::Over(outcome) = &state.phase else {
        return Ok(Vec::new());
    };
    let member = repo::get::<Member>(&*home.store, &home.team, state.requester.as_str()).await?;
    let zone = member.map(|member| member.value.zone).unwrap_or_default();
    let notice = Notice::RunEnded {
        run: log.run.clone(),
        agent: state.agent.name.clone(),
        outcome: outcome.clone(),
        answer: readable(home, state).await?,
        took: state.worked(home.now()),
        cost: state.cost,
        steps: state.steps,
    };
    let mut ops = withdraw(log, &zone).await?;
    ops.extend(messages(home, &state.session, &notice, &zone)?);
    ops.extend(free_session(log, outcome).await?);
    Ok(ops)
}

/// The answer, inline: the presenter can't fetch.
async fn readable(home: &crate::Home, state: &State) -> Result<Option<Content>, HandlerError> {
    match &state.answer {
        Some(Content::Stored { bytes, .. }) if *bytes > 200_000 => Ok(state.answer.clone()),
        Some(answer) => Ok(Some(Content::Inline(
            blob::text(&*home.blobs, answer).await?,
        ))),
        None => Ok(None),
    }
}

/// Cards of this run that still wait.
async fn withdraw(log: &Log<'_>, zone: &str) -> Result<Vec<Op>, HandlerError> {
    let home = log.home();
    let mut ops = Vec::new();
    for call in log.state.calls.iter().filter(|call| call.decided.is_none()) {
        let Some((id, _)) = &call.asked else { continue };
        let Some(stored) = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?
        else {
            continue;
        };
        if stored.value.status != ApprovalStatus::Pending {
            continue;
        }
        let mut value = stored.value;
        value.status = ApprovalStatus::Withdrawn;
        value.decided_at = Some(home.now());
        ops.push(repo::update(
            &home.team,
            &Stored {
                value: value.clone(),
                version: stored.version,
            },
        )?);
        ops.extend(messages(
            home,
            &value.session,
            &decide::settled(&value, String::new()),
            zone,
        )?);
    }
    Ok(ops)
}

/// The session takes the turn into its history and goes on with what waits.
async fn free_session(log: &Log<'_>, outcome: &Outcome) -> Result<Vec<Op>, HandlerError> {
    let home = log.home();
    let state = &log.state;
    let Some(stored) =
        repo::get::<Session>(&*home.store, &home.team, state.session.as_str()).await?
    else {
        return Ok(Vec::new());
    };
    let Stored {
        value: mut session,
        version,
    } = stored;
    if session.run.as_ref() != Some(&log.run) {
        return Ok(Vec::new());
    }
    session.run = None;
    session.expects = None;
    session.updated_at = home.now();
    let answer = match (outcome, &state.answer) {
        (Outcome::Answered, Some(answer)) => {
            Content::Inline(content::prefix(answer.head(), 1500).to_owned())
        }
        (outcome, _) => Content::Inline(format!(
            "(this task ended without an answer: {:?})",
            domain::run::RunStatus::from(outcome)
        )),
    };
    let prompt = Content::Inline(content::prefix(state.prompt.head(), 700).to_owned());
    session.turns.push(Turn {
        run: log.run.clone(),
        prompt,
        answer,
    });
    let surplus = session.turns.len().saturating_sub(HISTORY_TURNS);
    session.turns.drain(..surplus);
    let mut ops = Vec::new();
    if !session.queued.is_empty() {
        let queued = session.queued.remove(0);
        match ask::begin(home, &mut session, queued).await {
            Ok(begun) => ops.extend(begun),
            // Its agent is gone meanwhile; the prompt goes with it, and the person is told.
            Err(error) => {
                let text = format!("A message that waited could not be started: {error}");
                ops.extend(messages(home, &session.id, &Notice::Alert { text }, "")?);
            }
        }
    }
    ops.push(repo::update(
        &home.team,
        &Stored {
            value: session,
            version,
        },
    )?);
    Ok(ops)
}

//! The end of a run: the answer, the session's history, the cards that nobody needs any more, and the next prompt that waits.

use super::{
    Step, asked,
    log::{Log, Tail},
    summary::{latest, lines},
};
use crate::{
    CommandError, HandlerError, Home, ask, circulate, decide,
    keep::{fit, keep, keep_within, tell},
    sessions, skills,
    tool::person,
};
use domain::{
    approval::{Approval, ApprovalStatus},
    citation::cited,
    content::Content,
    id::RunId,
    member::Member,
    message::Message,
    run::{Actor, Event, Outcome, Phase, RunStatus, State},
    session::{HISTORY_TURNS, Session, Summary, Turn},
};
use ports::{
    blob,
    present::{Notice, Settled},
    progress::Doing,
    repo,
    repo::Stored,
    store::Op,
};

/// Bytes of a session's turns: the record holds 32 KiB, and prompts that wait want room in it too.
const HISTORY_BYTES: usize = 14 * 1024;
/// Bytes of each of a turn's two texts, and of what of it stands in the record.
const TURN: usize = 16 * 1024;
const TURN_INLINE: usize = 240;
/// Decisions of a turn that are told, the latest.
const DECISIONS: usize = 6;

impl Step<'_> {
    pub(super) async fn finish(&mut self, outcome: Outcome) -> Result<bool, HandlerError> {
        self.log.drop_cards();
        if matches!(outcome, Outcome::Cancelled { .. }) && self.state().cancel_asked.is_some() {
            self.log.note(Actor::System, Event::Cancelled)?;
        }
        let answer = match self.answer().await? {
            Some(text) if !text.trim().is_empty() => {
                Some(keep(&*self.ports.home.blobs, text).await?)
            }
            _ => None,
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

    /// What the agent said last in this run: the argument of `finish`, else the text of its last reply.
    async fn answer(&self) -> Result<Option<String>, HandlerError> {
        let finish = self
            .state()
            .calls
            .iter()
            .find(|call| call.call.name == person::FINISH && call.ok);
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
            // Before its prompt stand the answers of other runs.
            .take_while(|message| !matches!(message, Message::User { .. }))
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
    let answer = readable(home, state).await?;
    let said = answer.as_ref().map_or("", Content::head);
    let notice = Notice::RunEnded {
        run: log.run.clone(),
        agent: state.agent.name.clone(),
        outcome: outcome.clone(),
        cited: cited(said, &state.sources),
        answer,
        took: state.worked(home.now()),
        cost: state.cost,
        steps: state.steps,
    };
    let mut ops = withdraw(log, &zone).await?;
    ops.extend(tell(home, &state.session, &notice, &zone).await?);
    ops.extend(free_session(log, outcome).await?);
    ops.extend(skills::used(home, state, outcome));
    Ok(ops)
}

/// The answer, inline: the presenter can't fetch.
async fn readable(home: &Home, state: &State) -> Result<Option<Content>, HandlerError> {
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
    let open = log.state.calls.iter().filter(|call| call.decided.is_none());
    let of_call = open.filter_map(|call| {
        let card = call.asked.as_ref().map(|(id, _)| id);
        card.or(call.modified.as_ref())
    });
    let of_budget = log.state.budget.iter().map(|card| &card.approval);
    for id in of_call.chain(of_budget) {
        let Some(stored) = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?
        else {
            continue;
        };
        ops.extend(withdraw_one(home, stored, zone).await?);
    }
    ops.extend(withdraw_questions(home, &log.run, &log.state, zone).await?);
    Ok(ops)
}

/// Questions of servers that nobody has answered.
pub(super) async fn withdraw_questions(
    home: &Home,
    run: &RunId,
    state: &State,
    zone: &str,
) -> Result<Vec<Op>, HandlerError> {
    let mut ops = Vec::new();
    for asked in state.calls.iter().filter_map(|call| asked(run, call)) {
        ops.extend(ask::settled(home, &state.session, (asked, Settled::Over), zone).await?);
    }
    Ok(ops)
}

/// A card that nobody needs to decide any more, if nobody has.
pub(super) async fn withdraw_one(
    home: &Home,
    stored: Stored<Approval>,
    zone: &str,
) -> Result<Vec<Op>, HandlerError> {
    let Stored { mut value, version } = stored;
    if value.status != ApprovalStatus::Pending {
        return Ok(Vec::new());
    }
    value.status = ApprovalStatus::Withdrawn;
    value.decided_at = Some(home.now());
    let notice = decide::settled(&value, String::new());
    let session = value.session.clone();
    let again = circulate::again(home, &value)?;
    let mut ops = vec![repo::update(&home.team, &Stored { value, version })?];
    ops.extend(again);
    ops.extend(tell(home, &session, &notice, zone).await?);
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
        return left_behind(log, outcome).await;
    }
    session.run = None;
    session.expects = None;
    session.updated_at = home.now();
    let history = (&mut session.turns, &mut session.summary);
    add_turn(log, outcome, history).await?;
    let mut ops = go_on(home, &mut session).await?;
    let value = session;
    ops.push(repo::update(&home.team, &Stored { value, version })?);
    Ok(ops)
}

/// People talk about something else there by now: the turn goes into the conversation that it belongs to.
async fn left_behind(log: &Log<'_>, outcome: &Outcome) -> Result<Vec<Op>, HandlerError> {
    let home = log.home();
    let Some(mut stored) = sessions::left(home, &log.summary.value).await? else {
        return Ok(Vec::new());
    };
    let conversation = &mut stored.value;
    conversation.run = None;
    conversation.updated_at = home.now();
    let history = (&mut conversation.turns, &mut conversation.summary);
    add_turn(log, outcome, history).await?;
    Ok(vec![repo::update(&home.team, &stored)?])
}

/// Takes the run's turn into the history, and the summary that it made in the place of older ones.
async fn add_turn(
    log: &Log<'_>,
    outcome: &Outcome,
    (turns, summary): (&mut Vec<Turn>, &mut Option<Summary>),
) -> Result<(), HandlerError> {
    if let Some(made) = &log.state.past.summary {
        turns.drain(..(made.turns as usize).min(turns.len()));
        let before = summary.as_ref().map_or(0, |summary| summary.turns);
        *summary = Some(Summary {
            turns: before + made.turns,
            taint: log.state.taint.clone(),
            ..made.clone()
        });
    }
    turns.push(turn(log, outcome).await?);
    // No summary was made in time: what was decided stays all the same.
    while turns.len() > 1
        && (turns.len() > 2 * HISTORY_TURNS || serde_json::to_string(&turns)?.len() > HISTORY_BYTES)
    {
        let gone = turns.remove(0);
        let summary = summary.get_or_insert_with(|| Summary {
            text: "(The oldest turns are not known any more.)".to_owned(),
            turns: 0,
            decided: Vec::new(),
            taint: Vec::new(),
        });
        summary.turns += 1;
        summary.decided.extend(gone.decided);
        summary.decided = latest(std::mem::take(&mut summary.decided));
        summary.taint.extend(gone.taint);
        summary.taint.dedup();
    }
    Ok(())
}

async fn turn(log: &Log<'_>, outcome: &Outcome) -> Result<Turn, HandlerError> {
    let home = log.home();
    let state = &log.state;
    let answer = match (outcome, &state.answer) {
        (Outcome::Answered, Some(answer)) => short(home, answer).await?,
        (Outcome::Answered, None) => Content::inline("(done)"),
        (outcome, _) => {
            let how = RunStatus::from(outcome);
            Content::inline(format!("(this task ended without an answer: {how:?})"))
        }
    };
    let mut decided = lines(home, &state.past.decisions).await?;
    decided.drain(..decided.len().saturating_sub(DECISIONS));
    Ok(Turn {
        run: log.run.clone(),
        prompt: short(home, &state.prompt).await?,
        answer,
        taint: state.taint.clone(),
        decided,
    })
}

/// A text of a turn: its beginning, if it is very long; in the blob store, if it is long.
async fn short(home: &Home, text: &Content) -> Result<Content, HandlerError> {
    let text = blob::text(&*home.blobs, text).await?;
    let text = fit(&text, TURN).to_owned();
    Ok(match keep_within(&*home.blobs, text, TURN_INLINE).await? {
        Content::Stored { blob, bytes, head } => Content::Stored {
            blob,
            bytes,
            head: fit(&head, 80).to_owned(),
        },
        inline => inline,
    })
}

/// Starts the first of the waiting prompts that can be started.
pub(super) async fn go_on(home: &Home, session: &mut Session) -> Result<Vec<Op>, HandlerError> {
    let mut ops = Vec::new();
    while session.run.is_none() && !session.queued.is_empty() {
        let queued = session.queued.remove(0);
        let first = queued.text.head().lines().next().unwrap_or_default();
        let prompt = fit(first, 120).to_owned();
        match ask::begin(home, session, queued).await {
            Ok(begun) => ops.extend(begun),
            // Its agent is gone meanwhile, or who wrote it; the prompt goes with it, and that is told.
            Err(CommandError::Problem(why)) => {
                let notice = Notice::NotStarted { prompt, why };
                ops.extend(tell(home, &session.id, &notice, "").await?);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ops)
}

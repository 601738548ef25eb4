//! A run whose step can't be done: its job is set aside, and here it ends for everybody else. Nobody waits for what never comes, and
//! the session goes on.

use super::end::{go_on, withdraw_one, withdraw_questions};
use crate::{HandlerError, Home, audit, keep::tell};
use domain::{
    approval::Approval,
    canonical_json,
    id::RunId,
    run::{Actor, Entry, Event, Outcome, RunStatus, RunSummary},
    session::Session,
};
use ports::{present::Notice, repo, repo::Stored, store::Op};
use serde_json::json;

/// The operations that end the run as failed. What it cost is what its journal says, unless that is what is broken. None if the run
/// is over.
///
/// # Errors
/// What the store answers.
pub async fn abandon(home: &Home, run: &RunId, why: &str) -> Result<Vec<Op>, HandlerError> {
    let stored = repo::get::<RunSummary>(&*home.store, &home.team, run.as_str()).await?;
    let Some(mut stored) = stored.filter(|stored| !stored.value.status.is_over()) else {
        return Ok(Vec::new());
    };
    let questions = match super::fold(home, run).await {
        Ok(state) => {
            stored.value.count(&state);
            withdraw_questions(home, run, &state, "").await?
        }
        Err(HandlerError::Fail(error)) => {
            tracing::warn!(%run, error, "its last costs are not known");
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    stored.value.status = RunStatus::Failed;
    stored.value.ended_at = Some(home.now());
    let outcome = Outcome::Failed {
        why: format!("the work could not go on: {why}"),
    };
    let journal = repo::runs::journal(&home.team, run);
    let entry = Entry {
        v: 1,
        at: home.now(),
        actor: Actor::System,
        event: Event::Finished {
            outcome: outcome.clone(),
            answer: None,
        },
    };
    let mut ops = vec![
        repo::update(&home.team, &stored)?,
        Op::Append {
            at: home.store.head(&journal).await?,
            journal,
            entries: vec![canonical_json(&entry)?],
        },
    ];
    let deeds = vec![audit::deed("run.abandoned", Actor::System, run, json!({}))];
    ops.extend(audit::append(home, &super::stream(run), deeds).await?);
    let notice = Notice::RunEnded {
        run: run.clone(),
        agent: stored.value.agent_name,
        outcome,
        answer: None,
        cited: Vec::new(),
        took: home.now().since(stored.value.started_at),
        cost: stored.value.cost,
        steps: stored.value.steps,
    };
    let session = stored.value.session;
    ops.extend(tell(home, &session, &notice, "").await?);
    ops.extend(withdraw_cards(home, run).await?);
    ops.extend(questions);
    ops.extend(free(home, &session, run).await?);
    Ok(ops)
}

async fn withdraw_cards(home: &Home, run: &RunId) -> Result<Vec<Op>, HandlerError> {
    let mut ops = Vec::new();
    let asked = repo::by::<Approval>(&home.team, "by_run", run.as_str());
    for approval in repo::collect::<Approval>(&*home.store, asked).await? {
        ops.extend(withdraw_one(home, approval, "").await?);
    }
    Ok(ops)
}

async fn free(
    home: &Home,
    session: &domain::id::SessionId,
    run: &RunId,
) -> Result<Vec<Op>, HandlerError> {
    let stored = repo::get::<Session>(&*home.store, &home.team, session.as_str()).await?;
    let Some(Stored { mut value, version }) =
        stored.filter(|stored| stored.value.run.as_ref() == Some(run))
    else {
        return Ok(Vec::new());
    };
    value.run = None;
    value.expects = None;
    value.updated_at = home.now();
    let mut ops = go_on(home, &mut value).await?;
    ops.push(repo::update(&home.team, &Stored { value, version })?);
    Ok(ops)
}

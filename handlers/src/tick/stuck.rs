//! Runs that work, as their record says, and for which there is no work: their job was set aside alone, or is gone. They get another
//! step; where that one can't be done either, they are over.

use crate::{HandlerError, Home, draft, run};
use domain::{
    id::{JobId, RunId},
    run::{RunStatus, RunSummary, lift},
};
use ports::{
    job::{self, RunStep},
    repo,
    store::{Op, StoreError},
};
use std::time::Duration;

/// As long as nothing was written to its journal, a run may be in the middle of a call. One step too many does nothing.
const STILL: Duration = Duration::from_secs(30 * 60);

/// # Errors
/// What the store answers.
pub(super) async fn revive(home: &Home) -> Result<(), HandlerError> {
    let working = repo::by::<RunSummary>(&home.team, "by_status", "running");
    for stored in repo::collect::<RunSummary>(&*home.store, working).await? {
        let run = stored.value.id;
        let working = stored.value.status == RunStatus::Running;
        if working && let Err(error) = look(home, &run).await {
            tracing::warn!(%run, %error, "a run that may be stuck could not be looked at");
        }
    }
    Ok(())
}

async fn look(home: &Home, run: &RunId) -> Result<(), HandlerError> {
    // Its name is what keeps it the only one.
    let id = format!("stuck:{run}");
    let ops = match home.store.job(&JobId::new(id.clone())).await? {
        Some(job) if job.set_aside => {
            run::abandon(home, run, &job.last_error.unwrap_or_default()).await?
        }
        None if is_still(home, run).await? => {
            tracing::warn!(%run, "nobody worked on this run for long: it gets another step");
            let work = RunStep {
                run: run.clone(),
                workspace: false,
            };
            let job = job::new_job(&home.team, id, &work, home.now())?;
            vec![Op::Enqueue(job)]
        }
        _ => return Ok(()),
    };
    Ok(draft::commit(home, ops).await?)
}

async fn is_still(home: &Home, run: &RunId) -> Result<bool, StoreError> {
    let journal = repo::runs::journal(&home.team, run);
    let last = home.store.head(&journal).await?.saturating_sub(1);
    let lines = home.store.read(&journal, last, 1).await?;
    let at = lines.last().and_then(|line| lift(line).ok());
    // A line that can't be read is where nobody gets on.
    Ok(at.is_none_or(|entry| home.now().since(entry.at) > STILL))
}

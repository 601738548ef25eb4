//! The owner hears of what nobody tries again; whoever waits for it hears what came of it.

use crate::worker::Alert;
use bot::{conversation, telegram::Me};
use domain::id::SessionId;
use handlers::{HandlerError, Home, ingest, members, run};
use ports::{
    job::{Ingest, Received, RunStep, Work},
    message::Outgoing,
    present::Notice,
    store::{Job, Op},
};
use std::sync::{Arc, OnceLock};

/// The owner hears of a job that is set aside, if there is a chat where that is possible.
#[must_use]
pub fn alert(home: Home, me: Arc<OnceLock<Me>>) -> Alert {
    Arc::new(move |job, error| {
        let (home, me) = (home.clone(), me.clone());
        Box::pin(async move {
            let mut ops = alert_ops(&home, &job, &error).await.unwrap_or_default();
            // A run whose step is set aside would be waited for for ever.
            if let Ok(RunStep { run, .. }) = serde_json::from_str(&job.payload)
                && job.name == RunStep::NAME
            {
                // Where that fails, the tick does it.
                match run::abandon(&home, &run, &error).await {
                    Ok(abandoned) => ops.extend(abandoned),
                    Err(error) => tracing::warn!(%run, %error, "a run could not be given up"),
                }
            }
            // Nor does a document stay unread for ever without saying so.
            if let Ok(Ingest::Read(work)) = serde_json::from_str(&job.payload)
                && job.name == Ingest::NAME
            {
                let why = format!("it was tried several times in vain ({error}): add it again.");
                match ingest::give_up(&home, &work, &why).await {
                    Ok(given_up) => ops.extend(given_up),
                    Err(error) => tracing::warn!(%error, "a document could not be given up"),
                }
            }
            // Nor does somebody wait for a file to be taken in.
            if let Ok(received) = serde_json::from_str::<Received>(&job.payload)
                && job.name == Received::NAME
            {
                match conversation::given_up(&home, me.get(), &received).await {
                    Ok(told) => ops.extend(told),
                    Err(error) => tracing::warn!(%error, "nobody was told of a lost update"),
                }
            }
            ops
        })
    })
}

async fn alert_ops(home: &Home, job: &Job, error: &str) -> Result<Vec<Op>, HandlerError> {
    // A message about a message that can't be sent would go the same way.
    let owner = match members::owner(home).await? {
        Some(owner) if !owner.home.is_empty() && job.name != Outgoing::NAME => owner,
        _ => return Ok(Vec::new()),
    };
    let what = job.serial.as_deref().unwrap_or(job.id.as_str());
    let notice = Notice::SetAside {
        job: job.name.clone(),
        what: what.to_owned(),
        attempts: job.attempts,
        why: error.to_owned(),
    };
    run::messages(home, &SessionId::new(&*owner.home), &notice, &owner.zone)
}

//! Cancelling a run: the journal says so, whoever works on it is signalled, and a step is enqueued for one that waits.

use crate::{CommandError, Draft, Home, Problem, ask, audit, queries, run};
use domain::{
    id::RunId,
    member::{Deed, Member, Role, may},
    run::{Actor, Entry, Event, RunSummary},
};
use ports::{job, repo, store::Op};
use serde_json::json;

/// # Errors
/// [`Problem`]s: not allowed (an operator cancels their own runs, an owner all), nothing to cancel.
pub async fn cancel(
    home: &Home,
    member: &Member,
    id: &RunId,
) -> Result<Draft<RunSummary>, CommandError> {
    let summary = queries::run(home, id.as_str()).await?;
    let own = summary.requester == member.id;
    if !may(member.role, Deed::Run) || !(own || member.role == Role::Owner) {
        return Err(Problem::NotAllowed {
            needed: if own { Role::Operator } else { Role::Owner },
        }
        .into());
    }
    if summary.status.is_over() {
        return Err(Problem::NothingToCancel.into());
    }
    let actor = Actor::Member(member.id.clone());
    let deed = audit::deed("run.cancel_asked", &actor, &summary.id, json!({}));
    let entry = Entry {
        v: 1,
        at: home.now(),
        actor,
        event: Event::CancelAsked {
            by: member.id.clone(),
        },
    };
    let journal = repo::runs::journal(&home.team, &summary.id);
    let mut ops = vec![
        Op::Append {
            at: home.store.head(&journal).await?,
            journal,
            entries: vec![domain::canonical_json(&entry)?],
        },
        Op::Signal {
            serial: job::run_serial(&summary.id),
        },
        ask::wake(home, &summary.id)?,
    ];
    ops.extend(audit::append(home, &run::stream(&summary.id), vec![deed]).await?);
    Ok(Draft::new(ops, summary))
}

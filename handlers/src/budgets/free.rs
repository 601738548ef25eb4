//! Runs that wait at a budget which has room again: it was raised by a command or at another run's card, a new day began, a call
//! cost less than was reserved for it. The tick lets them go on.

use super::spent;
use crate::{CommandError, Draft, HandlerError, Home, commit_with, decide};
use domain::{
    MicroUsd,
    approval::{Approval, ApprovalStatus, Question},
    budget::{Ask, Budget, Scope},
};
use ports::repo;
use std::collections::BTreeMap;

/// Lets go on who can, the card that expires first at the front.
///
/// # Errors
/// What the store answers.
pub async fn free(home: &Home) -> Result<(), HandlerError> {
    let pending = repo::by::<Approval>(&home.team, "by_status", "pending");
    let mut rooms: BTreeMap<Scope, MicroUsd> = BTreeMap::new();
    for stored in repo::collect::<Approval>(&*home.store, pending).await? {
        let approval = stored.value;
        let Some(ask) = approval.budget.as_ref().filter(|ask| waits(&approval, ask)) else {
            continue;
        };
        let room = match rooms.get(&ask.scope) {
            Some(room) => *room,
            None => room(home, &ask.scope).await?,
        };
        if ask.need > room {
            rooms.insert(ask.scope.clone(), room);
            continue;
        }
        // Not more of them at once than there is money for: the others would only ask anew.
        rooms.insert(ask.scope.clone(), room - ask.need);
        let draft = async || {
            let stored =
                repo::get::<Approval>(&*home.store, &home.team, approval.id.as_str()).await?;
            let waiting = |stored: &repo::Stored<Approval>| waits(&stored.value, ask);
            let Some(stored) = stored.filter(waiting) else {
                return Ok::<_, CommandError>(Draft::fact(()));
            };
            Ok(Draft::new(decide::freed(home, stored).await?, ()))
        };
        if let Err(error) = commit_with(home, draft).await {
            tracing::warn!(approval = %approval.id, %error, "a run could not go on within its budget");
        }
    }
    Ok(())
}

fn waits(approval: &Approval, ask: &Ask) -> bool {
    approval.status == ApprovalStatus::Pending
        && approval.question == Question::Budget
        // A run's own budget grows at its card only.
        && ask.scope != Scope::Run
}

/// What may still be reserved; everything, where there is no budget any more.
async fn room(home: &Home, scope: &Scope) -> Result<MicroUsd, HandlerError> {
    let budget = repo::get::<Budget>(&*home.store, &home.team, &scope.to_string()).await?;
    let Some(budget) = budget.map(|stored| stored.value) else {
        return Ok(MicroUsd(i64::MAX));
    };
    Ok(budget.ceiling(home.now()) - spent(home, &budget).await?)
}

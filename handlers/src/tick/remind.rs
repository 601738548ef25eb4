//! One reminder before a card expires, wherever it arrived.

use super::receipts;
use crate::{CommandError, Draft, HandlerError, Home, Problem, commit_with, keep::tell};
use domain::{
    Micros,
    approval::{Approval, ApprovalStatus},
};
use ports::{
    present::Notice,
    repo::{self, Stored},
    store::{IndexValue, Op},
};
use std::time::Duration;

/// At most so long before the end.
const AT_MOST: Duration = Duration::from_secs(3600);
/// When this part of its life is left.
const LEFT: u32 = 10;

pub(super) async fn remind(home: &Home) -> Result<(), HandlerError> {
    let mut query = repo::by::<Approval>(&home.team, "by_status", "pending");
    query.to = Some(IndexValue::Int(home.now().plus(AT_MOST).0));
    for stored in repo::collect::<Approval>(&*home.store, query).await? {
        if !is_due(&stored.value, home.now()) {
            continue;
        }
        let id = &stored.value.id;
        let draft = async || {
            let stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
            let due = stored.filter(|stored| is_due(&stored.value, home.now()));
            let ops = match due {
                Some(stored) => reminders(home, stored).await?,
                None => Vec::new(),
            };
            Ok::<_, CommandError>(Draft::new(ops, ()))
        };
        if let Err(error) = commit_with(home, draft).await {
            tracing::warn!(approval = %id, %error, "nobody could be reminded of an approval");
        }
    }
    Ok(())
}

fn is_due(approval: &Approval, now: Micros) -> bool {
    let life = approval.expires_at.since(approval.asked_at);
    let left = approval.expires_at.since(now);
    approval.status == ApprovalStatus::Pending
        && approval.reminded_at.is_none()
        && now < approval.expires_at
        && left <= (life / LEFT).min(AT_MOST)
}

/// Where it has not arrived yet nobody is reminded of what they don't know; if it arrived nowhere, the next tick looks again.
async fn reminders(home: &Home, stored: Stored<Approval>) -> Result<Vec<Op>, CommandError> {
    let receipts = receipts(home, &stored.value).await?;
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    let Stored { mut value, version } = stored;
    value.reminded_at = Some(home.now());
    let mut ops = Vec::new();
    for (place, receipt) in receipts {
        let notice = Notice::ApprovalReminder {
            approval: value.clone(),
            card: receipt.message,
        };
        let told = tell(home, &place, &notice, "").await;
        ops.extend(told.map_err(|error| Problem::Invalid(error.to_string()))?);
    }
    ops.push(repo::update(&home.team, &Stored { value, version })?);
    Ok(ops)
}

//! Cards that wait too long are sent on: to one more person after each span, as long as there is one who was not sent it.

use crate::{
    CommandError, Draft, HandlerError, Home, Problem, audit, circulate, circulate::Audience,
    commit_with, run,
};
use domain::{
    Micros,
    approval::{Approval, ApprovalStatus, SentTo},
    run::Actor,
};
use ports::{
    repo::{self, Stored},
    store::Op,
};
use serde_json::json;
use std::time::Duration;

pub(super) async fn escalate(home: &Home) -> Result<(), HandlerError> {
    let now = home.now();
    let query = repo::by::<Approval>(&home.team, "by_status", "pending");
    let pending = repo::collect::<Approval>(&*home.store, query).await?;
    let due: Vec<_> = pending
        .into_iter()
        .filter(|stored| is_due(&stored.value, now))
        .collect();
    if due.is_empty() {
        return Ok(());
    }
    let audience = Audience::read(home).await?;
    for Stored { value, .. } in due {
        let draft = async || {
            let stored = repo::get::<Approval>(&*home.store, &home.team, value.id.as_str()).await?;
            let due = stored.filter(|stored| is_due(&stored.value, now));
            let next = due.and_then(|stored| Some((audience.next(&stored.value, now)?, stored)));
            let ops = match next {
                Some((to, stored)) => sent_on(home, stored, to).await?,
                None => Vec::new(),
            };
            Ok::<_, CommandError>(Draft::new(ops, ()))
        };
        if let Err(error) = commit_with(home, draft).await {
            tracing::warn!(approval = %value.id, %error, "an approval could not be sent on");
        }
    }
    Ok(())
}

/// After each span since it was asked or last sent on.
fn is_due(approval: &Approval, now: Micros) -> bool {
    let sent_on = approval.sent.iter().filter(|sent| sent.escalated);
    let last = sent_on.map(|sent| sent.at).max();
    let since = last.unwrap_or(approval.asked_at);
    let span = approval.escalate_after_s.map(Duration::from_secs);
    approval.status == ApprovalStatus::Pending
        && now < approval.expires_at
        && span.is_some_and(|span| now.since(since) >= span)
}

async fn sent_on(
    home: &Home,
    stored: Stored<Approval>,
    to: SentTo,
) -> Result<Vec<Op>, CommandError> {
    let approval = &stored.value;
    let detail = json!({"run": approval.run, "call": approval.call.id, "to": to.to});
    let deed = audit::deed("approval.escalated", Actor::System, &approval.id, detail);
    let mut ops = audit::append(home, &run::stream(&approval.run), vec![deed]).await?;
    let sent = circulate::send(home, stored, vec![to]).await;
    ops.extend(sent.map_err(|error| Problem::Invalid(error.to_string()))?);
    Ok(ops)
}

//! Approvals whose time is over.

use super::receipts;
use crate::{CommandError, Draft, HandlerError, Home, commit_with, decide};
use domain::approval::{Approval, ApprovalStatus};
use ports::{
    repo::{self},
    store::IndexValue,
};

pub(super) async fn expire(home: &Home) -> Result<(), HandlerError> {
    let now = home.now();
    let mut query = repo::by::<Approval>(&home.team, "by_status", "pending");
    query.to = Some(IndexValue::Int(now.0));
    for stored in repo::collect::<Approval>(&*home.store, query).await? {
        let id = stored.value.id.clone();
        let draft = async || {
            let stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
            let due = stored.filter(|stored| {
                stored.value.status == ApprovalStatus::Pending && stored.value.expires_at <= now
            });
            let Some(stored) = due else {
                return Ok::<_, CommandError>(Draft::fact(()));
            };
            // One copy that arrived anywhere could be seen.
            let seen = !receipts(home, &stored.value).await?.is_empty();
            Ok(Draft::new(decide::expire(home, stored, seen).await?, ()))
        };
        if let Err(error) = commit_with(home, draft).await {
            tracing::warn!(approval = %id, %error, "an approval could not expire");
        }
    }
    Ok(())
}

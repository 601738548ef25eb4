//! Questions: they read, and change nothing.

mod cost;

pub use cost::{Cost, cost};

use crate::{CommandError, Home, Problem, run::parse};
use domain::{
    approval::{Approval, read_handle},
    audit::Entry as AuditEntry,
    id::{RunId, SessionId},
    run::{Entry, RunStatus, RunSummary},
};
use ports::{
    repo::{self, Entity, Stored},
    store::StoreError,
};

/// The latest runs, newest first; of one session where given.
///
/// # Errors
/// What the store answers.
pub async fn runs(
    home: &Home,
    session: Option<&SessionId>,
    limit: u32,
) -> Result<Vec<RunSummary>, StoreError> {
    let mut query = match session {
        Some(session) => repo::by::<RunSummary>(&home.team, "by_session", session.as_str()),
        None => repo::all::<RunSummary>(&home.team),
    };
    query.descending = true;
    query.limit = limit.clamp(1, 1000);
    let (runs, _) = repo::page::<RunSummary>(&*home.store, query).await?;
    Ok(runs.into_iter().map(|stored| stored.value).collect())
}

/// A run by its id or the id's end (of the last 1000).
///
/// # Errors
/// [`Problem::NotFound`], [`Problem::Ambiguous`].
pub async fn run(home: &Home, id: &str) -> Result<RunSummary, CommandError> {
    Ok(by_short_id::<RunSummary>(home, "run", id).await?.value)
}

/// An approval by its id, the id's end (of the last 1000) or its [handle](Approval::handle), whatever digest that has.
///
/// # Errors
/// [`Problem::NotFound`], [`Problem::Ambiguous`].
pub async fn approval(home: &Home, id: &str) -> Result<Stored<Approval>, CommandError> {
    let (id, _) = read_handle(id);
    by_short_id::<Approval>(home, "approval", id).await
}

/// An approval by its id, the id's end, or the capability of the only one that waits with it on a card in this session: nobody
/// decides by a word what they were not shown.
///
/// # Errors
/// [`Problem::NotFound`], [`Problem::Ambiguous`], [`Problem::Several`].
pub async fn addressed(
    home: &Home,
    session: &SessionId,
    name: &str,
) -> Result<Stored<Approval>, CommandError> {
    let mut waiting = pending(home).await?;
    let here = |card: &Approval| {
        card.session == *session || card.sent.iter().any(|sent| sent.place == *session)
    };
    waiting.retain(|card| !name.is_empty() && card.shown.capability == name && here(card));
    match waiting.as_slice() {
        [] => approval(home, name).await,
        [one] => approval(home, one.id.as_str()).await,
        several => Err(Problem::Several {
            name: name.to_owned(),
            ids: several.iter().map(|one| one.id.clone()).collect(),
        }
        .into()),
    }
}

/// The name of who decided an approval, for people; empty when it was nobody.
///
/// # Errors
/// What the store answers.
pub async fn decider(home: &Home, approval: &Approval) -> Result<String, StoreError> {
    let Some(by) = &approval.decided_by else {
        return Ok(String::new());
    };
    let member = crate::members::find(home, by).await?;
    Ok(member.map_or_else(|| by.to_string(), |member| member.name))
}

async fn by_short_id<T: Entity>(
    home: &Home,
    what: &'static str,
    id: &str,
) -> Result<Stored<T>, CommandError> {
    let name = id.to_owned();
    if id.is_empty() || id.len() > 200 {
        return Err(Problem::NotFound { what, name }.into());
    }
    if let Some(stored) = repo::get::<T>(&*home.store, &home.team, id).await? {
        return Ok(stored);
    }
    let mut query = repo::all::<T>(&home.team);
    query.descending = true;
    query.limit = 1000;
    let (latest, _) = repo::page::<T>(&*home.store, query).await?;
    let mut fitting = latest
        .into_iter()
        .filter(|stored| id.len() >= 4 && stored.value.id().ends_with(id));
    match (fitting.next(), fitting.next()) {
        (Some(stored), None) => Ok(stored),
        (None, _) => Err(Problem::NotFound { what, name }.into()),
        (Some(_), Some(_)) => Err(Problem::Ambiguous { what, name }.into()),
    }
}

/// A run's whole journal.
///
/// # Errors
/// What the store answers, `Corrupt` for a line that is no event.
pub async fn journal(home: &Home, run: &RunId) -> Result<Vec<Entry>, StoreError> {
    let key = repo::runs::journal(&home.team, run);
    let mut entries = Vec::new();
    loop {
        let page = home.store.read(&key, entries.len() as u64, 1000).await?;
        let full = page.len() == 1000;
        entries.extend(parse(&page, entries.len() as u64)?);
        if !full {
            return Ok(entries);
        }
    }
}

/// Approvals that wait, the one that expires first at the front.
///
/// # Errors
/// What the store answers.
pub async fn pending(home: &Home) -> Result<Vec<Approval>, StoreError> {
    let stored = repo::collect::<Approval>(
        &*home.store,
        repo::by::<Approval>(&home.team, "by_status", "pending"),
    )
    .await?;
    let now = home.now();
    Ok(stored
        .into_iter()
        .map(|stored| stored.value)
        .filter(|approval| approval.expires_at > now)
        .collect())
}

/// The latest deeds of a stream (`run:<id>`, `team`, …), newest last.
///
/// # Errors
/// What the store answers.
pub async fn audit(home: &Home, stream: &str, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
    let key = repo::audit::journal(&home.team, stream);
    let head = home.store.head(&key).await?;
    let lines = home
        .store
        .read(
            &key,
            head.saturating_sub(u64::from(limit)),
            limit.clamp(1, 1000),
        )
        .await?;
    lines
        .iter()
        .map(|line| serde_json::from_str(line).map_err(|e| StoreError::Corrupt(e.to_string())))
        .collect()
}

/// How many runs work or wait now.
///
/// # Errors
/// What the store answers.
pub async fn active(home: &Home) -> Result<Vec<RunSummary>, StoreError> {
    let mut active = Vec::new();
    for status in ["running", "waiting"] {
        let runs = repo::collect::<RunSummary>(
            &*home.store,
            repo::by::<RunSummary>(&home.team, "by_status", status),
        )
        .await?;
        active.extend(runs.into_iter().map(|stored| stored.value));
    }
    active.retain(|run| matches!(run.status, RunStatus::Running | RunStatus::Waiting));
    Ok(active)
}

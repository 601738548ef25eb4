//! Places that became others: a Telegram group that was made a supergroup has another id from then on.
//!
//! A session keeps its id for life: journals, approvals and the workspace name it. So it is not the session that moves; two
//! settings say which session the people at a place talk to, and where a session's people are. What goes to the old id arrives
//! because the surface says each time where that place went.

use crate::{CommandError, Home};
use domain::{id::SessionId, session::Session};
use ports::{
    repo::{self, Stored, settings::Setting},
    store::{Expect, Op, StoreError},
};

fn session_at(place: &SessionId) -> String {
    format!("session_at.{place}")
}

fn place_now(session: &SessionId) -> String {
    format!("place_of.{session}")
}

async fn pointer(home: &Home, name: &str) -> Result<Option<Stored<Setting>>, StoreError> {
    repo::get::<Setting>(&*home.store, &home.team, name).await
}

fn target(stored: Option<Stored<Setting>>) -> Option<SessionId> {
    Some(SessionId::new(stored?.value.value.as_str()?))
}

/// The session that the people at a place talk to; it has the place's own name, unless the place was another before.
pub(super) async fn session_of(home: &Home, place: &SessionId) -> Result<SessionId, StoreError> {
    let found = target(pointer(home, &session_at(place)).await?);
    Ok(found.unwrap_or_else(|| place.clone()))
}

/// Where a session's people are now.
///
/// # Errors
/// What the store answers.
pub async fn place_of(home: &Home, session: &SessionId) -> Result<SessionId, StoreError> {
    let found = target(pointer(home, &place_now(session)).await?);
    Ok(found.unwrap_or_else(|| session.clone()))
}

/// The operations by which whoever writes at `to` goes on with the session of `from`. None where there is nothing to go on with,
/// where it is so already, or while a run works or waits for words that came to `to` by itself: the next message to `from` tries
/// again.
///
/// # Errors
/// What the store answers.
pub async fn moved(home: &Home, from: &SessionId, to: &SessionId) -> Result<Vec<Op>, CommandError> {
    let session = session_of(home, from).await?;
    let there = pointer(home, &session_at(to)).await?;
    let known = there
        .as_ref()
        .and_then(|stored| stored.value.value.as_str());
    if session == *to || known == Some(session.as_str()) {
        return Ok(Vec::new());
    }
    let read =
        async |id: &SessionId| repo::get::<Session>(&*home.store, &home.team, id.as_str()).await;
    if read(&session).await?.is_none() {
        return Ok(Vec::new());
    }
    let own = read(to).await?;
    let busy = |own: &Stored<Session>| own.value.run.is_some() || !own.value.queued.is_empty();
    if own.as_ref().is_some_and(busy) {
        return Ok(Vec::new());
    }
    let back = pointer(home, &place_now(&session)).await?;
    let setting = |name: String, value: &SessionId| Setting {
        name,
        value: value.as_str().into(),
    };
    let version = |stored: Option<Stored<Setting>>| stored.map(|stored| stored.version);
    Ok(vec![
        // Nobody may begin a run there meanwhile.
        Op::Check {
            key: repo::key::<Session>(&home.team, to.as_str()),
            expect: own.map_or(Expect::Absent, |own| Expect::Version(own.version)),
        },
        repo::put(
            &home.team,
            &setting(session_at(to), &session),
            version(there),
        )?,
        repo::put(&home.team, &setting(place_now(&session), to), version(back))?,
    ])
}

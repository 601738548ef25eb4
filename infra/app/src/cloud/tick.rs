//! What the tick's function does besides the tick: it stands in for whatever was not woken, and for who starts a local process.

use super::{Ground, NotDone};
use crate::compose::{self, BadStart, worker::begin_ticking};
use bot::telegram::{Api, TAP_LIFE};
use domain::id::SessionId;
use handlers::{CommandError, Draft, Home, commit_with, members, outage, run};
use ports::{
    job::lane,
    present::Notice,
    repo::{self, settings::Setting},
};

/// What has to be there before anything else works: agents, limits, the first tick.
///
/// # Errors
/// [`BadStart`] when the store doesn't take it.
pub(super) async fn prepare(ground: &Ground) -> Result<(), BadStart> {
    let made = compose::furnish(&ground.config, &ground.home).await;
    made.map_err(|error| BadStart(format!("The database cannot be used: {error}.")))?;
    begin_ticking(&ground.home).await
}

/// After the tick: lanes that have work are woken, and the owner hears when wake-ups go wrong.
///
/// # Errors
/// [`NotDone`]; the next tick repeats it.
pub(super) async fn look_around(ground: &Ground, api: &Api) -> Result<(), NotDone> {
    let home = &ground.home;
    let failed =
        |error: &dyn std::fmt::Display| NotDone(format!("The store cannot be asked: {error}."));
    let heard = outage::heard(home, &api.surface(), TAP_LIFE).await;
    heard.map_err(|error| failed(&error))?;
    let lanes = home.store.backlog(home.now()).await;
    for depth in lanes.map_err(|error| failed(&error))? {
        // The lease may be that of a process that has died.
        if depth.lane != lane::TICK && depth.due + depth.leased > 0 {
            ground.wake.wake_in(&depth.lane, std::time::Duration::ZERO);
        }
    }
    let Some(queue) = &ground.config.cloud.dead_letters else {
        return Ok(());
    };
    match ground.wake.depth(queue).await {
        Ok(count) => {
            let told = commit_with(home, async || dead_letters(home, count).await).await;
            told.map_err(|error| failed(&error))
        }
        Err(why) => {
            tracing::warn!(why, "the dead-letter queue cannot be asked");
            Ok(())
        }
    }
}

/// The owner is told when there are more than last time.
async fn dead_letters(home: &Home, count: u64) -> Result<Draft<()>, CommandError> {
    let stored = repo::get::<Setting>(&*home.store, &home.team, "dead_letters").await?;
    let before = stored
        .as_ref()
        .and_then(|stored| stored.value.value.as_u64());
    let before = before.unwrap_or(0);
    if before == count {
        return Ok(Draft::fact(()));
    }
    let setting = Setting {
        name: "dead_letters".to_owned(),
        value: count.into(),
    };
    let version = stored.map(|stored| stored.version);
    let mut ops = vec![repo::put(&home.team, &setting, version)?];
    if count > before
        && let Some(owner) = members::owner(home).await?
        && !owner.home.is_empty()
    {
        let place = SessionId::new(&*owner.home);
        let told = run::messages(home, &place, &Notice::DeadLetters { count }, &owner.zone);
        ops.extend(told.map_err(|error| handlers::Problem::Invalid(error.to_string()))?);
    }
    Ok(Draft::new(ops, ()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bot::present::English;
    use domain::{id::MemberId, member::Role};
    use std::sync::Arc;
    use testkit::home::TestHome;

    fn home() -> Home {
        let parts = TestHome::default();
        Home {
            team: parts.team,
            store: parts.store,
            blobs: parts.blobs,
            clock: parts.clock,
            chance: parts.chance,
            presenter: Arc::new(English),
        }
    }

    /// Messages out so far.
    async fn sends(home: &Home) -> u64 {
        let lanes = home.store.backlog(home.now()).await.unwrap();
        let send = lanes.into_iter().find(|depth| depth.lane == lane::SEND);
        send.map_or(0, |depth| depth.due)
    }

    #[tokio::test]
    async fn the_owner_hears_of_dead_letters_once_and_again_when_there_are_more() {
        let home = home();
        let told = async |count: u64| {
            let before = sends(&home).await;
            let told = commit_with(&home, async || dead_letters(&home, count).await).await;
            told.unwrap();
            sends(&home).await - before
        };
        assert_eq!(told(3).await, 0, "there is nobody to be told");
        assert_eq!(told(0).await, 0);
        let invited = commit_with(&home, async || {
            members::invite(&home, None, Role::Owner).await
        });
        let code = invited.await.unwrap();
        let ann = MemberId::new("telegram:1001");
        let joined = commit_with(&home, async || {
            members::join(&home, &ann, "Ann", "telegram:1001", &code).await
        });
        joined.await.unwrap();
        assert_eq!(told(2).await, 1);
        assert_eq!(told(2).await, 0);
        assert_eq!(told(1).await, 0, "somebody looked at it");
        assert_eq!(told(4).await, 1);
    }
}

//! Puts the parts together: what the configuration says becomes adapters, adapters become what handlers need.
//!
//! [`Local`] is enough for questions and commands. [`worker::Engine`] adds what does the work: models, a sandbox,
//! workspaces, the ways out.

pub mod alert;
#[cfg(feature = "aws")]
pub mod aws;
pub mod backup;
pub mod database;
pub mod directory;
pub mod door;
pub mod extract;
pub mod mcp;
pub mod models;
pub mod presence;
pub mod sandbox;
pub mod search;
pub mod secrets;
pub mod service;
pub mod skills;
pub mod surfaces;
pub mod table;
pub mod vault;
pub mod worker;
pub mod workspace;

#[cfg(test)]
mod tests;

use crate::{
    chance::SystemChance, clock::SystemClock, config::Config, crash, waking_store::waking,
    worker::Bench,
};
use bot::present::English;
use domain::{id::TeamId, member::Member};
use handlers::{CommandError, Draft, Home, agents, commit_with, members};
use ports::{
    Blobs, Store, Wake,
    repo::{self, settings::Setting},
};
use presence::Presence;
use std::sync::Arc;

/// A process that cannot start, as a sentence: what is wrong and what to do.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{0}")]
pub struct BadStart(pub String);

/// The one team of this machine.
pub fn team() -> TeamId {
    TeamId::new("home")
}

/// The team's state on this machine, and whoever sits at it.
#[derive(Clone)]
pub struct Local {
    pub config: Arc<Config>,
    pub home: Home,
    pub wake: Arc<dyn Wake>,
    /// The terminal's person.
    pub owner: Member,
    /// As long as this is there, others on this machine know that this process lives.
    presence: Arc<Presence>,
}

impl Local {
    /// Opens the data directory and the database, makes them on the first start.
    ///
    /// # Errors
    /// [`BadStart`]: not writable, locked, damaged, of a newer program.
    pub async fn open(config: Config) -> Result<Self, BadStart> {
        directory::prepare(&config)?;
        secrets::hide(&config, &SystemChance).await?;
        let opened = database::Opened::open(&config)
            .await
            .map_err(|error| database::unusable(&error))?;
        let presence = Presence::announce(&config, &SystemChance);
        presence::succeed(&config, &opened).await?;
        let clock = Arc::new(SystemClock::default());
        database::keep_time(&opened, &clock).await?;
        let store = opened.shared();
        let wake = database::wake(&config).await?;
        let blobs = database::blobs(&config).await?;
        let home = home(&config, (store, blobs), wake.clone(), clock);
        secrets::refuse_names(&config, &home).await?;
        let owner = first_use(&config, &home)
            .await
            .map_err(|error| BadStart(format!("The database cannot be used: {error}.")))?;
        Ok(Self {
            config: Arc::new(config),
            home,
            wake,
            owner,
            presence: Arc::new(presence),
        })
    }

    /// What a worker in this process works with.
    #[must_use]
    pub fn bench(&self) -> Bench {
        Bench {
            store: self.home.store.clone(),
            clock: self.home.clock.clone(),
            chance: self.home.chance.clone(),
            wake: self.wake.clone(),
            name: self.presence.name().to_owned(),
        }
    }
}

/// What handlers work with: no secret gets into it, and a commit wakes whoever does its jobs.
pub fn home(
    config: &Config,
    (store, blobs): (Arc<dyn Store>, Arc<dyn Blobs>),
    wake: Arc<dyn Wake>,
    clock: Arc<SystemClock>,
) -> Home {
    Home {
        team: team(),
        store: waking(config.redaction.over_store(store), wake),
        blobs: crash::blobs(config.redaction.over(blobs)),
        clock: crash::clock(clock),
        chance: Arc::new(SystemChance),
        presenter: Arc::new(English),
    }
}

/// What has to be there: the terminal's person, and [`furnish`].
async fn first_use(config: &Config, home: &Home) -> Result<Member, CommandError> {
    let owner = commit_with(home, async || members::terminal_owner(home).await).await?;
    furnish(config, home).await?;
    Ok(owner)
}

/// The catalog's agents, and the limits that the configuration sets.
pub async fn furnish(config: &Config, home: &Home) -> Result<(), CommandError> {
    let templates =
        catalog::agents().map_err(|error| handlers::Problem::Invalid(error.to_string()))?;
    commit_with(home, async || agents::seed(home, &templates).await).await?;
    commit_with(home, async || limits(config, home).await).await
}

/// Runs take their limits from a setting, so that every process on the database gives the same. It follows the configuration
/// where that says something.
async fn limits(config: &Config, home: &Home) -> Result<Draft<()>, CommandError> {
    let said = config.settings.iter().any(|setting| {
        setting.key.starts_with("limits.") && setting.origin != crate::config::Origin::Default
    });
    let stored = repo::get::<Setting>(&*home.store, &home.team, "limits").await?;
    let value = serde_json::to_value(config.limits)?;
    if !said
        || stored
            .as_ref()
            .is_some_and(|stored| stored.value.value == value)
    {
        return Ok(Draft::fact(()));
    }
    let setting = Setting {
        name: "limits".to_owned(),
        value,
    };
    let op = repo::put(&home.team, &setting, stored.map(|stored| stored.version))?;
    Ok(Draft::new(vec![op], ()))
}

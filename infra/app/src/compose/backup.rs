//! What a backup is made of and goes into: the store, the blobs, the sessions' workspaces. Everything else in the data directory stays
//! out of it: keys and secrets are kept elsewhere, and a directory that a person named with `--workspace` is that person's.

use super::{
    BadStart,
    database::{self, Opened, unusable},
    sandbox,
};
use crate::config::Config;
use ports::Blobs;
use std::sync::Arc;
use workspace_fs::FsWorkspaces;

pub struct Parts {
    pub database: Opened,
    pub blobs: Arc<dyn Blobs>,
    pub workspaces: FsWorkspaces,
}

impl Parts {
    /// Opens the database as it is: unlike a start, this puts no first agents and members into an empty one.
    ///
    /// # Errors
    /// [`BadStart`]: not writable, locked, damaged, of a newer program.
    pub async fn open(config: &Config) -> Result<Self, BadStart> {
        let database = Opened::open(config)
            .await
            .map_err(|error| unusable(&error))?;
        Ok(Self {
            database,
            blobs: database::blobs(config).await?,
            workspaces: workspaces(config),
        })
    }
}

#[must_use]
pub fn workspaces(config: &Config) -> FsWorkspaces {
    FsWorkspaces::new(config.home.join("workspaces"), None).owned_by(sandbox::uid())
}

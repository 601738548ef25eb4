//! What a backup is made of and goes into: the store, the blobs, the sessions' workspaces. Everything else in the data directory stays
//! out of it: keys and secrets are kept elsewhere, and a directory that a person named with `--workspace` is that person's.

use super::{
    BadStart,
    database::{Opened, unusable},
    sandbox,
};
use crate::config::Config;
use blob_fs::FsBlobs;
use workspace_fs::FsWorkspaces;

pub struct Parts {
    pub database: Opened,
    pub blobs: FsBlobs,
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
            blobs: blobs(config),
            workspaces: workspaces(config),
        })
    }
}

#[must_use]
pub fn blobs(config: &Config) -> FsBlobs {
    FsBlobs::new(config.home.join("blobs"))
}

#[must_use]
pub fn workspaces(config: &Config) -> FsWorkspaces {
    FsWorkspaces::new(config.home.join("workspaces"), None).owned_by(sandbox::uid())
}

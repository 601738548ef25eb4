//! What a backup is made of and goes into: the store, the blobs, the sessions' workspaces. Everything else in the data directory stays
//! out of it: keys and secrets are kept elsewhere, and a directory that a person named with `--workspace` is that person's.

use super::{BadStart, sandbox};
use crate::config::Config;
use blob_fs::FsBlobs;
use store_sqlite::{Options, SqliteStore};
use workspace_fs::FsWorkspaces;

pub struct Parts {
    pub store: SqliteStore,
    pub blobs: FsBlobs,
    pub workspaces: FsWorkspaces,
}

impl Parts {
    /// Opens the database as it is: unlike a start, this puts no first agents and members into an empty one.
    ///
    /// # Errors
    /// [`BadStart`]: not writable, locked, damaged, of a newer program.
    pub async fn open(config: &Config) -> Result<Self, BadStart> {
        let store = SqliteStore::open(&config.database.to_string_lossy(), Options::default())
            .await
            .map_err(|error| BadStart(format!("The database cannot be used: {error}.")))?;
        Ok(Self {
            store,
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

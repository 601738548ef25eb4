//! Where skills come from that the team does not have: the index in the data directory.

use crate::config::Config;
use ports::{Sandbox, Shelf};
use std::sync::Arc;

/// `skills/index.yaml` there; without it the shelf is empty.
#[must_use]
pub fn shelf(config: &Config, sandbox: Option<Arc<dyn Sandbox>>) -> Arc<dyn Shelf> {
    Arc::new(skill_files::Index::new(config.home.join("skills"), sandbox))
}

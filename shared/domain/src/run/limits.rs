//! Ceilings of one run.

use crate::MicroUsd;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// At any of these a run ends and says which; at its cost it asks for more first. The defaults come from what a person who isn't
/// watching would accept: an hour of work, a dollar.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Limits {
    /// Model calls.
    pub steps: u32,
    /// Tokens of all model calls together.
    pub tokens: u64,
    pub cost: MicroUsd,
    /// Seconds of work; time without a step under way (parked on a person, queueing, a process that is down) does not count.
    pub wall_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 50,
            tokens: 2_000_000,
            cost: MicroUsd(1_000_000),
            wall_s: 3600,
        }
    }
}

impl Limits {
    #[must_use]
    pub fn wall(&self) -> Duration {
        Duration::from_secs(self.wall_s)
    }
}

/// Which ceiling was reached.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    Steps,
    Tokens,
    Cost,
    Wall,
}

//! Identifiers and secrets in sequence.

use ports::Chance;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ids `00…01`, `00…02`, …; secrets `secret-1`, `secret-2`, ….
#[derive(Default, Debug)]
pub struct TestChance {
    ids: AtomicU64,
    secrets: AtomicU64,
}

impl Chance for TestChance {
    fn id(&self) -> String {
        format!("{:032x}", self.ids.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn secret(&self) -> String {
        format!("secret-{}", self.secrets.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

//! A hint that there is work. The store is the truth; a lost, doubled or late wake changes nothing but latency.

use std::time::Duration;

#[async_trait::async_trait]
pub trait Wake: Send + Sync {
    /// Says that a job of this lane may be due.
    fn wake(&self, lane: &str);

    /// Waits for a hint of any of these lanes, at most `limit`.
    async fn wait(&self, lanes: &[&str], limit: Duration);
}

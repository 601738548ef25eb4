//! Bells within the process: who commits work rings, a lane's loop that waits begins at once instead of at its next look.
//!
//! A ring for which nobody waits is kept, once, so that one that falls between a look and the wait is not lost. Other
//! processes on the same database don't hear it; every loop looks by itself once a second anyway.

use futures::future::select_all;
use ports::Wake;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// The bell that rings when running work is asked to stop. It is no lane of jobs.
pub const SIGNAL: &str = "signal";

/// One bell per lane. Each lane has one loop that waits.
#[derive(Debug, Default)]
pub struct Bells {
    bells: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Bells {
    fn of(&self, lane: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        match bells.get(lane) {
            Some(bell) => bell.clone(),
            None => bells.entry(lane.to_owned()).or_default().clone(),
        }
    }
}

#[async_trait::async_trait]
impl Wake for Bells {
    fn wake(&self, lane: &str) {
        self.of(lane).notify_one();
    }

    async fn wait(&self, lanes: &[&str], limit: Duration) {
        let bells: Vec<_> = lanes.iter().map(|lane| self.of(lane)).collect();
        if bells.is_empty() {
            return tokio::time::sleep(limit).await;
        }
        let rings = bells.iter().map(|bell| Box::pin(bell.notified()));
        let _ = tokio::time::timeout(limit, select_all(rings)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_ring_before_the_wait_is_kept() {
        let bells = Bells::default();
        bells.wake("run");
        bells.wake("run");
        bells.wait(&["send", "run"], LONG).await;
    }

    #[tokio::test]
    async fn a_ring_ends_a_wait() {
        let bells = Arc::new(Bells::default());
        let waiting = tokio::spawn({
            let bells = bells.clone();
            async move { bells.wait(&["run"], LONG).await }
        });
        bells.wake("run");
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_wait_ends_at_its_limit_and_leaves_other_rings_alone() {
        let bells = Bells::default();
        bells.wake("send");
        bells.wait(&["run"], Duration::ZERO).await;
        bells.wait(&["send"], LONG).await;
    }
}

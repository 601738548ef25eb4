//! A worker that ends when nothing is due: what a cloud function does between being woken and being frozen.

use super::{Lane, Worker};
use ports::store::StoreError;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

impl Worker {
    /// Works on one lane until nothing is due there and nothing is under way, or until `stop`: then it begins nothing more, lets what
    /// is under way finish, at most [`super::Pace::shutdown`], and gives the rest back. Answers in how long work may be due again.
    ///
    /// # Errors
    /// When the store did not say what is due. What was under way was finished before.
    pub async fn drain(
        self,
        lane: &Lane,
        stop: CancellationToken,
    ) -> Result<Option<Duration>, StoreError> {
        let worker = Arc::new(self);
        let keeping = CancellationToken::new();
        let keeper = tokio::spawn(worker.clone().keep(keeping.clone()));
        let mut jobs = JoinSet::new();
        let next = worker.empty(lane, &stop, &mut jobs).await;
        let ended = async { while jobs.join_next().await.is_some() {} };
        if tokio::time::timeout(worker.pace.shutdown, ended)
            .await
            .is_err()
        {
            worker.abandon.cancel();
            while jobs.join_next().await.is_some() {}
        }
        keeping.cancel();
        let _ = keeper.await;
        next
    }

    /// Leaves in `jobs` what is still under way.
    async fn empty(
        self: &Arc<Self>,
        lane: &Lane,
        stop: &CancellationToken,
        jobs: &mut JoinSet<()>,
    ) -> Result<Option<Duration>, StoreError> {
        loop {
            if stop.is_cancelled() {
                return Ok(Some(Duration::ZERO));
            }
            let free = lane.at_once.saturating_sub(jobs.len()).min(100);
            if free > 0 {
                let (found, next) = self.claim(&lane.name, free).await?;
                if found.is_empty() && jobs.is_empty() {
                    return Ok(next);
                }
                for job in found {
                    let worker = self.clone();
                    jobs.spawn(async move { worker.work(job).await });
                }
            }
            // Its end may be the turn of the next one of its serial key.
            tokio::select! {
                _ = jobs.join_next() => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

//! A store that rings: whoever commits a job wakes its lane, without knowing that there is such a thing.

use crate::{
    commit_through::{Commit, CommitThrough},
    crash::{Point, reached},
    wake::SIGNAL,
};
use ports::{
    Store, Wake,
    store::{Batch, Op, StoreError},
};
use std::sync::Arc;

/// The store; after a commit that was done the bells of the lanes that got work are rung.
#[must_use]
pub fn waking(store: Arc<dyn Store>, wake: Arc<dyn Wake>) -> Arc<dyn Store> {
    let commit = Ring(wake);
    Arc::new(CommitThrough { store, commit })
}

struct Ring(Arc<dyn Wake>);

#[async_trait::async_trait]
impl Commit for Ring {
    async fn commit(&self, store: &dyn Store, batch: Batch) -> Result<(), StoreError> {
        let mut bells: Vec<String> = batch
            .ops
            .iter()
            .filter_map(bell)
            .map(str::to_owned)
            .collect();
        bells.sort_unstable();
        bells.dedup();
        reached(Point::CommitBefore);
        store.commit(batch).await?;
        reached(Point::CommitAfter);
        for lane in bells {
            self.0.wake(&lane);
        }
        Ok(())
    }
}

fn bell(op: &Op) -> Option<&str> {
    match op {
        Op::Enqueue(job) => Some(&job.lane),
        Op::Signal { .. } => Some(SIGNAL),
        _ => None,
    }
}

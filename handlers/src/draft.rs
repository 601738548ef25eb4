//! What a command wants to be true, before it is.

use crate::{CommandError, HandlerError, Home};
use domain::id::CommitId;
use ports::store::{Batch, ConflictReason, Op, StoreError};

/// Operations, and the fact that holds once they are committed. `()` and no operations for a question.
#[derive(Clone, Debug)]
pub struct Draft<T> {
    pub ops: Vec<Op>,
    pub fact: T,
}

impl<T> Draft<T> {
    #[must_use]
    pub fn new(ops: Vec<Op>, fact: T) -> Self {
        Self { ops, fact }
    }

    /// Nothing to write.
    #[must_use]
    pub fn fact(fact: T) -> Self {
        Self {
            ops: Vec::new(),
            fact,
        }
    }
}

/// Attempts of a command whose world changed under it. Conflicts come from people and workers, of which there are few.
const ATTEMPTS: u32 = 8;

/// One batch, with a new commit id. A commit whose fate is unknown is looked up once.
///
/// # Errors
/// What the store answers.
pub async fn commit(home: &Home, ops: Vec<Op>) -> Result<(), StoreError> {
    if ops.is_empty() {
        return Ok(());
    }
    let id = CommitId::new(home.chance.id());
    let batch = Batch {
        id: id.clone(),
        at: home.now(),
        ops,
    };
    match home.store.commit(batch).await {
        Err(StoreError::Unavailable(why)) => match home.store.was_committed(&id).await {
            Ok(true) => Ok(()),
            _ => Err(StoreError::Unavailable(why)),
        },
        other => other,
    }
}

/// Drafts and commits, again from fresh reads when the world changed in between.
///
/// # Errors
/// What `draft` answers, or the store's error of the last attempt.
pub async fn commit_with<T, F, Fut>(home: &Home, mut draft: F) -> Result<T, CommandError>
where
    // Not `AsyncFnMut`: whether its future can move between threads can't be said of it yet, and workers spawn this.
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Draft<T>, CommandError>>,
{
    let mut attempt = 1;
    loop {
        let Draft { ops, fact } = draft().await?;
        match commit(home, ops).await {
            Ok(()) => return Ok(fact),
            Err(StoreError::Conflict(_)) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a commit under a lease answered, for a job handler.
pub(crate) fn fenced(result: Result<(), StoreError>) -> Result<(), HandlerError> {
    match result {
        Err(StoreError::Conflict(conflict)) if conflict.reason == ConflictReason::Fenced => {
            Err(HandlerError::LeaseLost)
        }
        other => other.map_err(HandlerError::from),
    }
}

//! What every handler needs, and how handlers fail.

use domain::{Micros, id::TeamId};
use ports::{
    Blobs, Chance, Clock, Presenter, Problem, Store,
    blob::BlobError,
    sandbox::Cancel,
    search::SearchError,
    store::{Job, StoreError},
};
use std::{sync::Arc, time::Duration};

/// The team's state and the few things without which nothing can be decided.
#[derive(Clone)]
pub struct Home {
    pub team: TeamId,
    pub store: Arc<dyn Store>,
    pub blobs: Arc<dyn Blobs>,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
    pub presenter: Arc<dyn Presenter>,
}

impl Home {
    #[must_use]
    pub fn now(&self) -> Micros {
        self.clock.now()
    }
}

/// A claimed job, as its handler sees it.
#[derive(Clone)]
pub struct Lease {
    pub job: Job,
    /// Raised when somebody asks the work to stop, or when the lease is lost.
    pub cancel: Cancel,
    /// When the step has to be over: what is not done by then continues in a new job.
    pub deadline: Micros,
}

/// How a job handler fails. The worker postpones the job or sets it aside.
#[derive(thiserror::Error, Debug)]
pub enum HandlerError {
    /// Again later; after `after`, or when the worker thinks fit.
    #[error("{error}")]
    Retry {
        after: Option<Duration>,
        error: String,
    },
    /// Never again: a person has to look.
    #[error("{0}")]
    Fail(String),
    /// The lease is somebody else's now; nothing more may be written.
    #[error("the lease was lost")]
    LeaseLost,
}

impl From<StoreError> for HandlerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Rejected(_) | StoreError::Corrupt(_) | StoreError::NewerSchema { .. } => {
                Self::Fail(error.to_string())
            }
            other => Self::Retry {
                after: None,
                error: other.to_string(),
            },
        }
    }
}

impl From<BlobError> for HandlerError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Io(_) => Self::Retry {
                after: None,
                error: error.to_string(),
            },
            other => Self::Fail(other.to_string()),
        }
    }
}

impl From<serde_json::Error> for HandlerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Fail(error.to_string())
    }
}

/// How a command fails.
#[derive(thiserror::Error, Debug)]
pub enum CommandError {
    /// The person did something that can't be done; nothing changed.
    #[error("{0:?}")]
    Problem(Problem),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

//! Contract suites: one per port, run against the fake here and against every adapter.

pub mod archive;
pub mod blobs;
pub mod mcp;
pub mod sandbox;
pub mod search;
pub mod store;

use std::future::Future;
use tokio::task::JoinSet;

/// What a case ends with that did not go through. A case that finds a broken promise fails by an assertion.
pub type Broken = Box<dyn std::error::Error + Send + Sync>;
pub type Outcome = Result<(), Broken>;

/// Runs so many tasks at once, numbered from 0, and answers what they answered, in no order.
///
/// # Errors
/// The first task's that failed.
pub async fn all_of<T, F>(tasks: usize, task: impl Fn(usize) -> F) -> Result<Vec<T>, Broken>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Broken>> + Send + 'static,
{
    let mut running: JoinSet<_> = (0..tasks).map(task).collect();
    let mut answers = Vec::with_capacity(tasks);
    while let Some(answer) = running.join_next().await {
        answers.push(answer??);
    }
    Ok(answers)
}

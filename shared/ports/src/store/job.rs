//! Jobs as the store keeps them: rows of `task_queue`.

use domain::{
    Micros,
    id::{JobId, TeamId},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Lower is sooner, among jobs that are due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// A person waits for it.
    High = 0,
    #[default]
    Normal = 1,
    Low = 2,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewJob {
    /// Unique among the jobs that are there.
    pub id: JobId,
    pub team: TeamId,
    /// Which handler: `run`, `update`, `send`, `tick`.
    pub name: String,
    /// Which class of worker.
    pub lane: String,
    /// Jobs of one key are done one after the other, in the order in which they were enqueued.
    pub serial: Option<String>,
    pub priority: Priority,
    /// JSON.
    pub payload: String,
    pub due: Micros,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    pub id: JobId,
    pub team: TeamId,
    pub name: String,
    pub lane: String,
    pub serial: Option<String>,
    pub payload: String,
    pub due: Micros,
    /// Claims so far, this one included.
    pub attempts: u32,
    /// The fence. It grows with every claim.
    pub epoch: u64,
    /// The lease before this one ran out: whoever had it neither finished nor postponed the job, so what it did is unknown.
    pub lost_before: bool,
    /// What the last postponement or setting aside said.
    pub last_error: Option<String>,
    pub set_aside: bool,
}

#[derive(Clone, Debug)]
pub struct Claim {
    pub lanes: Vec<String>,
    /// Who claims, for people.
    pub worker: String,
    pub now: Micros,
    pub lease: Duration,
    /// 1 to 100.
    pub limit: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claimed {
    /// By priority, then due time, then age.
    pub jobs: Vec<Job>,
    /// When the next job of these lanes may be due, if nothing else happens: a due time or a lease's end that lies ahead.
    pub next: Option<Micros>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Renewal {
    Held,
    /// Held, and `Op::Signal` was committed for its serial key since the claim: the work is asked to stop.
    Signalled,
    /// Lost: stop, and commit nothing.
    Lost,
}

/// Depth of one lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backlog {
    pub lane: String,
    /// Due and not leased (blocked ones of a serial key too).
    pub due: u64,
    pub later: u64,
    pub leased: u64,
    pub set_aside: u64,
}

//! What a run is doing right now, for the one status message that people see while it works. Best effort: nothing waits for
//! it, nothing is stored, a lost report is no loss.

use domain::{
    MicroUsd, Micros,
    id::{RunId, SessionId},
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Doing {
    /// With the end of what it has said so far, at most 200 bytes.
    Thinking { said: String },
    /// The tool and its main argument, shortened to one line.
    Using { tool: String, what: String },
    /// Parked on a person.
    Waiting,
    /// Over, whatever the outcome: the status message goes away or turns into a line.
    Over,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    pub run: RunId,
    pub session: SessionId,
    pub agent: String,
    pub doing: Doing,
    pub step: u32,
    pub cost: MicroUsd,
    pub started_at: Micros,
}

pub trait Progress: Send + Sync {
    fn report(&self, report: Report);
}

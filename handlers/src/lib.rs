//! What decides what happens next: small stateless functions, a folder each, `(request, ports) -> outcome`.
//!
//! Two kinds. A **job handler** ([`run`], [`send`], [`circulate`], [`tick`]) works under a lease and commits by itself, its last commit
//! finishing the job. A **command** ([`ask`], [`decide`], [`modify`], [`agents`] …) answers a [`Draft`]: the operations and the fact; the front
//! door commits them together with its replies and with the end of the update that asked for it. So whatever one message
//! causes, happens whole and once. Facts become sentences in `bot`, never here.

pub mod agents;
pub mod ask;
pub mod audit;
pub mod batch;
pub mod budgets;
pub mod cancel;
pub mod circulate;
pub mod decide;
mod draft;
mod home;
pub mod ingest;
mod keep;
pub mod knowledge;
pub mod mcp;
pub mod members;
pub mod memory;
pub mod modify;
pub mod offers;
pub mod outage;
pub mod queries;
pub mod receive;
pub mod rules;
pub mod run;
pub mod send;
pub mod sessions;
pub mod skills;
pub mod tick;
pub mod tool;
pub mod versions;

pub use draft::{Draft, commit, commit_with};
pub use home::{CommandError, HandlerError, Home, Lease};
pub use ports::Problem;

#[cfg(test)]
mod tests;

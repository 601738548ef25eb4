//! The composition root: what reads the environment, picks the adapters, and keeps the process going.
//!
//! [`cli`] is the command line, [`config`] says what was set, [`compose`] puts the parts together accordingly, [`worker`] is the loop
//! that does the jobs. A library as well as a program, so that tests can start its parts.

pub mod chance;
pub mod cli;
pub mod clock;
#[cfg(feature = "aws")]
pub mod cloud;
pub mod commit_through;
pub mod compose;
pub mod config;
pub mod crash;
pub mod http;
pub mod redacted;
pub mod telemetry;
pub mod wake;
pub mod waking_store;
pub mod worker;

//! The composition root: what reads the environment, picks the adapters, and keeps the process going.
//!
//! [`config`] says what was set, [`worker`] is the loop that does the jobs, [`clock`] and [`chance`] are the machine's. A library
//! as well as a program, so that tests can start its parts.

extern crate self as handlers; // TEMPORARY, until handlers compiles
#[path = "../../../handlers/src/home.rs"]
mod home;
pub use home::*;

pub mod chance;
pub mod clock;
pub mod config;
pub mod http;
pub mod telemetry;
pub mod wake;
pub mod waking_store;
pub mod worker;

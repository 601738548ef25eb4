//! The one test binary of the workspace: a folder per kind of test, a line per folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod contract;
mod crash;
mod database;
mod flows;
mod tidy;

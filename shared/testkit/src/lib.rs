//! In-memory fakes of the ports, and the contract suites that hold them and the real adapters to the same promises.

pub mod blobs;
pub mod chance;
pub mod clock;
pub mod contract;
pub mod extract;
pub mod home;
pub mod knowledge;
pub mod mcp;
pub mod memory_store;
pub mod messenger;
pub mod presenter;
pub mod progress;
pub mod sandbox;
pub mod scripted_model;
pub mod search;
pub mod shelf;
pub mod workspace;

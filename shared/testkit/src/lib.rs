//! In-memory fakes of the ports, and the contract suites that hold them and the real adapters to the same promises.

pub mod contract;
pub mod memory_store;
pub mod scripted_model;

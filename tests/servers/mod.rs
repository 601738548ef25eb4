//! Servers that stand in for the outside world in tests: they speak the real protocols over loopback, so that the program
//! under test is the program that ships, unchanged, with only a base URL set.

pub mod model;
pub mod telegram;
pub mod wire;

//! What the tests share: servers that stand in for the outside world.

pub mod servers;

//! The time, so that tests can set it.

use domain::Micros;

pub trait Clock: Send + Sync {
    fn now(&self) -> Micros;
}

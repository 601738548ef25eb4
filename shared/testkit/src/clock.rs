//! The time as a test sets it.

use domain::Micros;
use ports::Clock;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// Stands still until it is set or advanced. With a tick it moves by that much with each reading, so that no two events have
/// one time, as with a real clock.
#[derive(Debug)]
pub struct TestClock {
    now: AtomicI64,
    tick: AtomicI64,
}

/// 2026-01-05T09:00:00Z, a Monday morning.
pub const MONDAY: Micros = Micros(1_767_603_600_000_000);

impl Default for TestClock {
    fn default() -> Self {
        Self::at(MONDAY)
    }
}

impl TestClock {
    #[must_use]
    pub fn at(now: Micros) -> Self {
        Self {
            now: AtomicI64::new(now.0),
            tick: AtomicI64::new(0),
        }
    }

    /// Moves 1 ms with each reading.
    #[must_use]
    pub fn ticking() -> Self {
        let clock = Self::default();
        clock.tick.store(1000, Ordering::SeqCst);
        clock
    }

    pub fn set(&self, now: Micros) {
        self.now.store(now.0, Ordering::SeqCst);
    }

    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.now.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        let tick = self.tick.load(Ordering::SeqCst);
        Micros(self.now.fetch_add(tick, Ordering::SeqCst))
    }
}

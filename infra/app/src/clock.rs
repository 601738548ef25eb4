//! The machine's time, made to never run backwards within a process.

use domain::Micros;
use ports::Clock;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Leases, due times and the order of events are compared with it, so when somebody sets the clock back it stands still
/// until the time is reached again.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Micros(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_rather_than_going_back() {
        let clock = SystemClock::default();
        let first = clock.now();
        assert!(
            first > Micros(1_700_000_000_000_000),
            "microseconds since 1970"
        );
        assert!(clock.now() >= first);
        let ahead = Micros(first.0 + 3_600_000_000);
        clock.latest.store(ahead.0, Ordering::Relaxed);
        assert_eq!(clock.now(), ahead);
    }
}

//! The time: the machine's, or, once it was heard, that of the server that keeps the records. It never runs backwards within a
//! process.
//!
//! PostgreSQL is asked for it; of DynamoDB, whose answers have a date in whole seconds, only a machine is told that is far from it.
//!
//! Several processes on one server write leases and due times that the others compare with their own time. Machines' clocks may
//! be minutes apart, and then one would take the other's work from it, or find it too late. So the server's clock is everybody's.

use crate::crash;
use domain::Micros;
use ports::Clock;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Beyond this a machine's clock is worth a word.
const APART: Duration = Duration::from_secs(10);

/// Leases, due times and the order of events are compared with it, so when somebody sets the clock back it stands still
/// until the time is reached again.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
    /// What a server said, and when it did.
    server: Mutex<Option<(Micros, Instant)>>,
    /// What the machine's clock lacks, in microseconds, where only the date of answers says so.
    lacks: AtomicI64,
}

impl SystemClock {
    /// From now on time is counted from what a server just said. Answers by how much the machine's clock differs, if that is much.
    pub fn hear(&self, server: Micros) -> Option<Duration> {
        let mut heard = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = Some((server, Instant::now()));
        let apart = Duration::from_micros(machine().0.abs_diff(server.0));
        (apart > APART).then_some(apart)
    }

    /// When an answer says that it was made: in whole seconds, and some time ago. So a machine's clock that is near is left alone, and
    /// only one that is [`APART`] is corrected. Corrected, not counted on from as in [`Self::hear`]: a function is frozen between its
    /// invocations, and a clock that nobody sets may stand still with it.
    pub fn compare(&self, made: Micros) {
        let lacks = made.0.saturating_sub(machine().0);
        let apart = Duration::from_micros(lacks.abs_diff(self.lacks.load(Ordering::Relaxed)));
        if apart > APART {
            self.lacks.store(lacks, Ordering::Relaxed);
            let seconds = lacks / 1_000_000;
            tracing::warn!(
                seconds,
                "this machine's clock differs from the database's, which is used"
            );
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        let heard = *self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match heard {
            Some((server, at)) => server.plus(at.elapsed()),
            None => Micros(machine().0 + self.lacks.load(Ordering::Relaxed)),
        };
        Micros(self.latest.fetch_max(now.0, Ordering::Relaxed).max(now.0))
    }
}

fn machine() -> Micros {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Micros(now.saturating_add(crash::skew()))
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

    #[test]
    fn a_server_s_time_is_everybody_s_and_does_not_go_back_either() {
        let clock = SystemClock::default();
        let machine = machine();
        let hour = Duration::from_secs(3600);
        assert_eq!(clock.hear(machine), None);
        let apart = clock.hear(machine.plus(hour)).unwrap();
        assert!(apart > hour / 2, "{apart:?}");
        let now = clock.now();
        assert!(now >= machine.plus(hour));
        assert!(clock.hear(machine.minus(hour)).is_some());
        assert_eq!(clock.now(), now, "it stands still until then");
    }

    #[test]
    fn an_answer_s_date_corrects_a_clock_that_is_far_off_and_no_other() {
        let clock = SystemClock::default();
        let (near, far) = (Duration::from_secs(4), Duration::from_secs(300));
        clock.compare(machine().minus(near));
        assert_eq!(clock.lacks.load(Ordering::Relaxed), 0);
        clock.compare(machine().plus(far));
        let lacks = clock.lacks.load(Ordering::Relaxed);
        assert!(clock.now() >= machine().plus(far - near));
        // The next answers are a little older, or younger: that is no other time.
        clock.compare(machine().plus(far - near));
        assert_eq!(clock.lacks.load(Ordering::Relaxed), lacks);
        clock.compare(machine());
        assert!(clock.lacks.load(Ordering::Relaxed).abs() < 1_000_000);
    }
}

//! Times: how long a server may take, and how soon it is tried again.

use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// From its start until it has said what it is, and for each page of its tools.
    pub start: Duration,
    pub call: Duration,
    /// Nobody used it for this long: it is let go.
    pub idle: Duration,
    /// Nobody used it for this long: it is asked whether it is still there.
    pub fresh: Duration,
    /// How long it has for saying so.
    pub ping: Duration,
}

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(60);
/// A local server is started anew after a day.
pub const LIFE: Duration = Duration::from_secs(24 * 3600);

impl Default for Pace {
    fn default() -> Self {
        Self {
            start: ports::mcp::START_LIMIT,
            call: ports::mcp::CALL_LIMIT,
            idle: Duration::from_secs(300),
            fresh: Duration::from_secs(20),
            ping: Duration::from_secs(5),
        }
    }
}

impl Pace {
    /// The pause after so many failures in a row: none after the first, then doubling from a second on.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Option<Duration> {
        let doublings = failures.checked_sub(2)?;
        Some(Duration::from_secs(1 << doublings.min(6)).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let pauses = |failures| Pace::default().pause(failures).map(|pause| pause.as_secs());
        assert_eq!(
            [0, 1, 2, 3, 5, 8, 90].map(pauses),
            [None, None, Some(1), Some(2), Some(8), Some(60), Some(60)]
        );
    }
}

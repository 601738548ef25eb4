//! Moments and spans as integer microseconds, the unit every store keeps and compares.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment: microseconds since 1970-01-01T00:00:00Z. It is always UTC; a member's zone matters only when it is shown.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default,
)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// Whole days since 1970-01-01, UTC: the day by which money is counted.
    #[must_use]
    pub fn day(self) -> i64 {
        self.0.div_euclid(86_400_000_000)
    }

    /// How long ago `earlier` was; zero when it lies ahead (clocks jump).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Reads a span as people type it: `90s`, `45m`, `2h`, `3d`, or seconds alone. `None` for anything else.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        let read = |text| parse_span(text).map(|span| span.as_secs());
        let texts = [
            "90", "90s", "45m", "45min", "2h", "3d", "", "h", "1y", "-1h",
        ];
        assert_eq!(
            texts.map(read),
            [
                Some(90),
                Some(90),
                Some(2700),
                Some(2700),
                Some(7200),
                Some(259_200),
                None,
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn moments_and_spans() {
        let second = Duration::from_secs(1);
        assert_eq!(Micros(5).plus(second), Micros(1_000_005));
        assert_eq!(Micros(5).minus(second), Micros(-999_995));
        assert_eq!(Micros(1_000_005).since(Micros(5)), second);
        assert_eq!(Micros(5).since(Micros(6)), Duration::ZERO, "clocks jump");
        assert_eq!(Micros(5).plus(Duration::MAX), Micros(i64::MAX));
        assert_eq!(Micros(-5).minus(Duration::MAX), Micros(i64::MIN));
        assert_eq!(
            Micros(i64::MAX).since(Micros(i64::MIN)),
            Duration::from_micros(i64::MAX as u64)
        );
    }
}

//! Times and spans as people read them, in the reader's zone.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use domain::Micros;
use std::time::Duration;

/// `14:03 CET` today, `22 Nov 14:03 CET` this year, `22 Nov 2025 14:03 CET` else. An unknown or empty zone is UTC.
#[must_use]
pub fn at(when: Micros, now: Micros, zone: &str) -> String {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    let (Some(when), Some(now)) = (utc(when), utc(now)) else {
        return "at an unknown time".to_owned();
    };
    let (when, now) = (when.with_timezone(&zone), now.with_timezone(&zone));
    let format = match (when.year() == now.year(), when.ordinal() == now.ordinal()) {
        (true, true) => "%H:%M %Z",
        (true, false) => "%-d %b %H:%M %Z",
        _ => "%-d %b %Y %H:%M %Z",
    };
    when.format(format).to_string()
}

/// `21 Nov`, in UTC.
#[must_use]
pub fn day(when: Micros) -> String {
    utc(when).map_or_else(String::new, |when| when.format("%-d %b").to_string())
}

fn utc(when: Micros) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(when.0)
}

/// The largest unit that says enough: `45 s`, `12 min`, `23 h`, `3 days`.
#[must_use]
pub fn span(span: Duration) -> String {
    match span.as_secs() {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_the_readers_zone_and_as_short_as_it_can_be() {
        let now = Micros(1_795_255_380_000_000); // 2026-11-21T10:03:00Z
        assert_eq!(at(now, now, "Europe/Berlin"), "11:03 CET");
        assert_eq!(
            at(now.plus(Duration::from_secs(86_400)), now, ""),
            "22 Nov 10:03 UTC"
        );
        assert_eq!(
            at(
                now.plus(Duration::from_secs(50 * 86_400)),
                now,
                "Mars/Olympus"
            ),
            "10 Jan 2027 10:03 UTC"
        );
    }

    #[test]
    fn a_span_has_one_unit() {
        let said: Vec<String> = [0, 119, 120, 7_199, 86_399, 172_800]
            .map(|s| span(Duration::from_secs(s)))
            .to_vec();
        assert_eq!(said, ["0 s", "119 s", "2 min", "119 min", "23 h", "2 days"]);
    }
}

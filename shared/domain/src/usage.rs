//! What a model call used and what it cost.

use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Sub};

/// Money in millionths of a US dollar. Prices per million tokens in dollars are therefore micro-dollars per token.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default,
)]
#[serde(transparent)]
pub struct MicroUsd(pub i64);

impl MicroUsd {
    pub const ZERO: Self = Self(0);
}

impl Add for MicroUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MicroUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MicroUsd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Dollars with two digits, or four below one cent: `$1.25`, `$0.0042`, `$0`.
impl std::fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dollars = self.0 as f64 / 1e6;
        match self.0 {
            0 => f.write_str("$0"),
            1..=9_999 => write!(f, "${dollars:.4}"),
            _ => write!(f, "${dollars:.2}"),
        }
    }
}

/// Dollars with at most six digits after the point: `20`, `$2.50`.
impl std::str::FromStr for MicroUsd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("“{text}” is no amount in dollars: write 20 or 2.50.");
        let digits = text.trim().trim_start_matches('$');
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > 6 || !plain(whole) || !plain(part) {
            return Err(wrong());
        }
        format!("{whole}{part:0<6}")
            .parse()
            .map(Self)
            .map_err(|_| wrong())
    }
}

/// Tokens of one or more model calls, as the provider counted them.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(default)]
pub struct Usage {
    /// Input tokens that were neither read from nor written to the provider's cache.
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
}

impl Usage {
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input
            .saturating_add(self.output)
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_in_dollars() {
        let shown = |micros| MicroUsd(micros).to_string();
        assert_eq!(shown(0), "$0");
        assert_eq!(shown(4_200), "$0.0042");
        assert_eq!(shown(10_000), "$0.01");
        assert_eq!(shown(1_254_000), "$1.25");
    }

    #[test]
    fn dollars_are_read_exactly() {
        let read = |text: &str| text.parse::<MicroUsd>().ok().map(|money| money.0);
        let amounts = ["20", "$2.5", " 0.000001 ", "0"].map(read);
        assert_eq!(
            amounts,
            [Some(20_000_000), Some(2_500_000), Some(1), Some(0)]
        );
        for text in [
            "",
            "$",
            ".5",
            "-1",
            "1e3",
            "1.0000001",
            "1,5",
            "99999999999999",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn sums_do_not_overflow() {
        assert_eq!(MicroUsd(i64::MAX) + MicroUsd(1), MicroUsd(i64::MAX));
        assert_eq!(MicroUsd(i64::MIN) - MicroUsd(1), MicroUsd(i64::MIN));
        let mut usage = Usage {
            input: u64::MAX,
            output: 1,
            cache_read: 2,
            cache_write: 3,
        };
        assert_eq!(usage.total(), u64::MAX);
        usage += Usage {
            input: 1,
            output: 1,
            ..Usage::default()
        };
        assert_eq!((usage.input, usage.output), (u64::MAX, 2));
    }
}

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

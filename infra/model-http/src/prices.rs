//! What tokens cost, from `prices.json` beside this file. A model is found by the longest prefix of its name that ends at
//! a border (`-`, `.`, `:`, `@`), so that a dated version has its family's price; a model that is not found has none.
//!
//! Prices change: each row says since when it is known and from which page. Add or correct a row there and nowhere else.

use domain::{MicroUsd, Usage};
use serde::{Deserialize, Deserializer};
use std::sync::LazyLock;

/// US dollars per million tokens in the file, nano-dollars per token here, so that sums are exact.
#[derive(Clone, PartialEq, Eq, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub provider: String,
    /// The beginning of the names that this row is for.
    pub model: String,
    #[serde(deserialize_with = "nano_dollars")]
    input: u64,
    #[serde(deserialize_with = "nano_dollars")]
    output: u64,
    #[serde(deserialize_with = "nano_dollars")]
    cache_read: u64,
    /// Kept for five minutes, where the provider distinguishes.
    #[serde(deserialize_with = "nano_dollars")]
    cache_write: u64,
    /// The day on which the price was looked up, `YYYY-MM-DD`.
    pub as_of: String,
    /// The page that said so, in words.
    pub source: String,
}

/// What goes into one token at the least, for ceilings: real text has about four bytes to a token.
const BYTES_PER_TOKEN: u64 = 3;

impl Price {
    /// Rounded up to a millionth of a dollar.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> MicroUsd {
        let parts = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
        ];
        let nanos = parts.iter().fold(0_u64, |sum, (tokens, nanos)| {
            sum.saturating_add(tokens.saturating_mul(*nanos))
        });
        MicroUsd(i64::try_from(nanos.div_ceil(1000)).unwrap_or(i64::MAX))
    }

    /// What a request of this many bytes may cost at most: all of it at its dearest, and an answer of full length.
    #[must_use]
    pub fn ceiling(&self, bytes: u64, max_output_tokens: u32) -> MicroUsd {
        let tokens = bytes.div_ceil(BYTES_PER_TOKEN);
        let mut usage = Usage {
            output: u64::from(max_output_tokens),
            ..Usage::default()
        };
        if self.cache_write > self.input {
            usage.cache_write = tokens;
        } else {
            usage.input = tokens;
        }
        self.cost(&usage)
    }
}

/// The price of a provider's model, if it is known.
#[must_use]
pub fn lookup(provider: &str, model: &str) -> Option<&'static Price> {
    table()
        .iter()
        .filter(|price| price.provider == provider && covers(&price.model, model))
        .max_by_key(|price| price.model.len())
}

/// A family's `-pro` costs ten times as much: it has a row of its own, or no price rather than a wrong one.
fn covers(prefix: &str, model: &str) -> bool {
    model.strip_prefix(prefix).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(['-', '.', ':', '@']) && !rest.contains("-pro")
    })
}

fn table() -> &'static [Price] {
    static TABLE: LazyLock<Vec<Price>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("prices.json")).unwrap_or_else(|error| {
            // A test reads the file; should it slip through, models are unpriced rather than the program dead.
            tracing::error!(%error, "the price table cannot be read");
            Vec::new()
        })
    });
    &TABLE
}

fn nano_dollars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let dollars = f64::deserialize(deserializer)?;
    if (0.0..1e6).contains(&dollars) {
        Ok((dollars * 1000.0).round() as u64)
    } else {
        Err(serde::de::Error::custom(format!("{dollars} is no price")))
    }
}

#[cfg(test)]
mod tests;

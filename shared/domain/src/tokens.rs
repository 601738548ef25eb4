//! Tokens that nobody has counted yet, and what they decide: whether a model is told of all its tools at once.
//!
//! A text has about a token for every four bytes ([`BYTES_PER_TOKEN`]). Providers report what a request really had; [`Gauge`] is
//! that experience with one model, and weighs it against the rule of thumb.

use crate::tool::ToolSpec;
use serde::{Deserialize, Serialize};

/// “One token corresponds to about 4 characters of common English text” (OpenAI's documentation of its tokenizer). Counted with its
/// `o200k_base`: 4.5 in the tool lists of seven public MCP servers, 4.7 in conversations, 2.8 in JSON that tools answer.
pub const BYTES_PER_TOKEN: u64 = 4;
/// The rule of thumb counts like so many tokens that were seen: the first real request says more than it.
const PRIOR: u64 = 1_000;
/// So many tools are sent as they are, whatever they take: looking for them costs a turn each.
pub const FEW_TOOLS: usize = 15;
/// So are tools that have no more tokens than this together.
pub const FEW_TOKENS: u64 = 4_000;

/// What requests to a model had, in bytes and in tokens as the provider counted them.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
pub struct Gauge {
    pub bytes: u64,
    pub tokens: u64,
}

impl Gauge {
    /// The tokens of a text: its bytes by the ratio of all that was seen and the rule of thumb together,
    /// `bytes * (tokens + PRIOR) / (bytes seen + PRIOR * BYTES_PER_TOKEN)`.
    #[must_use]
    pub fn tokens(&self, bytes: u64) -> u64 {
        let seen = u128::from(self.bytes) + u128::from(PRIOR * BYTES_PER_TOKEN);
        let tokens = u128::from(bytes) * (u128::from(self.tokens) + u128::from(PRIOR)) / seen;
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }
}

impl std::ops::AddAssign for Gauge {
    fn add_assign(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.tokens = self.tokens.saturating_add(other.tokens);
    }
}

/// Bytes of what a model is told about a tool.
#[must_use]
pub fn bytes(tool: &ToolSpec) -> u64 {
    (tool.name.len() + tool.description.len() + tool.schema.to_string().len()) as u64
}

/// Whether tools are so many that a model looks for them instead of being told of all.
#[must_use]
pub fn are_many(tools: usize, tokens: u64) -> bool {
    tools > FEW_TOOLS && tokens > FEW_TOKENS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_providers_count_soon_weighs_more_than_the_rule_of_thumb() {
        assert_eq!(Gauge::default().tokens(4_000), 1_000);
        let mut gauge = Gauge {
            bytes: 8_000,
            tokens: 4_000,
        };
        assert_eq!(gauge.tokens(12_000), 5_000);
        gauge += Gauge {
            bytes: 1_000_000,
            tokens: 500_000,
        };
        assert_eq!(gauge.tokens(10_000), 4_990);
    }

    #[test]
    fn few_tools_are_sent_as_they_are() {
        assert!(!are_many(15, 60_000));
        assert!(!are_many(100, 4_000));
        assert!(are_many(16, 4_001));
    }
}

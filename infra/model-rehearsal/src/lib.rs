//! **Rehearsal**: a `Model` that works without a key, a network or a GPU, because it is a parser and says so.
//!
//! It turns lines such as `run: ls -la` or `write: notes.md: text`, and tool calls written as JSON, into tool calls, and the
//! results into a summary. So every flow of the product (cards, approvals, denials, diffs) can be tried and tested with it.
//! The same conversation always gets the same answer. Start reading at [`directive`]; [`answer`] puts the words together.

pub mod answer;
mod design;
pub mod directive;
mod extract;
mod finding;
mod passages;
mod summary;
mod written_call;

use async_trait::async_trait;
use domain::{MicroUsd, Usage, tokens::BYTES_PER_TOKEN};
use ports::model::{Model, ModelError, ModelReply, ModelRequest, OnText};

/// The provider's and the model's name.
pub const NAME: &str = "rehearsal";

/// See the module. It never fails and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rehearsal;

#[async_trait]
impl Model for Rehearsal {
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: OnText<'_>,
    ) -> Result<ModelReply, ModelError> {
        let answer = answer::to(request);
        for line in answer.text.split_inclusive('\n') {
            on_text(line);
        }
        let written = answer
            .calls
            .iter()
            .map(|call| call.name.len() + call.arguments.to_string().len());
        let output = answer.text.len() + written.sum::<usize>();
        Ok(ModelReply {
            usage: Usage {
                // So that it looks like that of a real model.
                input: request.bytes() / BYTES_PER_TOKEN,
                output: output as u64 / BYTES_PER_TOKEN,
                ..Usage::default()
            },
            text: answer.text,
            calls: answer.calls,
            cost: MicroUsd::ZERO,
            priced: false,
            truncated: false,
        })
    }

    fn ceiling(&self, _: &ModelRequest) -> MicroUsd {
        MicroUsd::ZERO
    }

    /// It reads everything; what it is shown should be as for a real model.
    fn window(&self, _: &str) -> u64 {
        128_000
    }

    fn is_priced(&self, _: &str) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;

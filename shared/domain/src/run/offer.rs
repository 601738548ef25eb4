//! How a run's model is told of its tools: decided before it is asked for the first time, and fixed for the run.

use super::Event;
use crate::{Usage, tokens::Gauge};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// Whether tools are looked for when they are needed; none where there was nothing to decide.
    pub on_demand: Option<bool>,
    /// The first request that was answered: its tokens are 0 until then, its bytes where nothing was decided.
    pub gauge: Gauge,
}

impl Offer {
    pub(super) fn decide(&mut self, event: &Event) {
        if let Event::ToolsOffered {
            on_demand, bytes, ..
        } = event
        {
            self.on_demand = Some(*on_demand);
            self.gauge.bytes = *bytes;
        }
    }

    /// A reply to a request; the provider's cache held some of it.
    pub(super) fn count(&mut self, usage: &Usage) {
        if self.gauge.tokens == 0 {
            self.gauge.tokens = usage.input + usage.cache_read + usage.cache_write;
        }
    }

    /// Another request went out than the one whose bytes were noted.
    pub(super) fn miss(&mut self) {
        if self.gauge.tokens == 0 {
            self.gauge.bytes = 0;
        }
    }

    /// What was learned, if anything was.
    pub(super) fn learned(&self) -> Option<Gauge> {
        let Gauge { bytes, tokens } = self.gauge;
        (bytes > 0 && tokens > 0).then_some(self.gauge)
    }
}

//! How a run's model is told of its tools: decided before it is asked for the first time, and fixed for the run.

use super::Event;
use crate::{Usage, tokens::Gauge};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// Whether tools are looked for when they are needed; none where there was nothing to decide.
    pub on_demand: Option<bool>,
    /// The first request that was answered, in journals from before each one's bytes were noted: its tokens are 0 until then, its bytes where
    /// nothing was decided.
    pub gauge: Gauge,
    /// The latest request that was answered.
    pub latest: Gauge,
    /// Bytes of the request under way.
    asked: u64,
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

    /// A request goes out.
    pub(super) fn ask(&mut self, bytes: u64) {
        self.asked = bytes;
    }

    /// A reply to it; the provider's cache held some of it.
    pub(super) fn count(&mut self, usage: &Usage) {
        let tokens = usage.input + usage.cache_read + usage.cache_write;
        if self.gauge.tokens == 0 {
            self.gauge.tokens = tokens;
        }
        if self.asked > 0 && tokens > 0 {
            let bytes = self.asked;
            self.latest = Gauge { bytes, tokens };
        }
        self.asked = 0;
    }

    /// Another request went out than the one whose bytes were noted.
    pub(super) fn miss(&mut self) {
        if self.gauge.tokens == 0 {
            self.gauge.bytes = 0;
        }
        self.asked = 0;
    }

    /// What was learned, if anything was.
    #[must_use]
    pub fn learned(&self) -> Option<Gauge> {
        let known = |gauge: &Gauge| gauge.bytes > 0 && gauge.tokens > 0;
        [self.latest, self.gauge].into_iter().find(known)
    }
}

//! How fast the bot sent, to be held against Telegram's unofficial limits (30 messages/s overall, 1/s per chat, 20/min per
//! group). Counted on the real clock: `advance` doesn't touch it.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// The most messages that Telegram accepted within any window of the length named. Edits are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    pub per_second: usize,
    pub per_chat_second: usize,
    pub per_group_minute: usize,
}

#[derive(Default)]
pub(super) struct RateLog {
    overall: Window,
    chats: HashMap<i64, Window>,
    groups: HashMap<i64, Window>,
}

/// Keeps only what lies within the window, and the most there ever was.
#[derive(Default)]
struct Window {
    recent: VecDeque<Instant>,
    most: usize,
}

impl Window {
    fn add(&mut self, at: Instant, length: Duration) {
        while self
            .recent
            .front()
            .is_some_and(|first| at.duration_since(*first) >= length)
        {
            self.recent.pop_front();
        }
        self.recent.push_back(at);
        self.most = self.most.max(self.recent.len());
    }
}

impl RateLog {
    pub fn sent(&mut self, chat: i64, is_group: bool) {
        let now = Instant::now();
        self.overall.add(now, Duration::from_secs(1));
        self.chats
            .entry(chat)
            .or_default()
            .add(now, Duration::from_secs(1));
        if is_group {
            self.groups
                .entry(chat)
                .or_default()
                .add(now, Duration::from_secs(60));
        }
    }

    pub fn rates(&self) -> Rates {
        let most = |windows: &HashMap<i64, Window>| {
            windows
                .values()
                .map(|window| window.most)
                .max()
                .unwrap_or(0)
        };
        Rates {
            per_second: self.overall.most,
            per_chat_second: most(&self.chats),
            per_group_minute: most(&self.groups),
        }
    }
}

//! How fast this bot may send. Telegram publishes no exact limits; what is known (its FAQ for bots, and years of other bots) is
//! about 30 messages a second in all, one a second in a chat with bursts, 20 a minute in a group. One book per token in a
//! process keeps them, so that Telegram need not say “too many requests”; when it does, that is obeyed for all that goes there.

use super::place::Place;
use domain::Micros;
use ports::Clock;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// So many within any span of that length.
#[derive(Clone, Copy)]
struct Rate {
    most: usize,
    within: Duration,
}

/// Two below 30: what is sent evenly need not arrive so.
const BOT: Rate = Rate {
    most: 28,
    within: Duration::from_secs(1),
};
const PRIVATE: Rate = Rate {
    most: 20,
    within: Duration::from_secs(20),
};
const GROUP: Rate = Rate {
    most: 20,
    within: Duration::from_secs(60),
};
/// Chats whose book is empty are forgotten when there are more than this.
const CHATS: usize = 1000;

/// Whether something may be sent to a chat now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Now,
    /// The whole bot is at its limit for a moment, of a second at most.
    Soon(Duration),
    /// This chat is at its limit, or Telegram said to wait.
    Later(Duration),
}

pub struct Rates {
    clock: Arc<dyn Clock>,
    /// Without it only what Telegram says is obeyed.
    paced: bool,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    all: VecDeque<Micros>,
    chats: HashMap<i64, Chat>,
    /// Nothing is sent anywhere before this.
    held: Micros,
}

#[derive(Default)]
struct Chat {
    sent: VecDeque<Micros>,
    held: Micros,
}

impl Rates {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, paced: bool) -> Self {
        let book = Mutex::default();
        Self { clock, paced, book }
    }

    /// Takes a turn for a message or an edit that people wait for.
    pub fn take(&self, chat: i64) -> Turn {
        let now = self.clock.now();
        self.lock().take(chat, now, self.paced.then_some(1))
    }

    /// Takes a turn for what may as well be left out: only of what messages leave, which is half of each rate.
    pub fn take_spare(&self, chat: i64) -> Turn {
        let now = self.clock.now();
        self.lock().take(chat, now, self.paced.then_some(2))
    }

    /// Telegram said to wait this long. It does not say whether it means the chat or the bot: while it holds one chat, a second
    /// one means the bot.
    pub fn hold(&self, chat: i64, wait: Duration) {
        let now = self.clock.now();
        let mut book = self.lock();
        let until = now.plus(wait);
        let other = |(id, other): (&i64, &Chat)| *id != chat && other.held > now;
        if book.chats.iter().any(other) {
            book.held = book.held.max(until);
        }
        let held = &mut book.chats.entry(chat).or_default().held;
        *held = until.max(*held);
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// `share`: one of so many parts of each rate may be used up; `None` for all there is.
    fn take(&mut self, chat: i64, now: Micros, share: Option<usize>) -> Turn {
        self.forget(now);
        let of = self.chats.entry(chat).or_default();
        let held = self.held.since(now).max(of.held.since(now));
        if !held.is_zero() {
            return Turn::Later(held);
        }
        let Some(share) = share else { return Turn::Now };
        let rate = match Place::new(chat, None).is_group() {
            true => GROUP,
            false => PRIVATE,
        };
        let (here, all) = (
            rate.wait(&mut of.sent, now, share),
            BOT.wait(&mut self.all, now, share),
        );
        if !here.is_zero() {
            return Turn::Later(here);
        }
        if !all.is_zero() {
            return Turn::Soon(all);
        }
        of.sent.push_back(now);
        self.all.push_back(now);
        Turn::Now
    }

    fn forget(&mut self, now: Micros) {
        if self.chats.len() > CHATS {
            self.chats.retain(|_, chat| {
                let last = chat.sent.back();
                chat.held > now || last.is_some_and(|last| now.since(*last) < GROUP.within)
            });
        }
    }
}

impl Rate {
    /// How long until one more may be sent.
    fn wait(self, sent: &mut VecDeque<Micros>, now: Micros, share: usize) -> Duration {
        while sent
            .front()
            .is_some_and(|first| now.since(*first) >= self.within)
        {
            sent.pop_front();
        }
        let most = self.most / share;
        // The one that has to leave the span before there is room.
        match sent.len().checked_sub(most).and_then(|at| sent.get(at)) {
            Some(first) => first.plus(self.within).since(now),
            None => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;

//! Long polling. An update is confirmed (by the next poll's offset) only after it is stored.

use super::{
    api::{Api, ApiError},
    parse::incoming,
    payload::{GetUpdates, POLL_SECONDS, allowed_updates},
};
use crate::inbox::{Inbox, Incoming};
use serde_json::value::RawValue;
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use teloxide::payloads::DeleteWebhook;

/// The first wait after a failure; it doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// When another program polls with this token; it ends our polls as we end its.
const CONFLICT: Duration = Duration::from_secs(5);

/// Between two notes that Telegram answered. An idle poll lasts longer.
const HEARD_EVERY: Duration = Duration::from_secs(30);
/// Telegram keeps a tap for so long; one that is not fetched by then is lost.
pub const TAP_LIFE: Duration = Duration::from_secs(150);

pub struct Poller {
    api: Api,
    inbox: Arc<dyn Inbox>,
    /// Above what is stored and not yet confirmed. None while there is nothing to confirm: Telegram may begin its numbers anew
    /// after a quiet week, and an old offset would hide what comes then.
    offset: Option<i64>,
    failures: u32,
    heard: Option<Instant>,
}

impl Poller {
    #[must_use]
    pub fn new(api: Api, inbox: Arc<dyn Inbox>) -> Self {
        Self {
            api,
            inbox,
            offset: None,
            failures: 0,
            heard: None,
        }
    }

    /// Polls until `stop`. A webhook that is set would forbid polling and is taken away first; what waits is kept.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        tokio::select! {
            biased;
            () = &mut stop => {}
            () = self.poll_for_ever() => {}
        }
    }

    async fn poll_for_ever(&mut self) {
        while let Err(error) = self.api.call::<_, bool>(&DeleteWebhook::new()).await {
            self.pause(&error).await;
        }
        loop {
            match self.poll().await {
                Ok(updates) => {
                    self.take(updates).await;
                    self.heard().await;
                }
                Err(error) => self.pause(&error).await,
            }
        }
    }

    async fn poll(&self) -> Result<Vec<Box<RawValue>>, ApiError> {
        let payload = GetUpdates {
            offset: self.offset,
            // Whether Telegram answers is not known yet: a poll that waits for updates would tell a minute later.
            timeout: match self.heard {
                Some(_) => POLL_SECONDS,
                None => 0,
            },
            limit: 100,
            allowed_updates: allowed_updates(),
        };
        self.api.call(&payload).await
    }

    /// Telegram answered. That is written down now and then, so that an absence can be told from silence.
    async fn heard(&mut self) {
        if self.heard.is_some_and(|at| at.elapsed() < HEARD_EVERY) {
            return;
        }
        let surface = self.api.surface();
        match self.inbox.heard(&surface, TAP_LIFE).await {
            Ok(()) => self.heard = Some(Instant::now()),
            Err(error) => {
                tracing::warn!(%error, "that Telegram answers could not be written down");
            }
        }
    }

    async fn take(&mut self, updates: Vec<Box<RawValue>>) {
        if self.failures > 0 {
            tracing::info!("Telegram answers again");
            self.failures = 0;
            // It may have been away for long.
            self.heard = None;
        }
        self.offset = None;
        let read: Vec<Incoming> = updates
            .iter()
            .filter_map(|update| incoming(update.get(), self.api.bot_id()))
            .collect();
        if read.len() < updates.len() {
            // Without a number it can be neither filed nor confirmed; Telegram has never sent one.
            tracing::warn!(
                count = updates.len() - read.len(),
                "updates without a number were passed over"
            );
        }
        let Some(last) = read
            .iter()
            .filter_map(|one| one.update.parse::<i64>().ok())
            .max()
        else {
            return;
        };
        let mut wait = SHORTEST;
        while let Err(error) = self.inbox.store(&read).await {
            // Telegram keeps them for a day; polling on would confirm nothing, so it can as well wait here.
            tracing::error!(%error, "received updates could not be stored; trying again in {wait:?}");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST);
        }
        self.offset = Some(last + 1);
    }

    async fn pause(&mut self, error: &ApiError) {
        self.failures = self.failures.saturating_add(1);
        let wait = match error {
            ApiError::Refused {
                retry_after: Some(wait),
                ..
            } => *wait,
            ApiError::Refused { code: 409, .. } => {
                tracing::warn!(
                    "another program polls with the same token ({error}): stop it, or give this one a bot of its own"
                );
                CONFLICT
            }
            ApiError::Refused {
                code: 401 | 404, ..
            } => {
                tracing::error!("Telegram refuses the token ({error}): check TELEGRAM_BOT_TOKEN");
                LONGEST
            }
            _ => {
                // A poll that was cut is nothing unusual; two in a row are.
                if self.failures == 2 {
                    tracing::warn!("{error}; trying again until it answers");
                }
                (SHORTEST * 2u32.saturating_pow(self.failures.min(10))).min(LONGEST)
            }
        };
        tokio::time::sleep(wait).await;
    }
}

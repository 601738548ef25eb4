//! Long polling. An update is confirmed (by the next poll's offset) only after it is stored.

use super::{
    api::{Api, ApiError},
    parse::incoming,
    payload::{GetUpdates, POLL_SECONDS, allowed_updates},
};
use crate::inbox::{Inbox, Incoming};
use serde_json::value::RawValue;
use std::{future::Future, sync::Arc, time::Duration};
use teloxide::payloads::DeleteWebhook;

/// The first wait after a failure; it doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// When another program polls with this token; it ends our polls as we end its.
const CONFLICT: Duration = Duration::from_secs(5);

pub struct Poller {
    api: Api,
    inbox: Arc<dyn Inbox>,
    offset: Option<i64>,
    failures: u32,
}

impl Poller {
    #[must_use]
    pub fn new(api: Api, inbox: Arc<dyn Inbox>) -> Self {
        Self {
            api,
            inbox,
            offset: None,
            failures: 0,
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
                Ok(updates) => self.take(updates).await,
                Err(error) => self.pause(&error).await,
            }
        }
    }

    async fn poll(&self) -> Result<Vec<Box<RawValue>>, ApiError> {
        let payload = GetUpdates {
            offset: self.offset,
            timeout: POLL_SECONDS,
            limit: 100,
            allowed_updates: allowed_updates(),
        };
        self.api.call(&payload).await
    }

    async fn take(&mut self, updates: Vec<Box<RawValue>>) {
        if self.failures > 0 {
            tracing::info!("Telegram answers again");
            self.failures = 0;
        }
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

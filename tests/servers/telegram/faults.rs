//! What Telegram may do to a bot on a bad day, asked for by a test: per method, so many times, in the order asked for.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;

use super::answer::ApiError;

#[derive(Debug, Clone)]
pub enum Fault {
    /// 429 with `retry_after` in seconds.
    TooManyRequests(u32),
    /// 500 with Telegram's JSON.
    InternalServerError,
    /// 502 with a proxy's HTML page instead of JSON.
    BadGateway,
    /// The connection closes; the request is not carried out.
    DropBefore,
    /// The request is carried out; the connection closes without an answer.
    DropAfter,
    /// The request is carried out after so long.
    Delay(Duration),
    /// 403: the person blocked the bot.
    Blocked,
    /// 400: there is no such chat.
    ChatNotFound,
    /// 400 with `migrate_to_chat_id`.
    MigratedTo(i64),
    /// Any other error in Telegram's form.
    Error(u16, String),
    #[doc(hidden)]
    HoldBefore(Arc<Gate>),
    #[doc(hidden)]
    HoldAfter(Arc<Gate>),
}

impl Fault {
    /// The error that this fault is answered with, for those that are answered with one in JSON.
    pub(super) fn error(&self) -> Option<ApiError> {
        let with = |mut error: ApiError, parameters| {
            error.parameters = Some(parameters);
            error
        };
        Some(match self {
            Self::TooManyRequests(seconds) => with(
                ApiError::new(429, format!("Too Many Requests: retry after {seconds}")),
                json!({"retry_after": seconds}),
            ),
            Self::InternalServerError => ApiError::new(500, "Internal Server Error"),
            Self::Blocked => ApiError::forbidden("bot was blocked by the user"),
            Self::ChatNotFound => ApiError::bad("chat not found"),
            Self::MigratedTo(chat) => with(
                ApiError::bad("group chat was upgraded to a supergroup chat"),
                json!({"migrate_to_chat_id": chat}),
            ),
            Self::Error(code, description) => ApiError::new(*code, description.clone()),
            Self::BadGateway
            | Self::DropBefore
            | Self::DropAfter
            | Self::Delay(_)
            | Self::HoldBefore(_)
            | Self::HoldAfter(_) => return None,
        })
    }
}

/// Faults that are still to happen, by method in lower case; `*` stands for every method but `getUpdates`.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: HashMap<String, VecDeque<(Fault, usize)>>,
}

impl Faults {
    pub fn add(&mut self, method: &str, fault: Fault, times: usize) {
        self.waiting
            .entry(method.to_ascii_lowercase())
            .or_default()
            .push_back((fault, times));
    }

    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    pub fn next(&mut self, method: &str) -> Option<Fault> {
        if self.waiting.is_empty() {
            return None;
        }
        let named = self.take(&method.to_ascii_lowercase());
        if named.is_some() || method == "getUpdates" {
            named
        } else {
            self.take("*")
        }
    }

    fn take(&mut self, key: &str) -> Option<Fault> {
        let queue = self.waiting.get_mut(key)?;
        let (fault, times) = queue.front_mut()?;
        let fault = fault.clone();
        *times = times.saturating_sub(1);
        if *times == 0 {
            queue.pop_front();
        }
        Some(fault)
    }
}

/// Where a held request waits.
#[derive(Debug)]
pub struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            arrived: Semaphore::new(0),
            open: Semaphore::new(0),
        })
    }

    pub(super) async fn pass(&self) {
        self.arrived.add_permits(1);
        // Closed (by `Held`) means open to everybody.
        let _ = self.open.acquire().await;
    }
}

/// A request held at the server until this is released or dropped.
#[derive(Debug)]
pub struct Held(pub(super) Arc<Gate>);

impl Held {
    /// Waits until the request has arrived (and, with `hold_answer`, has been carried out).
    pub async fn reached(&self) {
        if let Ok(permit) = self.0.arrived.acquire().await {
            permit.forget();
        }
    }

    /// Lets the request go on.
    pub fn release(self) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.open.close();
    }
}

//! Telegram: updates in (long polling or a webhook), messages out, one status message while a run works.
//!
//! teloxide gives the client and the payloads. Its dispatcher is not used: it keeps order and unfinished work in memory only,
//! and drops kinds of updates that it doesn't know. Here an update is stored as it came before Telegram may forget it.

mod api;
mod attached;
mod error;
mod files;
mod form;
mod hear;
mod menu;
mod messenger;
mod parse;
mod payload;
mod place;
mod poll;
mod rates;
mod render;
mod status;
mod webhook;

pub use api::{Api, ApiError, Me};
pub use error::send_error;
pub use files::{LIMIT as DOWNLOAD, TelegramFiles};
pub use menu::set_menu;
pub use messenger::TelegramMessenger;
pub use parse::parse;
pub use place::{Place, SURFACE};
pub use poll::{Poller, TAP_LIFE};
pub use rates::Rates;
pub use status::{Pace, StatusMessages};
pub use webhook::{Webhook, WebhookInfo, webhook};

#[cfg(test)]
mod tests;

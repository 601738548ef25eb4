//! **FakeTelegram**: a stateful Bot API server on loopback, for tests and benches.
//!
//! A test plays the people (`person.rs`: send, reply, tap, edit, add the bot to a group) and the program under test is the
//! bot: it talks to [`FakeTelegram::url`] over HTTP exactly as it would to Telegram. What the bot did is seen through
//! [`FakeTelegram::wait_for`], [`Conversation::transcript`] and [`FakeTelegram::requests`]; what Telegram may do to a bot
//! on a bad day is asked for with [`FakeTelegram::inject`].
//!
//! ```ignore
//! let tg = FakeTelegram::start().await;
//! let ada = tg.private_chat(&User::new(1001, "Ada"));
//! ada.send("/start");
//! let card = ada.wait_for_button("Approve").await;
//! ada.tap(card.id, "Approve");
//! ```
//!
//! How a request travels: `connection` (a socket that can be cut) → `server` (token, method, faults) → `params` (JSON, form
//! or multipart become one shape) → `methods/…` (under the one mutex around [`state`]) → back. Updates travel the other way:
//! `person` → `updates` (queue) → `getUpdates` or `webhook`.
//!
//! Where it is simpler than Telegram: people's messages in groups always reach the bot (as with privacy mode off); text isn't
//! trimmed; `parse_mode` is recorded and not parsed; a webhook may be plain `http` on loopback, and a method in the webhook's
//! response body is not carried out.

mod answer;
mod arrivals;
mod connection;
mod fake;
mod faults;
mod group;
pub mod honesty;
mod message;
mod methods;
mod params;
mod person;
mod rates;
mod server;
mod state;
mod transcript;
mod updates;
mod view;
mod webhook;

pub use fake::{FakeTelegram, Options};
pub use faults::{Fault, Held};
pub use group::Group;
pub use message::{Button, Document, Message};
pub use person::Conversation;
pub use rates::Rates;
pub use state::{CallbackAnswer, RecordedRequest, User};
pub use view::View;
pub use webhook::{DeliveryAttempt, PushStyle};

#[cfg(test)]
mod tests;

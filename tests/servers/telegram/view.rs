//! Looking at what the bot did, and waiting for it without sleeping.

use std::cell::Cell;
use std::fmt::Write as _;

use tokio::time::Instant;

use super::message::Message;
use super::server::Shared;
use super::state::{CallbackAnswer, RecordedRequest, State};
use super::transcript;
use super::webhook::DeliveryAttempt;

const REQUESTS_SHOWN: usize = 20;

thread_local! {
    /// Whether this thread is inside a test's `look`, which holds the lock.
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// Calls `look` under the lock.
pub(super) fn look<T>(shared: &Shared, look: impl FnOnce(&View<'_>) -> T) -> T {
    struct Looked;
    impl Drop for Looked {
        fn drop(&mut self) {
            LOOKING.set(false);
        }
    }
    let state = shared.lock();
    LOOKING.set(true);
    let _looked = Looked;
    look(&View { state: &state })
}

/// Fails a test that would otherwise wait for itself for ever.
pub(super) fn check_not_looking() {
    if LOOKING.get() {
        give_up(
            "inside wait_for and view, ask the View that was handed in and not the fake itself",
        );
    }
}

/// The fake's state as a test may see it. It is seen under the lock: look, clone what is needed, return, and call nothing else
/// of the fake's meanwhile.
pub struct View<'a> {
    state: &'a State,
}

impl<'a> View<'a> {
    /// A chat's messages, oldest first, the deleted ones among them.
    pub fn messages(&self, chat: i64) -> &'a [Message] {
        self.state
            .chats
            .get(&chat)
            .map_or(&[], |chat| chat.messages.as_slice())
    }

    /// A message that is there.
    pub fn message(&self, chat: i64, id: i64) -> Option<&'a Message> {
        self.state.message(chat, id)
    }

    pub fn chats(&self) -> impl Iterator<Item = i64> + 'a {
        self.state.chats.keys().copied()
    }

    pub fn answers_to_callbacks(&self) -> &'a [CallbackAnswer] {
        &self.state.answers
    }

    pub fn requests(&self) -> &'a [RecordedRequest] {
        &self.state.requests
    }

    /// Every attempt to reach the webhook.
    pub fn deliveries(&self) -> &'a [DeliveryAttempt] {
        &self.state.push.attempts
    }

    pub fn pending_updates(&self) -> usize {
        self.state.updates.len()
    }
}

pub(super) async fn wait<T>(
    shared: &Shared,
    what: &str,
    mut find: impl FnMut(&View<'_>) -> Option<T>,
) -> T {
    let patience = shared.lock().patience;
    let deadline = Instant::now() + patience;
    loop {
        let mut acted = std::pin::pin!(shared.bot_acted.notified());
        acted.as_mut().enable();
        if let Some(found) = look(shared, &mut find) {
            return found;
        }
        if tokio::time::timeout_at(deadline, acted).await.is_err() {
            let dump = dump(&shared.lock());
            give_up(&format!(
                "{what} did not happen within {} s\n\n{dump}",
                patience.as_secs()
            ));
        }
    }
}

/// Everything that helps to see why a test failed.
pub(super) fn dump(state: &State) -> String {
    let mut out = transcript::all(state);
    let skipped = state.requests.len().saturating_sub(REQUESTS_SHOWN);
    let _ = writeln!(
        out,
        "--- the last requests ({skipped} earlier ones not shown; {} updates wait)",
        state.updates.len()
    );
    for request in state.requests.iter().skip(skipped) {
        let outcome = request.outcome.as_deref().unwrap_or("under way");
        let _ = writeln!(
            out,
            "{:>8.3}s {} -> {outcome}\n          {}",
            request.at.as_secs_f64(),
            request.method,
            request.params
        );
    }
    out
}

/// Fails the test.
#[allow(
    clippy::panic,
    reason = "this crate holds tests only, and a test fails by panicking"
)]
pub(super) fn give_up(why: &str) -> ! {
    panic!("{why}")
}

//! What Telegram's refusals mean for a message: later, never, nobody there, or nobody knows.
//!
//! Telegram numbers its errors coarsely (400, 403) and tells them apart by sentences, which its server's source and years of
//! bots have kept stable. They are compared in lower case and by a part, for prefixes differ.

use super::{api::ApiError, place::Place};
use ports::message::SendError;
use std::time::Duration;

/// When Telegram says “too many requests” without saying for how long.
const WAIT: Duration = Duration::from_secs(1);

const GONE: [&str; 12] = [
    "chat not found",
    "user is deactivated",
    "group chat was deactivated",
    "group chat was deleted",
    "bot was kicked",
    "bot was blocked",
    "bot is not a member",
    "peer_id_invalid",
    "user_is_blocked",
    "message thread not found",
    "topic_deleted",
    "the group has been migrated",
];

const MISSING: [&str; 4] = [
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message to edit",
];

/// For a message; for an edit as well, where `message is not modified` never gets here (see [`is_unmodified`]).
#[must_use]
pub fn send_error(error: ApiError) -> SendError {
    let text = error.to_string();
    match error {
        ApiError::Unreachable(why) => SendError::NotDelivered(why),
        ApiError::Broken(why) => SendError::Unknown(why),
        ApiError::Refused {
            migrate_to: Some(chat),
            ..
        } => SendError::Moved(Place::new(chat, None).session()),
        ApiError::Refused {
            code: 429,
            retry_after,
            ..
        } => SendError::RetryAfter(retry_after.unwrap_or(WAIT)),
        ApiError::Refused {
            retry_after: Some(wait),
            ..
        } => SendError::RetryAfter(wait),
        // The server failed somewhere; the message may be out.
        ApiError::Refused { code: 500.., .. } => SendError::Unknown(text),
        // A wrong token is put right in the configuration, and then the message can go.
        ApiError::Refused {
            code: 401 | 404, ..
        } => SendError::NotDelivered(format!("the token was refused: {text}")),
        ApiError::Refused {
            code, description, ..
        } => refused(code, &description.to_lowercase(), text),
    }
}

fn refused(code: u16, said: &str, text: String) -> SendError {
    let says = |sentences: &[&str]| sentences.iter().any(|sentence| said.contains(sentence));
    if says(&MISSING) {
        SendError::Missing
    } else if code == 403 || says(&GONE) {
        SendError::Gone(text)
    } else {
        SendError::Refused(text)
    }
}

fn says(error: &ApiError, sentence: &str) -> bool {
    matches!(error, ApiError::Refused { description, .. } if description.to_lowercase().contains(sentence))
}

/// The message shows already what the edit would show.
pub(super) fn is_unmodified(error: &ApiError) -> bool {
    says(error, "message is not modified")
}

/// The tap is too old to be answered.
pub(super) fn is_stale_tap(error: &ApiError) -> bool {
    says(error, "query is too old") || says(error, "query id is invalid")
}

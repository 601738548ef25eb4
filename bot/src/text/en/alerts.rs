//! What went wrong while nobody was asking: the person whose message it was, or the owner, is told.

use crate::text::one_line;
use domain::id::SessionId;
use handlers::Problem;

/// `prompt` is how the message begins that waited.
#[must_use]
pub fn not_started(prompt: &str, why: &Problem) -> String {
    let why = match why {
        Problem::NotAllowed { .. } => "Who wrote it may not start anything any more.".to_owned(),
        why => super::problem(why),
    };
    format!(
        "⚠️ The message “{}” waited, and now it could not be started. {}",
        one_line(prompt),
        why.trim_end()
    )
}

#[must_use]
pub fn undelivered(to: &SessionId, card: bool, why: &str) -> String {
    let what = if card { "card" } else { "message" };
    format!("⚠️ A {what} could not be delivered to {to}: {}", why.trim())
}

/// `what` is what the job was about.
#[must_use]
pub fn set_aside(job: &str, what: &str, attempts: u32, why: &str) -> String {
    let times = match attempts {
        1 => "1 attempt".to_owned(),
        times => format!("{times} attempts"),
    };
    format!(
        "⚠️ A job was set aside after {times} and needs a look: {job} ({what}): {}",
        why.trim()
    )
}

#[must_use]
pub fn dead_letters(count: u64) -> String {
    let wakes = match count {
        1 => "1 wake-up of a function was".to_owned(),
        count => format!("{count} wake-ups of functions were"),
    };
    format!(
        "⚠️ {wakes} given up after several failures. No work is lost: the tick finds it within a minute. The cause is in the functions' \
         log; when it is gone, purge the dead-letter queue."
    )
}

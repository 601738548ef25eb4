//! The envelopes of cloud functions: what AWS Lambda hands in and gets back. What is in them are hints only.

use app::cloud::NotDone;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is left until a deadline, which Lambda gives in milliseconds of Unix time.
#[must_use]
pub fn left(deadline: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Duration::from_millis(deadline).saturating_sub(now.unwrap_or_default())
}

/// The answer to an event. When nobody looked for work, all hints of a queue come again, and a schedule's invocation has failed.
///
/// # Errors
/// [`NotDone`], where there is no queue that it could be said to.
pub fn verdict(event: &Value, done: Result<(), NotDone>) -> Result<Value, NotDone> {
    let Err(why) = done else {
        return Ok(json!({"batchItemFailures": []}));
    };
    let Some(messages) = event["Records"].as_array() else {
        return Err(why);
    };
    eprintln!(
        "{}",
        json!({"level": "ERROR", "message": "not done; the queue's messages come again", "error": why.0})
    );
    let failed = messages
        .iter()
        .map(|message| json!({"itemIdentifier": message["messageId"]}));
    Ok(json!({"batchItemFailures": failed.collect::<Vec<_>>()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_again_only_when_nobody_looked() {
        let event = json!({"Records": [{"messageId": "a", "body": "run"}, {"messageId": "b", "body": "{"}]});
        let not = || Err(NotDone("no store".to_owned()));
        let none = json!({"batchItemFailures": []});
        assert_eq!(verdict(&event, Ok(())), Ok(none.clone()));
        assert_eq!(verdict(&json!({}), Ok(())), Ok(none));
        let all = json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]});
        assert_eq!(verdict(&event, not()), Ok(all));
        let schedule = verdict(&json!({"source": "schedule"}), not());
        assert_eq!(schedule, Err(NotDone("no store".to_owned())));
    }

    #[test]
    fn a_deadline_that_is_over_leaves_nothing() {
        assert_eq!(left(0), Duration::ZERO);
        assert!(left(u64::MAX / 2) > Duration::from_secs(1));
    }
}

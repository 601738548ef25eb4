//! Sentences about the conversations of a chat.

use crate::text::one_line;
use domain::run::RunStatus;
use handlers::sessions::Listed;

pub const FRESH: &str = "A new conversation: what was said before is not known in it; /sessions goes back there. Files stay.";
pub const THERE_AGAIN: &str = "You are in that conversation now.";
pub const CONVERSATIONS: &str = "Conversations here";

/// Above what goes on in other chats.
pub const ELSEWHERE: &str = "\nElsewhere, where it goes on:";
pub const IN_PRIVATE: &str = "in your private chat";

#[must_use]
pub fn in_a_group(topic: Option<i32>) -> String {
    match topic {
        Some(topic) => format!("in a group, topic {topic}"),
        None => "in a group".to_owned(),
    }
}

/// `in a group · Fix the invoices · coder · 09:00 UTC · waits`.
#[must_use]
pub fn conversation_elsewhere(place: &str, one: &Listed, at: &str) -> String {
    let mut parts = vec![
        place.to_owned(),
        title(one),
        one_line(&one.agent),
        at.to_owned(),
    ];
    parts.extend(standing(one.run).map(str::to_owned));
    parts.join(" · ")
}

/// `3 · Fix the invoices · coder · 09:00 UTC · waits`.
#[must_use]
pub fn conversation(one: &Listed, at: &str) -> String {
    let mut parts = vec![
        one.number.to_string(),
        title(one),
        one_line(&one.agent),
        at.to_owned(),
    ];
    parts.extend(standing(one.run).map(str::to_owned));
    if one.here {
        parts.push("here".to_owned());
    }
    parts.join(" · ")
}

fn title(one: &Listed) -> String {
    match one.title.as_str() {
        "" => "(nothing said yet)".to_owned(),
        title => one_line(title),
    }
}

fn standing(run: Option<RunStatus>) -> Option<&'static str> {
    match run? {
        RunStatus::Running => Some("at work"),
        RunStatus::Waiting => Some("waits for you"),
        _ => None,
    }
}

#[must_use]
pub fn resumed(one: &Listed) -> String {
    let state = match standing(one.run) {
        Some(state) => format!(" It {}.", state.replace("at work", "is at work")),
        None => String::new(),
    };
    format!(
        "Back in conversation {}, “{}”. You talk to {}.{state}",
        one.number,
        title(one),
        one_line(&one.agent)
    )
}

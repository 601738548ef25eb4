//! A chat as a person would read it aloud: who, what, which buttons; edits with their last text. Made for inline snapshots:
//! no ids, no times.
//!
//! ```text
//! Ada: /start
//! Bot: Run `ls`?
//!      [Approve] [Deny]
//! Ada taps [Approve]
//!      toast: Approved
//! Bot (edited): Done.
//! Bot (re "list the files…"): 3 files
//! Ada sends notes.txt (12 bytes): see here
//! ```

use std::fmt::Write as _;

use super::message::Message;
use super::state::{Chat, Happening, State};

const QUOTE_LENGTH: usize = 24;

/// One chat, or one topic of it.
pub(super) fn chat(state: &State, id: i64, thread: Option<i64>) -> String {
    let Some(chat) = state.chats.get(&id) else {
        return String::new();
    };
    let mut out = String::new();
    for happening in &chat.timeline {
        let at = match happening {
            Happening::Message(id) => chat
                .messages
                .get(*id as usize - 1)
                .and_then(|message| message.thread_id),
            Happening::Tap { thread, .. } => *thread,
        };
        if thread.is_some() && at != thread {
            continue;
        }
        if let Some(topic) = at.filter(|_| thread.is_none()) {
            let _ = write!(
                out,
                "#{} ",
                chat.topics.get(&topic).map_or("?", String::as_str)
            );
        }
        line(&mut out, state, chat, happening);
    }
    out
}

/// Every chat, each under its name.
pub(super) fn all(state: &State) -> String {
    let mut out = String::new();
    for (id, one) in &state.chats {
        let _ = writeln!(
            out,
            "--- {} ({id})",
            one.person
                .as_ref()
                .map_or(&one.title, |person| &person.first_name)
        );
        out.push_str(&chat(state, *id, None));
    }
    out
}

fn line(out: &mut String, state: &State, chat: &Chat, happening: &Happening) {
    match happening {
        Happening::Message(id) => {
            if let Some(message) = usize::try_from(id - 1)
                .ok()
                .and_then(|index| chat.messages.get(index))
            {
                write_message(out, chat, message);
            }
        }
        Happening::Tap {
            by,
            label,
            callback,
            ..
        } => {
            let _ = writeln!(out, "{by} taps [{label}]");
            for answer in state
                .answers
                .iter()
                .filter(|answer| answer.callback_id == *callback)
            {
                let kind = if answer.show_alert { "alert" } else { "toast" };
                if let Some(text) = &answer.text {
                    let _ = writeln!(out, "     {kind}: {text}");
                }
            }
        }
    }
}

fn write_message(out: &mut String, chat: &Chat, message: &Message) {
    out.push_str(&message.from.first_name);
    if let Some((kind, what)) = &message.service {
        let _ = writeln!(out, " [{}{}]", kind.replace('_', " "), names(what));
        return;
    }
    let marks = [
        (message.silent, "silent"),
        (message.edits > 0, "edited"),
        (message.pinned, "pinned"),
        (message.deleted, "deleted"),
    ];
    let mut notes: Vec<String> = marks
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, word)| (*word).to_owned())
        .collect();
    if let Some(original) = message.reply_to.and_then(|id| chat.message(id)) {
        notes.insert(0, format!("re \"{}\"", quote(original)));
    }
    if !notes.is_empty() {
        let _ = write!(out, " ({})", notes.join(", "));
    }
    if let Some(document) = &message.document {
        let _ = write!(
            out,
            " sends {} ({} bytes)",
            document.name,
            document.bytes.len()
        );
    }
    if !message.text.is_empty() {
        let _ = write!(out, ": {}", message.text.replace('\n', "\n     "));
    }
    out.push('\n');
    for row in message.buttons() {
        let labels: Vec<String> = row
            .iter()
            .map(|button| format!("[{}]", button.label))
            .collect();
        let _ = writeln!(out, "     {}", labels.join(" "));
    }
}

fn names(what: &serde_json::Value) -> String {
    let users = what.as_array().into_iter().flatten();
    users
        .filter_map(|user| user["first_name"].as_str())
        .fold(String::new(), |all, name| format!("{all} {name}"))
}

fn quote(message: &Message) -> String {
    let text = match (&message.document, message.text.is_empty()) {
        (Some(document), true) => &document.name,
        _ => &message.text,
    };
    let first = text.lines().next().unwrap_or_default();
    let short: String = first.chars().take(QUOTE_LENGTH).collect();
    if short.len() < text.len() {
        format!("{short}…")
    } else {
        short
    }
}

//! `sendMessage`, and what every sending method shares: chat, topic, reply, keyboard.

use crate::servers::telegram::answer::{Answer, ApiError};
use crate::servers::telegram::message::Message;
use crate::servers::telegram::methods::checks;
use crate::servers::telegram::params::Params;
use crate::servers::telegram::state::{Chat, State};

pub(super) fn send_message(state: &mut State, params: &Params) -> Answer {
    checks::writable_chat(state, params)?;
    let text = checks::text(params)?;
    let entities = checks::entities(params, "entities", &text)?;
    let message = Message {
        text,
        entities,
        ..addressed(state, params)?
    };
    deliver(state, params, message)
}

/// An empty message of the bot's with chat, topic, reply and keyboard filled in.
///
/// # Errors
/// What Telegram says where the bot may not write there, or what it points to does not exist.
pub(super) fn addressed(state: &mut State, params: &Params) -> Result<Message, ApiError> {
    let blank = Message::new(state.me.clone(), state.now());
    let chat = checks::writable_chat(state, params)?;
    let reply_to = reply_target(chat, params)?;
    Ok(Message {
        thread_id: thread(chat, params, reply_to)?,
        reply_to,
        reply_markup: checks::reply_markup(params, chat.is_private())?,
        parse_mode: params.text("parse_mode").map(str::to_owned),
        silent: params.flag("disable_notification"),
        ..blank
    })
}

fn reply_target(chat: &Chat, params: &Params) -> Result<Option<i64>, ApiError> {
    let reply = params.values.get("reply_parameters");
    let (wanted, lenient) = match reply {
        Some(reply) => (
            reply["message_id"].as_i64(),
            reply["allow_sending_without_reply"]
                .as_bool()
                .unwrap_or(false),
        ),
        // The name before Bot API 7.0; Telegram still takes it.
        None => (
            params.int("reply_to_message_id"),
            params.flag("allow_sending_without_reply"),
        ),
    };
    match wanted {
        None => Ok(None),
        Some(id) if chat.message(id).is_some() => Ok(Some(id)),
        Some(_) if lenient => Ok(None),
        Some(_) => Err(ApiError::bad("message to be replied not found")),
    }
}

/// A reply goes to the topic of the message that it answers.
fn thread(chat: &Chat, params: &Params, reply_to: Option<i64>) -> Result<Option<i64>, ApiError> {
    match params.int("message_thread_id") {
        None | Some(0) => Ok(reply_to
            .and_then(|id| chat.message(id))
            .and_then(|original| original.thread_id)),
        Some(id) if chat.topics.contains_key(&id) => Ok(Some(id)),
        Some(_) => Err(ApiError::bad("message thread not found")),
    }
}

/// Stores the message and answers with it.
pub(super) fn deliver(state: &mut State, params: &Params, message: Message) -> Answer {
    let chat = checks::writable_chat(state, params)?;
    let (chat_id, is_group) = (chat.id, !chat.is_private());
    let id = chat.add(message);
    state.rates.sent(chat_id, is_group);
    let sent = state
        .message(chat_id, id)
        .ok_or_else(|| ApiError::new(500, "Internal Server Error"))?;
    Ok(state.message_json(sent))
}

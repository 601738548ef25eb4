//! Changing and deleting what was sent.

use serde_json::{Value, json};

use crate::servers::telegram::answer::{Answer, ApiError};
use crate::servers::telegram::message::Message;
use crate::servers::telegram::methods::checks;
use crate::servers::telegram::params::Params;
use crate::servers::telegram::state::State;

/// A bot can delete a message for so many seconds after it was sent.
const DELETABLE: i64 = 48 * 3600;

pub(super) fn edit_text(state: &mut State, params: &Params) -> Answer {
    let old = editable(state, params)?;
    if old.document.is_some() {
        return Err(ApiError::bad("there is no text in the message to edit"));
    }
    let text = checks::text(params)?;
    let entities = checks::entities(params, "entities", &text)?;
    let parse_mode = params.text("parse_mode").map(str::to_owned);
    let reply_markup = markup(state, params)?;
    replace(
        state,
        &old,
        Message {
            text,
            entities,
            parse_mode,
            reply_markup,
            ..old.clone()
        },
    )
}

pub(super) fn edit_caption(state: &mut State, params: &Params) -> Answer {
    let old = editable(state, params)?;
    if old.document.is_none() {
        return Err(ApiError::bad("there is no caption in the message to edit"));
    }
    let text = checks::caption(params)?;
    let entities = checks::entities(params, "caption_entities", &text)?;
    let reply_markup = markup(state, params)?;
    replace(
        state,
        &old,
        Message {
            text,
            entities,
            reply_markup,
            ..old.clone()
        },
    )
}

pub(super) fn edit_reply_markup(state: &mut State, params: &Params) -> Answer {
    let old = editable(state, params)?;
    let reply_markup = markup(state, params)?;
    replace(
        state,
        &old,
        Message {
            reply_markup,
            ..old.clone()
        },
    )
}

fn markup(state: &mut State, params: &Params) -> Result<Option<Value>, ApiError> {
    let private = checks::chat(state, params)?.is_private();
    checks::reply_markup(params, private)
}

fn editable(state: &mut State, params: &Params) -> Result<Message, ApiError> {
    let chat = checks::writable_chat(state, params)?;
    let id = params
        .int("message_id")
        .ok_or_else(|| ApiError::bad("message identifier is not specified"))?;
    let message = chat
        .message(id)
        .ok_or_else(|| ApiError::bad("message to edit not found"))?;
    match message.is_bots() && message.service.is_none() {
        true => Ok(message.clone()),
        false => Err(ApiError::bad("message can't be edited")),
    }
}

fn replace(state: &mut State, old: &Message, mut new: Message) -> Answer {
    let same = old.text == new.text
        && old.entities == new.entities
        && old.reply_markup == new.reply_markup;
    if same {
        return Err(ApiError::bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current \
             content and reply markup of the message",
        ));
    }
    new.edit_date = Some(state.now());
    new.edits += 1;
    let answer = state.message_json(&new);
    let slot = state
        .chats
        .get_mut(&new.chat_id)
        .and_then(|chat| chat.message_mut(new.id));
    *slot.ok_or_else(|| ApiError::bad("message to edit not found"))? = new;
    Ok(answer)
}

pub(super) fn delete(state: &mut State, params: &Params) -> Answer {
    let now = state.now();
    let chat = checks::writable_chat(state, params)?;
    let private = chat.is_private();
    let id = params
        .int("message_id")
        .ok_or_else(|| ApiError::bad("message identifier is not specified"))?;
    let message = chat
        .message_mut(id)
        .ok_or_else(|| ApiError::bad("message to delete not found"))?;
    let allowed = private || message.is_bots();
    if !allowed || now - message.date > DELETABLE {
        return Err(ApiError::bad("message can't be deleted"));
    }
    message.deleted = true;
    Ok(json!(true))
}

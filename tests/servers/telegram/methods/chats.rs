//! Chats, their members, pins, and the "typing…" line.

use serde_json::{Value, json};

use crate::servers::telegram::answer::{Answer, ApiError};
use crate::servers::telegram::methods::checks;
use crate::servers::telegram::params::Params;
use crate::servers::telegram::state::{Standing, State, User};

const ACTIONS: &[&str] = &[
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

pub(super) fn send_action(state: &mut State, params: &Params) -> Answer {
    checks::writable_chat(state, params)?;
    match params.text("action") {
        Some(action) if ACTIONS.contains(&action) => Ok(json!(true)),
        _ => Err(ApiError::bad("wrong parameter action in request")),
    }
}

pub(super) fn get_chat(state: &mut State, params: &Params) -> Answer {
    let chat = checks::chat(state, params)?;
    let mut value = chat.json();
    value["accent_color_id"] = 0.into();
    value["max_reaction_count"] = 11.into();
    let gifts = [
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    ];
    value["accepted_gift_types"] = gifts
        .iter()
        .map(|kind| ((*kind).to_owned(), json!(false)))
        .collect::<Value>();
    if let Some(pinned) = chat
        .messages
        .iter()
        .rev()
        .find(|message| message.pinned && !message.deleted)
        .cloned()
    {
        value["pinned_message"] = state.message_json(&pinned);
    }
    Ok(value)
}

pub(super) fn get_member(state: &mut State, params: &Params) -> Answer {
    let me = state.me.clone();
    let wanted = params.int("user_id").unwrap_or_default();
    let chat = checks::chat(state, params)?;
    if wanted == me.id {
        return Ok(member(&me, chat.standing.word()));
    }
    if let Some(person) = chat.person.as_ref().filter(|person| person.id == wanted) {
        return Ok(member(person, "member"));
    }
    let (user, status) = chat
        .members
        .get(&wanted)
        .ok_or_else(|| ApiError::bad("user not found"))?;
    Ok(member(user, status))
}

pub(super) fn get_administrators(state: &mut State, params: &Params) -> Answer {
    let chat = checks::chat(state, params)?;
    if chat.is_private() {
        return Err(ApiError::bad(
            "there are no administrators in the private chat",
        ));
    }
    let creators = chat
        .members
        .values()
        .filter(|(_, status)| *status == "creator");
    Ok(creators
        .map(|(user, status)| member(user, status))
        .collect())
}

/// A `ChatMember`.
pub(in crate::servers::telegram) fn member(user: &User, status: &str) -> Value {
    let mut value = json!({"user": user.json(), "status": status});
    match status {
        "creator" => value["is_anonymous"] = false.into(),
        "kicked" => value["until_date"] = 0.into(),
        _ => {}
    }
    value
}

pub(super) fn leave(state: &mut State, params: &Params) -> Answer {
    let me = state.me.clone();
    let chat = checks::writable_chat(state, params)?;
    if chat.is_private() {
        return Err(ApiError::bad(
            "chat member status can't be changed in private chats",
        ));
    }
    let id = chat.id;
    state.set_standing(id, &me, Standing::Left);
    Ok(json!(true))
}

pub(super) fn pin(state: &mut State, params: &Params) -> Answer {
    let chat = checks::writable_chat(state, params)?;
    let message = params.int("message_id").and_then(|id| chat.message_mut(id));
    message
        .ok_or_else(|| ApiError::bad("message to pin not found"))?
        .pinned = true;
    Ok(json!(true))
}

/// Without `message_id`, the newest pinned one.
pub(super) fn unpin(state: &mut State, params: &Params) -> Answer {
    let chat = checks::writable_chat(state, params)?;
    let newest = chat
        .messages
        .iter()
        .rev()
        .find(|message| message.pinned)
        .map(|message| message.id);
    let message = params
        .int("message_id")
        .or(newest)
        .and_then(|id| chat.message_mut(id));
    message
        .ok_or_else(|| ApiError::bad("message to unpin not found"))?
        .pinned = false;
    Ok(json!(true))
}

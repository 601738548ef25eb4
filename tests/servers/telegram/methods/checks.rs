//! What Telegram checks before it takes a message: the chat, lengths, entities, keyboards.

use serde_json::Value;

use crate::servers::telegram::answer::ApiError;
use crate::servers::telegram::params::Params;
use crate::servers::telegram::state::{Chat, Standing, State};

/// Text length in UTF-16 units.
pub(super) const TEXT_LIMIT: usize = 4096;
/// Caption length in UTF-16 units.
pub(super) const CAPTION_LIMIT: usize = 1024;
const CALLBACK_DATA_LIMIT: usize = 64;
const BUTTON_LIMIT: usize = 100;

/// The chat that the request names, whether or not the bot may write there.
pub(super) fn chat<'a>(state: &'a mut State, params: &Params) -> Result<&'a mut Chat, ApiError> {
    if !params.values.contains_key("chat_id") {
        return Err(ApiError::bad("chat_id is empty"));
    }
    let id = params.int("chat_id");
    id.and_then(|id| state.chats.get_mut(&id))
        .ok_or_else(|| ApiError::bad("chat not found"))
}

/// The chat that the request names, where the bot may write there.
pub(super) fn writable_chat<'a>(
    state: &'a mut State,
    params: &Params,
) -> Result<&'a mut Chat, ApiError> {
    let chat = chat(state, params)?;
    let why = match (chat.standing, chat.is_private()) {
        (Standing::Member, _) => return Ok(chat),
        (Standing::Kicked, true) => "bot was blocked by the user",
        (Standing::Stranger | Standing::Left, true) => {
            "bot can't initiate conversation with a user"
        }
        (Standing::Kicked, false) => "bot was kicked from the supergroup chat",
        (Standing::Stranger | Standing::Left, false) => {
            "bot is not a member of the supergroup chat"
        }
    };
    Err(ApiError::forbidden(why))
}

pub(super) fn text(params: &Params) -> Result<String, ApiError> {
    let text = params.text("text").unwrap_or_default();
    if text.is_empty() {
        return Err(ApiError::bad("message text is empty"));
    }
    if text.trim().is_empty() {
        return Err(ApiError::bad("text must be non-empty"));
    }
    if text.encode_utf16().count() > TEXT_LIMIT {
        return Err(ApiError::bad("message is too long"));
    }
    Ok(text.to_owned())
}

pub(super) fn caption(params: &Params) -> Result<String, ApiError> {
    let caption = params.text("caption").unwrap_or_default();
    if caption.encode_utf16().count() > CAPTION_LIMIT {
        return Err(ApiError::bad("message caption is too long"));
    }
    Ok(caption.to_owned())
}

/// The entities under `key`, each within the text and none cutting a character in two.
pub(super) fn entities(params: &Params, key: &str, text: &str) -> Result<Vec<Value>, ApiError> {
    let Some(given) = params.values.get(key) else {
        return Ok(Vec::new());
    };
    let entities = given
        .as_array()
        .ok_or_else(|| ApiError::bad("can't parse entities: expected an Array"))?;
    let units: Vec<u16> = text.encode_utf16().collect();
    let starts_character = |at: usize| {
        units
            .get(at)
            .is_none_or(|unit| !(0xDC00..0xE000).contains(unit))
    };
    for entity in entities {
        if entity["type"].as_str().is_none_or(str::is_empty) {
            return Err(ApiError::bad(
                "can't parse MessageEntity: Field \"type\" must be of type String",
            ));
        }
        let number = |key: &str| entity[key].as_u64().and_then(|n| usize::try_from(n).ok());
        let fits = match (number("offset"), number("length")) {
            (Some(offset), Some(length)) => {
                let end = offset.saturating_add(length);
                length > 0
                    && end <= units.len()
                    && starts_character(offset)
                    && starts_character(end)
            }
            _ => false,
        };
        if !fits {
            return Err(ApiError::bad("ENTITY_BOUNDS_INVALID"));
        }
    }
    Ok(entities.clone())
}

/// The `reply_markup`, its inline keyboard checked. An empty keyboard is none.
pub(super) fn reply_markup(params: &Params, private: bool) -> Result<Option<Value>, ApiError> {
    let Some(markup) = params.values.get("reply_markup") else {
        return Ok(None);
    };
    if !markup.is_object() {
        return Err(ApiError::bad("object expected as reply markup"));
    }
    let Some(keyboard) = markup.get("inline_keyboard") else {
        return Ok(Some(markup.clone()));
    };
    let rows = keyboard
        .as_array()
        .ok_or_else(|| ApiError::bad("field \"inline_keyboard\" must be of type Array"))?;
    let mut count = 0;
    for row in rows {
        let row = row
            .as_array()
            .ok_or_else(|| ApiError::bad("inline keyboard row must be of type Array"))?;
        count += row.len();
        row.iter()
            .try_for_each(|button| check_button(button, private))?;
    }
    if count > BUTTON_LIMIT {
        return Err(ApiError::bad("reply markup is too long"));
    }
    Ok((count > 0).then(|| markup.clone()))
}

fn check_button(button: &Value, private: bool) -> Result<(), ApiError> {
    if button["text"]
        .as_str()
        .is_none_or(|text| text.trim().is_empty())
    {
        return Err(ApiError::bad(
            "can't parse inline keyboard button: Field \"text\" must be non-empty",
        ));
    }
    if let Some(data) = button.get("callback_data") {
        let length = data.as_str().map_or(0, str::len);
        return match length {
            1..=CALLBACK_DATA_LIMIT => Ok(()),
            _ => Err(ApiError::bad("BUTTON_DATA_INVALID")),
        };
    }
    if let Some(url) = button.get("url") {
        let known = |url: &str| {
            ["http://", "https://", "tg://"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
        };
        return match url.as_str().is_some_and(known) {
            true => Ok(()),
            false => Err(ApiError::bad("BUTTON_URL_INVALID")),
        };
    }
    if button.get("web_app").is_some() && !private {
        return Err(ApiError::bad("BUTTON_TYPE_INVALID"));
    }
    let others = [
        "web_app",
        "copy_text",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "pay",
    ];
    if others.iter().any(|kind| button.get(kind).is_some()) {
        return Ok(());
    }
    Err(ApiError::bad(
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ))
}

//! `answerCallbackQuery`.

use serde_json::json;

use crate::servers::telegram::answer::{Answer, ApiError};
use crate::servers::telegram::params::Params;
use crate::servers::telegram::state::{CALLBACK_LIFE, CallbackAnswer, State};

/// The toast's length in UTF-16 units.
const TOAST_LIMIT: usize = 200;

pub(super) fn answer(state: &mut State, params: &Params) -> Answer {
    let id = params.text("callback_query_id").unwrap_or_default();
    let fresh = state
        .callbacks
        .get(id)
        .is_some_and(|callback| state.now() - callback.at < CALLBACK_LIFE);
    if !fresh {
        return Err(ApiError::bad(
            "query is too old and response timeout expired or query ID is invalid",
        ));
    }
    let text = params
        .text("text")
        .filter(|text| !text.is_empty())
        .map(str::to_owned);
    if text
        .as_ref()
        .is_some_and(|text| text.encode_utf16().count() > TOAST_LIMIT)
    {
        return Err(ApiError::bad("MESSAGE_TOO_LONG"));
    }
    let show_alert = params.flag("show_alert");
    state.answers.push(CallbackAnswer {
        callback_id: id.to_owned(),
        text,
        show_alert,
    });
    Ok(json!(true))
}

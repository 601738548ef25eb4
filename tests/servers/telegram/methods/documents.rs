//! Sending files and fetching them.

use serde_json::json;

use crate::servers::telegram::answer::{Answer, ApiError};
use crate::servers::telegram::message::{Document, Message};
use crate::servers::telegram::methods::{checks, messages};
use crate::servers::telegram::params::Params;
use crate::servers::telegram::server::attached;
use crate::servers::telegram::state::State;

/// In bytes.
const UPLOAD_LIMIT: usize = 50 * 1024 * 1024;
/// In bytes.
const DOWNLOAD_LIMIT: usize = 20 * 1024 * 1024;

pub(super) fn send_document(state: &mut State, params: &Params) -> Answer {
    checks::writable_chat(state, params)?;
    let text = checks::caption(params)?;
    let entities = checks::entities(params, "caption_entities", &text)?;
    let blank = messages::addressed(state, params)?;
    let document = Some(document(state, params)?);
    messages::deliver(
        state,
        params,
        Message {
            text,
            entities,
            document,
            ..blank
        },
    )
}

/// An upload in the part `document`, a part that `document` points to as `attach://part`, or the id of a file sent before.
fn document(state: &mut State, params: &Params) -> Result<Document, ApiError> {
    let named = params.values.get("document");
    let part = named.and_then(attached).unwrap_or("document");
    if let Some(upload) = params.uploads.get(part) {
        if upload.bytes.is_empty() {
            return Err(ApiError::bad("file must be non-empty"));
        }
        if upload.bytes.len() > UPLOAD_LIMIT {
            return Err(ApiError::new(413, "Request Entity Too Large"));
        }
        return Ok(state.store_file(&upload.name, upload.mime.clone(), upload.bytes.clone()));
    }
    let id = named
        .and_then(|value| value.as_str())
        .ok_or_else(|| ApiError::bad("there is no document in the request"))?;
    match state.files.get(id) {
        Some(file) => Ok(file.document.clone()),
        None => Err(ApiError::bad(
            "wrong remote file identifier specified: Wrong string length",
        )),
    }
}

pub(super) fn get_file(state: &mut State, params: &Params) -> Answer {
    let id = params.text("file_id").unwrap_or_default();
    let file = state
        .files
        .get(id)
        .ok_or_else(|| ApiError::bad("invalid file_id"))?;
    let size = file.document.bytes.len();
    if size > DOWNLOAD_LIMIT {
        return Err(ApiError::bad("file is too big"));
    }
    Ok(
        json!({"file_id": id, "file_unique_id": format!("u{id}"), "file_size": size, "file_path": file.path}),
    )
}

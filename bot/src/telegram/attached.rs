//! A file that hangs on a message.

use super::hear::Heard;
use crate::inbound::What;
use serde_json::{Map, Value};

/// Only what was sent as a file: photos and films are no texts.
pub fn file(message: &Map<String, Value>, caption: Option<Heard>, id: i64) -> Option<What> {
    let document = message.get("document")?;
    // A film without sound comes as a document too, and says so.
    if message.contains_key("animation") {
        return None;
    }
    let name = document["file_name"].as_str().unwrap_or("unnamed");
    Some(What::File {
        file: document["file_id"].as_str()?.to_owned(),
        name: name.to_owned(),
        bytes: document["file_size"].as_u64(),
        caption: caption.map(|heard| heard.text).unwrap_or_default(),
        message: id.to_string(),
    })
}

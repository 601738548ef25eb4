//! Large texts in a call's arguments: kept in the blob store, named by digest in the journal.

use domain::{content, tool::ToolCall};
use ports::{Blobs, blob::BlobError};
use serde_json::{Value, json};

/// What stands in an argument's place: `{"$blob": digest, "bytes": n, "head": …}`.
const BLOB: &str = "$blob";

/// Moves texts of more than `limit` bytes (also inside lists and objects) to the blob store.
pub async fn keep(blobs: &dyn Blobs, call: &mut ToolCall, limit: usize) -> Result<(), BlobError> {
    let mut texts = Vec::new();
    collect(&call.arguments, limit, &mut texts);
    for text in texts {
        let digest = blobs.put(text.as_bytes()).await?;
        let stored = json!({BLOB: digest, "bytes": text.len(), "head": content::prefix(&text, 80)});
        replace(&mut call.arguments, &Value::String(text), &stored);
    }
    if let Some(malformed) = &mut call.malformed {
        *malformed = content::prefix(malformed, 1000).to_owned();
    }
    Ok(())
}

fn collect(value: &Value, limit: usize, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() > limit => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, limit, texts)),
        Value::Object(map) => map.values().for_each(|item| collect(item, limit, texts)),
        _ => {}
    }
}

fn replace(value: &mut Value, old: &Value, new: &Value) {
    match value {
        _ if value == old => *value = new.clone(),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, old, new)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, old, new)),
        _ => {}
    }
}

/// The arguments as the model gave them.
pub async fn fetch(blobs: &dyn Blobs, mut value: Value) -> Result<Value, BlobError> {
    let mut stored = Vec::new();
    find(&value, &mut stored);
    for (place, digest) in stored {
        let text = String::from_utf8_lossy(&blobs.get(&digest).await?).into_owned();
        replace(&mut value, &place, &Value::String(text));
    }
    Ok(value)
}

fn find(value: &Value, stored: &mut Vec<(Value, domain::Digest)>) {
    match value {
        Value::Object(map) => match map
            .get(BLOB)
            .and_then(|digest| serde_json::from_value(digest.clone()).ok())
        {
            Some(digest) => stored.push((value.clone(), digest)),
            None => map.values().for_each(|item| find(item, stored)),
        },
        Value::Array(items) => items.iter().for_each(|item| find(item, stored)),
        _ => {}
    }
}

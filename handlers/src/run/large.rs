//! Large arguments of calls: kept in the blob store, named by digest in the journal.

use crate::keep::{fit, size};
use domain::{Digest, canonical_json, tool::ToolCall};
use ports::{Blobs, blob::BlobError};
use serde_json::{Value, json};

/// What stands in a text's place: `{"$blob": digest, "bytes": n, "head": …}`; in the place of all arguments `"json": true` too.
const BLOB: &str = "$blob";
/// Bytes of one text that stays in the journal.
const TEXT: usize = 4096;
/// Bytes of all calls of a reply that stay in the journal; an event holds 32 KiB, 8 of which may be the reply's text.
const CALLS: usize = 16 * 1024;
/// What stays of each call when they are more than that together.
const ARGUMENTS: usize = 256;

/// Makes the calls of one reply fit into an event.
pub async fn keep(blobs: &dyn Blobs, calls: &mut [ToolCall]) -> Result<(), BlobError> {
    for call in calls.iter_mut() {
        call.name = fit(&call.name, 100).to_owned();
        if call.malformed.is_none() && claims(&call.arguments) {
            // A place in the blob store that a model names is made up, or somebody else's.
            call.malformed = Some(format!("no object in them may have the key {BLOB}"));
            call.arguments = Value::Null;
        }
        if let Some(malformed) = &mut call.malformed {
            *malformed = fit(malformed, 500).to_owned();
        }
        texts(blobs, &mut call.arguments).await?;
    }
    if calls.iter().map(bytes).sum::<usize>() > CALLS {
        for call in calls.iter_mut().filter(|call| bytes(call) > ARGUMENTS) {
            let whole = json(&call.arguments);
            let digest = blobs.put(whole.as_bytes()).await?;
            call.arguments = json!({BLOB: digest, "bytes": whole.len(), "json": true});
        }
    }
    Ok(())
}

fn bytes(call: &ToolCall) -> usize {
    json(&call.arguments).len() + 300 + call.malformed.as_deref().map_or(0, size)
}

fn json(value: &Value) -> String {
    canonical_json(value).unwrap_or_default()
}

async fn texts(blobs: &dyn Blobs, arguments: &mut Value) -> Result<(), BlobError> {
    let mut texts = Vec::new();
    collect(arguments, &mut texts);
    for text in texts {
        let digest = blobs.put(text.as_bytes()).await?;
        let stored = json!({BLOB: digest, "bytes": text.len(), "head": fit(&text, 80)});
        replace(arguments, &Value::String(text), &stored);
    }
    Ok(())
}

fn claims(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(claims),
        Value::Object(map) => map.contains_key(BLOB) || map.values().any(claims),
        _ => false,
    }
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if size(text) > TEXT => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(map) => map.values().for_each(|item| collect(item, texts)),
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
    if let Some(digest) = place(&value).filter(|_| value.get("json").is_some()) {
        let text = blobs.get(&digest).await?;
        value = serde_json::from_slice(&text).map_err(|_| BlobError::Damaged(digest))?;
    }
    let mut stored = Vec::new();
    find(&value, &mut stored);
    for (place, digest) in stored {
        let text = String::from_utf8_lossy(&blobs.get(&digest).await?).into_owned();
        replace(&mut value, &place, &Value::String(text));
    }
    Ok(value)
}

fn place(value: &Value) -> Option<Digest> {
    serde_json::from_value(value.get(BLOB)?.clone()).ok()
}

fn find(value: &Value, stored: &mut Vec<(Value, Digest)>) {
    match (place(value), value) {
        (Some(digest), _) => stored.push((value.clone(), digest)),
        (None, Value::Object(map)) => map.values().for_each(|item| find(item, stored)),
        (None, Value::Array(items)) => items.iter().for_each(|item| find(item, stored)),
        _ => {}
    }
}

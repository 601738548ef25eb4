//! What both dialects need to write the same conversation with the same bytes every time.

use domain::{canonical_json, content::Content, id::CallId, tool::ToolCall};
use ports::model::ModelError;
use serde::Serialize;
use serde_json::{json, value::RawValue};

/// A value in canonical JSON: a journal that was stored and read again may have another order of keys than the model wrote.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, ModelError> {
    canonical_json(value)
        .and_then(RawValue::from_string)
        .map_err(|error| unwritable(&error))
}

pub fn unwritable(error: &serde_json::Error) -> ModelError {
    ModelError::Refused(format!(
        "the conversation cannot be written as JSON: {error}"
    ))
}

/// What the model itself said as arguments; for malformed ones, that text in an object, which is all that providers take.
pub fn arguments(call: &ToolCall) -> Result<Box<RawValue>, ModelError> {
    match &call.malformed {
        Some(text) => canonical(&json!({"malformed": text})),
        None if call.arguments.is_object() => canonical(&call.arguments),
        None => canonical(&json!({})),
    }
}

/// An id that every provider takes: letters, digits, `_` and `-`, at most 40 (OpenAI's limit). Others come from another
/// provider or from the engine; they get a digest instead of their end, the same one every time.
pub fn id(id: &CallId) -> String {
    let id = id.as_str();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.len() <= 40 && id.chars().all(fits) {
        return id.to_owned();
    }
    let plain: String = id.chars().filter(|c| fits(*c)).take(24).collect();
    format!("{plain}-{}", domain::Digest::of_bytes(id).short())
}

/// The caller has fetched everything, see `ModelRequest::messages`.
pub fn text(content: &Content) -> Result<&str, ModelError> {
    match content {
        Content::Inline(text) => Ok(text),
        Content::Stored { .. } => Err(ModelError::Refused(
            "a part of the conversation was not fetched".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_and_stay_apart() {
        let of = |text: &str| id(&CallId::from(text));
        assert_eq!(of("toolu_01A-b"), "toolu_01A-b");
        for odd in ["a:1", "a.1", "", &"x".repeat(41), "é"] {
            let written = of(odd);
            assert!(
                written.len() <= 40 && written.is_ascii() && written == of(odd),
                "{odd}: {written}"
            );
        }
        assert_ne!(of("a:1"), of("a.1"));
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let one: serde_json::Value = serde_json::from_str(r#"{"b":1,"a":{"d":1,"c":2}}"#).unwrap();
        assert_eq!(
            canonical(&one).unwrap().get(),
            r#"{"a":{"c":2,"d":1},"b":1}"#
        );
    }
}

//! What both dialects come to: a text, calls, and how much was used.

use domain::{Usage, id::CallId, tool::ToolCall};
use serde_json::{Map, Value};

#[derive(Default, Debug)]
pub struct Spoken {
    pub text: String,
    pub calls: Vec<ToolCall>,
    /// As the provider counted; some servers don't.
    pub counted: Option<Usage>,
    pub truncated: bool,
}

impl Spoken {
    /// The provider's count, or four bytes to a token.
    pub fn usage(&self, sent_bytes: u64) -> Usage {
        let said = |call: &ToolCall| call.name.len() + call.arguments.to_string().len();
        self.counted.unwrap_or_else(|| Usage {
            input: sent_bytes / 4,
            output: (self.text.len() + self.calls.iter().map(said).sum::<usize>()) as u64 / 4,
            ..Usage::default()
        })
    }
}

/// A call whose arguments arrived as text. Nothing at all means no arguments; what is no JSON object is kept as malformed,
/// so that the model can be told.
pub fn call(id: String, name: String, arguments: &str) -> ToolCall {
    let (arguments, malformed) = match arguments.trim() {
        "" => (Value::Object(Map::new()), None),
        text => match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => (Value::Object(object), None),
            // Some local models write `null` for a tool without arguments.
            Ok(Value::Null) => (Value::Object(Map::new()), None),
            Ok(_) => (
                Value::Null,
                Some(format!("{text} (the arguments must be an object)")),
            ),
            Err(error) => (Value::Null, Some(format!("{text} ({error})"))),
        },
    };
    ToolCall {
        id: CallId::new(id),
        name,
        arguments,
        malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_are_an_object_or_malformed() {
        let parse = |text| call("1".to_owned(), "t".to_owned(), text);
        for empty in ["", "  ", "{}", "null"] {
            assert_eq!(
                (parse(empty).arguments, parse(empty).malformed),
                (json!({}), None),
                "{empty}"
            );
        }
        assert_eq!(parse("{\"a\": 1}").arguments, json!({"a": 1}));
        for bad in ["{\"a\": ", "[1]", "\"a\"", "{} {}", "ls -la"] {
            let call = parse(bad);
            assert_eq!(call.arguments, Value::Null);
            assert!(call.malformed.unwrap().starts_with(bad));
        }
    }
}

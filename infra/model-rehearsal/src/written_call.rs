//! Tool calls that a person writes as JSON: `{"tool": "read_file", "arguments": {"path": "a"}}`, or a list of them, over as
//! many lines as they like, with or without a fence around. So a tool that has no directive can be tried too.

use serde_json::Value;

#[derive(Clone, PartialEq, Debug)]
pub enum Written {
    Call {
        tool: String,
        arguments: Value,
    },
    /// The arguments are no object.
    Malformed {
        tool: String,
        complaint: String,
    },
}

/// The calls at the beginning of `text` and what follows them. `None` when there is something else: prose, other JSON.
#[must_use]
pub fn take(text: &str) -> Option<(Vec<Written>, &str)> {
    let start = text.trim_start();
    if !start.starts_with(['{', '[']) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(start).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let rest = start.get(values.byte_offset()..)?;
    let calls = match value {
        Value::Array(items) if !items.is_empty() => {
            items.into_iter().map(written).collect::<Option<_>>()?
        }
        one => vec![written(one)?],
    };
    Some((calls, rest))
}

fn written(mut value: Value) -> Option<Written> {
    let object = value.as_object_mut()?;
    let tool = object.get("tool")?.as_str()?.to_owned();
    Some(match object.remove("arguments") {
        None => Written::Call {
            tool,
            arguments: Value::Object(serde_json::Map::new()),
        },
        Some(arguments @ Value::Object(_)) => Written::Call { tool, arguments },
        Some(other) => Written::Malformed {
            tool,
            complaint: format!("{other} (the arguments must be an object)"),
        },
    })
}

//! The part of JSON Schema by which scripts say what they take and print: types, properties, items, enumerations and limits. A schema
//! with any other keyword is refused when a skill is read, so that nothing that it demands is passed over in silence.

use serde_json::{Map, Value};

/// Levels of a schema.
const DEPTH: usize = 16;
/// These only explain.
const SILENT: [&str; 6] = [
    "$schema",
    "title",
    "description",
    "default",
    "examples",
    "$comment",
];
const TYPES: [&str; 7] = [
    "object", "array", "string", "integer", "number", "boolean", "null",
];

/// Whether this is a schema that [`check_value`] understands.
///
/// # Errors
/// A sentence.
pub fn check_schema(schema: &Value) -> Result<(), String> {
    understood(schema, 0)
}

fn understood(schema: &Value, depth: usize) -> Result<(), String> {
    if depth > DEPTH {
        return Err(format!("it has more than {DEPTH} levels"));
    }
    let Value::Object(schema) = schema else {
        return Err("a schema is an object".to_owned());
    };
    for (keyword, value) in schema {
        let fits = match keyword.as_str() {
            word if SILENT.contains(&word) => true,
            "type" => types(value).is_some(),
            "enum" | "required" => value.is_array(),
            "const" => true,
            "additionalProperties" if value.is_boolean() => true,
            "additionalProperties" | "items" => return_with(understood(value, depth + 1))?,
            "properties" => {
                let properties = value.as_object().ok_or("“properties” must be an object")?;
                for property in properties.values() {
                    understood(property, depth + 1)?;
                }
                true
            }
            "minimum" | "maximum" => value.is_number(),
            "minLength" | "maxLength" | "minItems" | "maxItems" => value.is_u64(),
            other => {
                return Err(format!(
                    "it has the keyword “{other}”, which is not checked here"
                ));
            }
        };
        if !fits {
            return Err(format!("“{keyword}” is not what it should be"));
        }
    }
    Ok(())
}

fn return_with(result: Result<(), String>) -> Result<bool, String> {
    result.map(|()| true)
}

fn types(value: &Value) -> Option<Vec<&str>> {
    let named = match value {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    named
        .iter()
        .all(|name| TYPES.contains(name))
        .then_some(named)
}

/// Whether a value is as a schema says.
///
/// # Errors
/// A sentence: where it is not, and what is wanted there.
pub fn check_value(schema: &Value, value: &Value) -> Result<(), String> {
    check(schema, value, "")
}

fn check(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(schema) = schema else {
        return Ok(());
    };
    let place = if at.is_empty() { "it" } else { at };
    if let Some(named) = schema.get("type").and_then(types)
        && !named.iter().any(|name| is(name, value))
    {
        return Err(format!("{place} must be of type {}", named.join(" or ")));
    }
    if let Some(wanted) = schema.get("const")
        && wanted != value
    {
        return Err(format!("{place} must be {wanted}"));
    }
    if let Some(Value::Array(wanted)) = schema.get("enum")
        && !wanted.contains(value)
    {
        let wanted: Vec<String> = wanted.iter().map(Value::to_string).collect();
        return Err(format!("{place} must be one of {}", wanted.join(", ")));
    }
    limits(schema, value, place)?;
    match value {
        Value::Object(map) => object(schema, map, at),
        Value::Array(items) => match schema.get("items") {
            Some(wanted) => items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| check(wanted, item, &format!("{at}[{i}]"))),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn object(schema: &Map<String, Value>, map: &Map<String, Value>, at: &str) -> Result<(), String> {
    let required = schema.get("required").and_then(Value::as_array);
    let missing = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|name| !map.contains_key(*name));
    if let Some(name) = missing {
        return Err(format!("“{name}” is missing{}", inside(at)));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, value) in map {
        let below = match at {
            "" => name.clone(),
            at => format!("{at}.{name}"),
        };
        let known = properties.and_then(|properties| properties.get(name));
        match (known, schema.get("additionalProperties")) {
            (Some(wanted), _) | (None, Some(wanted @ Value::Object(_))) => {
                check(wanted, value, &below)?;
            }
            (None, Some(Value::Bool(false))) => {
                return Err(format!("“{name}” is not known{}", inside(at)));
            }
            (None, _) => {}
        }
    }
    Ok(())
}

fn inside(at: &str) -> String {
    match at {
        "" => String::new(),
        at => format!(" in {at}"),
    }
}

fn limits(schema: &Map<String, Value>, value: &Value, place: &str) -> Result<(), String> {
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let size = match value {
        Value::String(text) => Some((text.chars().count(), "minLength", "maxLength")),
        Value::Array(items) => Some((items.len(), "minItems", "maxItems")),
        _ => None,
    };
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    let measured = match size {
        Some((size, least, most)) => Some((size as f64, least, most)),
        None => value.as_f64().map(|number| (number, "minimum", "maximum")),
    };
    let Some((measured, least, most)) = measured else {
        return Ok(());
    };
    if limit(least).is_some_and(|least| measured < least) {
        return Err(format!("{place} is less than its {least}"));
    }
    if limit(most).is_some_and(|most| measured > most) {
        return Err(format!("{place} is more than its {most}"));
    }
    Ok(())
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    }
}

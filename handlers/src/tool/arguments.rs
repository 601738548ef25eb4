//! Arguments that a person wrote, against the tool's schema: a model's slip is passed over, a person's is told to them.

use serde_json::{Map, Value};

/// Whether these are arguments of a tool with this schema. `null` for what may be left out is taken as left out.
///
/// # Errors
/// A sentence: what is unknown, missing or of the wrong type.
pub fn check(schema: &Value, arguments: &mut Value) -> Result<(), String> {
    let empty = Map::new();
    let known = schema["properties"].as_object().unwrap_or(&empty);
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let Some(given) = arguments.as_object_mut() else {
        return Err("Arguments are a JSON object.".to_owned());
    };
    given.retain(|name, value| !value.is_null() || required.iter().any(|needed| needed == name));
    for (name, value) in given.iter() {
        let Some(property) = known.get(name) else {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(format!(
                "There is no argument “{name}”; there are: {}.",
                names.join(", ")
            ));
        };
        if let Some(wanted) = property["type"].as_str()
            && !fits(wanted, value)
        {
            return Err(format!("“{name}” must be of type {wanted}."));
        }
    }
    match required
        .iter()
        .filter_map(Value::as_str)
        .find(|name| !given.contains_key(*name))
    {
        Some(missing) => Err(format!("“{missing}” is missing.")),
        None => Ok(()),
    }
}

fn fits(wanted: &str, value: &Value) -> bool {
    match wanted {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_is_said() {
        let schema = json!({
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
            "required": ["path"],
        });
        let said = |mut arguments: Value| check(&schema, &mut arguments).err().unwrap_or_default();
        assert_eq!(said(json!({"path": "a", "lines": 3})), "");
        assert_eq!(said(json!({"path": "a", "lines": null})), "");
        assert_eq!(
            said(json!({"path": "a", "mode": 3})),
            "There is no argument “mode”; there are: lines, path."
        );
        assert_eq!(said(json!({"lines": 3})), "“path” is missing.");
        assert_eq!(
            said(json!({"path": null})),
            "“path” must be of type string."
        );
        assert_eq!(
            said(json!({"path": "a", "lines": 1.5})),
            "“lines” must be of type integer."
        );
        assert_eq!(said(json!([])), "Arguments are a JSON object.");
    }
}

//! A server's question to a person, brought into the words of the domain: a message and a flat form. What is no such form, or too large, is
//! refused.

use domain::elicitation::{Choice, Elicitation, FIELDS, FORM, Field, Kind};
use rmcp::model::ElicitRequestParams;
use serde_json::Value;

/// # Errors
/// Words for the server: why nobody is asked.
pub fn read(params: &ElicitRequestParams) -> Result<Elicitation, &'static str> {
    let ElicitRequestParams::FormElicitationParams {
        message,
        requested_schema: schema,
        ..
    } = params
    else {
        return Err("a page to open (elicitation by URL)");
    };
    let order = schema.property_order.clone();
    let names = order.unwrap_or_else(|| schema.properties.keys().cloned().collect());
    let required = schema.required.clone().unwrap_or_default();
    let mut fields = Vec::new();
    for name in names {
        let described = schema.properties.get(&name);
        let described = described.and_then(|field| serde_json::to_value(field).ok());
        let field = described.and_then(|described| field(&name, &described));
        let mut field = field.ok_or("an answer to a form that is not understood (elicitation)")?;
        field.required = required.contains(&name);
        fields.push(field);
    }
    let question = Elicitation {
        message: message.clone(),
        fields,
    };
    let bytes = serde_json::to_string(&question).map_or(usize::MAX, |text| text.len());
    match bytes > FORM || question.fields.len() > FIELDS {
        true => Err("an answer to a form that is too large (elicitation)"),
        false => Ok(question),
    }
}

fn field(name: &str, described: &Value) -> Option<Field> {
    let text = |key: &str| described[key].as_str().unwrap_or_default().to_owned();
    Some(Field {
        name: name.to_owned(),
        title: text("title"),
        description: text("description"),
        kind: kind(described)?,
        required: false,
        default: described.get("default").cloned(),
    })
}

fn kind(described: &Value) -> Option<Kind> {
    if let Some(options) = options(described) {
        return Some(Kind::One { options });
    }
    Some(match described["type"].as_str()? {
        "string" => Kind::Text {
            format: described["format"].as_str().map(ToOwned::to_owned),
        },
        "boolean" => Kind::YesNo,
        "array" => Kind::Several {
            options: options(&described["items"])?,
        },
        number @ ("number" | "integer") => Kind::Number {
            whole: number == "integer",
            minimum: described["minimum"].as_f64(),
            maximum: described["maximum"].as_f64(),
        },
        _ => return None,
    })
}

/// In the three ways in which servers have written them over time.
fn options(described: &Value) -> Option<Vec<Choice>> {
    let choice = |value: &str, title: &str| Choice {
        value: value.to_owned(),
        title: title.to_owned(),
    };
    let titled = described["oneOf"]
        .as_array()
        .or(described["anyOf"].as_array());
    if let Some(titled) = titled {
        let options = titled.iter().map(|option| {
            let value = option["const"].as_str()?;
            Some(choice(value, option["title"].as_str().unwrap_or(value)))
        });
        return options.collect();
    }
    let values = described["enum"].as_array()?;
    let options = values.iter().enumerate().map(|(at, value)| {
        let value = value.as_str()?;
        let title = described["enumNames"][at].as_str();
        Some(choice(value, title.unwrap_or(value)))
    });
    options.collect()
}

//! What a tool server asks a person in the middle of a call (MCP's elicitation, form mode): a message and a flat form, and how a
//! person's words become an answer to it. The words are the server's; whoever shows them says so.

use crate::{
    Digest,
    id::{CallId, RunId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Fields of a form.
pub const FIELDS: usize = 16;
/// Bytes of a question with its form, as JSON. What is larger is refused.
pub const FORM: usize = 8 * 1024;
/// Questions of one call that people answer; the next one ends the call as it is.
pub const ROUNDS: usize = 4;
/// Options that are offered as buttons.
const BUTTONS: usize = 12;

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Elicitation {
    pub message: String,
    /// In the server's order. None: it only wants a yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Field {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Text {
        /// `email`, `uri`, `date`, `date-time`: shown, and checked by the server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<String>,
    },
    Number {
        whole: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maximum: Option<f64>,
    },
    YesNo,
    One {
        options: Vec<Choice>,
    },
    Several {
        options: Vec<Choice>,
    },
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Choice {
    pub value: String,
    /// For people.
    pub title: String,
}

/// An answer that a person gave to a question of a server.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Given {
    /// [`Elicitation::digest`]: it is given to this question and to no other.
    pub question: Digest,
    pub content: Value,
}

/// Words of which one makes a question look as if it were about a secret. Servers may not ask for those in a form.
const SECRETS: [&str; 16] = [
    "password",
    "passwort",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "token",
    "api key",
    "api_key",
    "apikey",
    "api-key",
    "private key",
    "seed phrase",
    "credit card",
    "card number",
    "cvv",
];

/// Why a person's words are no answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Unfit {
    /// It takes a yes.
    NoYes,
    NoSuchField {
        name: String,
        /// Those that there are.
        fields: Vec<String>,
    },
    Missing {
        field: String,
    },
    Wrong {
        field: String,
        takes: Kind,
    },
}

impl Elicitation {
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self).unwrap_or_else(|_| Digest::of_bytes(&self.message))
    }

    /// Names its being asked in this call, after so many answers: a server may ask the same in another call, and what was answered there
    /// is answered there.
    #[must_use]
    pub fn mark(&self, run: &RunId, call: &CallId, answers: usize) -> Digest {
        let question = self.digest();
        Digest::of(&(run, call, answers, &question)).unwrap_or(question)
    }

    /// Whether it seems to ask for a secret.
    #[must_use]
    pub fn is_about_a_secret(&self) -> bool {
        let fields = self.fields.iter();
        let words = fields.flat_map(|field| [&field.name, &field.title, &field.description]);
        let mut texts = words.chain([&self.message]).map(|text| text.to_lowercase());
        texts.any(|text| SECRETS.iter().any(|secret| text.contains(secret)))
    }

    /// What can be answered with one tap, in the order of the buttons: label and answer.
    #[must_use]
    pub fn options(&self) -> Vec<(String, Value)> {
        let [field] = &*self.fields else {
            return Vec::new();
        };
        let with = |label: &str, value: Value| {
            let content = Map::from_iter([(field.name.clone(), value)]);
            (label.to_owned(), Value::Object(content))
        };
        match &field.kind {
            Kind::YesNo => vec![with("Yes", true.into()), with("No", false.into())],
            Kind::One { options } if options.len() <= BUTTONS => {
                let options = options.iter();
                options
                    .map(|option| with(&option.title, option.value.clone().into()))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The answer of who agrees and fills in nothing; none where something has to be filled in.
    #[must_use]
    pub fn as_it_is(&self) -> Option<Value> {
        self.complete(Map::new()).ok()
    }

    /// A person's words as the answer: of one field its value, of several a line `name: value` for each that is filled in.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read(&self, text: &str) -> Result<Value, Unfit> {
        let mut content = Map::new();
        match &*self.fields {
            [] => {
                return match yes_no(text) {
                    Some(true) => self.complete(content),
                    _ => Err(Unfit::NoYes),
                };
            }
            [field] => {
                let named = text
                    .split_once(':')
                    .filter(|(name, _)| field.is_called(name));
                let value = named.map_or(text, |(_, value)| value);
                content.insert(field.name.clone(), field.read(value)?);
            }
            fields => {
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    let (name, value) = line.split_once(':').unwrap_or((line, ""));
                    let field = fields.iter().find(|field| field.is_called(name));
                    let field = field.ok_or_else(|| Unfit::NoSuchField {
                        name: name.trim().to_owned(),
                        fields: fields.iter().map(|field| field.name.clone()).collect(),
                    })?;
                    content.insert(field.name.clone(), field.read(value)?);
                }
            }
        }
        self.complete(content)
    }

    /// With the defaults of what is not there.
    fn complete(&self, mut content: Map<String, Value>) -> Result<Value, Unfit> {
        for field in &self.fields {
            if content.contains_key(&field.name) {
                continue;
            }
            match &field.default {
                Some(default) => drop(content.insert(field.name.clone(), default.clone())),
                None if field.required => {
                    let field = field.name.clone();
                    return Err(Unfit::Missing { field });
                }
                None => {}
            }
        }
        Ok(Value::Object(content))
    }
}

impl Field {
    fn is_called(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        name == self.name.to_lowercase()
            || (!self.title.is_empty() && name == self.title.to_lowercase())
    }

    fn read(&self, text: &str) -> Result<Value, Unfit> {
        let text = text.trim();
        let value = match &self.kind {
            Kind::Text { .. } => (!text.is_empty()).then(|| text.into()),
            Kind::YesNo => yes_no(text).map(Value::from),
            Kind::Number {
                whole,
                minimum,
                maximum,
            } => {
                let fits = |number: f64| {
                    minimum.is_none_or(|low| number >= low)
                        && maximum.is_none_or(|high| number <= high)
                };
                let value = match whole {
                    true => text.parse::<i64>().ok().map(Value::from),
                    false => text.parse::<f64>().ok().map(Value::from),
                };
                value.filter(|value| value.as_f64().is_some_and(fits))
            }
            Kind::One { options } => pick(options, text).map(Value::from),
            Kind::Several { options } => {
                let picked = text.split(',').map(|word| pick(options, word.trim()));
                let picked = picked.collect::<Option<Vec<&str>>>();
                picked.map(Value::from)
            }
        };
        value.ok_or_else(|| Unfit::Wrong {
            field: self.name.clone(),
            takes: self.kind.clone(),
        })
    }
}

fn pick<'a>(options: &'a [Choice], text: &str) -> Option<&'a str> {
    let same = |known: &str| known.to_lowercase() == text.to_lowercase();
    let mut options = options.iter();
    let option = options.find(|option| same(&option.value) || same(&option.title));
    option.map(|option| &*option.value)
}

fn yes_no(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "y" | "true" | "on" | "ok" => Some(true),
        "no" | "n" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(name: &str, kind: Kind) -> Field {
        Field {
            name: name.to_owned(),
            title: String::new(),
            description: String::new(),
            kind,
            required: true,
            default: None,
        }
    }

    fn asks(fields: impl IntoIterator<Item = Field>) -> Elicitation {
        Elicitation {
            message: "Which one?".to_owned(),
            fields: fields.into_iter().collect(),
        }
    }

    fn colours() -> Vec<Choice> {
        let colour = |(value, title): (&str, &str)| Choice {
            value: value.to_owned(),
            title: title.to_owned(),
        };
        [("r", "Red"), ("g", "Green")].map(colour).to_vec()
    }

    fn number(whole: bool) -> Kind {
        Kind::Number {
            whole,
            minimum: Some(1.0),
            maximum: Some(100.0),
        }
    }

    #[test]
    fn the_value_of_one_field_is_what_a_person_writes() {
        let text = asks([field("city", Kind::Text { format: None })]);
        for written in ["Bonn: old town", " city: Bonn: old town"] {
            assert_eq!(text.read(written), Ok(json!({"city": "Bonn: old town"})));
        }
        let whole = asks([field("n", number(true))]);
        assert_eq!(whole.read("42"), Ok(json!({"n": 42})));
        for wrong in ["4.5", "101", "0", "many", ""] {
            let (field, takes) = ("n".to_owned(), number(true));
            assert_eq!(whole.read(wrong), Err(Unfit::Wrong { field, takes }));
        }
        assert_eq!(
            asks([field("n", number(false))]).read("4.5"),
            Ok(json!({"n": 4.5}))
        );
        let options = colours();
        let takes = Kind::One { options };
        let one = asks([field("c", takes.clone())]);
        assert_eq!(one.read("green"), Ok(json!({"c": "g"})));
        let wrong = "c".to_owned();
        assert_eq!(
            one.read("blue"),
            Err(Unfit::Wrong {
                field: wrong,
                takes
            })
        );
        let labels: Vec<String> = one.options().into_iter().map(|(label, _)| label).collect();
        assert_eq!(labels, ["Red", "Green"]);
        let sure = asks([field("sure", Kind::YesNo)]);
        assert_eq!(sure.read("No"), Ok(json!({"sure": false})));
        assert_eq!(sure.options()[0], ("Yes".to_owned(), json!({"sure": true})));
    }

    #[test]
    fn several_fields_take_a_line_each_and_defaults_fill_the_rest() {
        let mut size = field("size", number(true));
        size.default = Some(json!(7));
        let options = colours();
        let mut named = field("full_name", Kind::Text { format: None });
        named.title = "Your name".to_owned();
        let mut colours = field("colours", Kind::Several { options });
        colours.required = false;
        let form = asks([named, size, colours]);
        assert_eq!(
            form.read("your name: Ann B.\n\ncolours: red, g"),
            Ok(json!({"full_name": "Ann B.", "size": 7, "colours": ["r", "g"]}))
        );
        let missing = "full_name".to_owned();
        assert_eq!(form.read("size: 3"), Err(Unfit::Missing { field: missing }));
        assert_eq!(
            form.read("age: 3"),
            Err(Unfit::NoSuchField {
                name: "age".to_owned(),
                fields: ["full_name", "size", "colours"].map(str::to_owned).to_vec(),
            })
        );
        assert_eq!((form.as_it_is(), form.options()), (None, Vec::new()));
    }

    #[test]
    fn a_form_without_fields_takes_a_yes() {
        let sure = asks([]);
        assert_eq!(sure.read("yes"), Ok(json!({})));
        assert!(sure.read("perhaps").is_err());
        assert_eq!(sure.as_it_is(), Some(json!({})));
    }

    #[test]
    fn the_same_question_of_another_call_is_another_one() {
        let sure = asks([]);
        let mark = |run: &str, call: &str, answers| sure.mark(&run.into(), &call.into(), answers);
        let first = mark("r", "c", 0);
        assert_eq!(first, mark("r", "c", 0));
        for other in [mark("s", "c", 0), mark("r", "d", 0), mark("r", "c", 1)] {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_noticed() {
        assert!(!asks([field("city", Kind::YesNo)]).is_about_a_secret());
        assert!(asks([field("API_KEY", Kind::YesNo)]).is_about_a_secret());
        let mut asked = asks([]);
        asked.message = "Your Password?".to_owned();
        assert!(asked.is_about_a_secret());
    }
}

//! Text with marks. Positions are in UTF-16 units, because that is what Telegram counts in and the only surface that cares.

use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
pub struct RichText {
    pub text: String,
    /// Sorted by start, then longest first; each lies within the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Mark {
    /// In UTF-16 units.
    pub start: u32,
    /// In UTF-16 units, at least 1.
    pub len: u32,
    pub style: MarkStyle,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum MarkStyle {
    Bold,
    Italic,
    Strike,
    Code,
    /// With the language, which may be empty.
    Pre(String),
    Link(String),
    Quote,
}

impl RichText {
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            marks: Vec::new(),
        }
    }

    /// Length in UTF-16 units.
    #[must_use]
    pub fn utf16_len(&self) -> usize {
        self.text.encode_utf16().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_in_utf16_units() {
        assert_eq!(RichText::plain("aä€").utf16_len(), 3);
        assert_eq!(RichText::plain("😀").utf16_len(), 2);
    }

    #[test]
    fn marks_are_read_as_they_were_written() {
        let style = MarkStyle::Pre("rust".to_owned());
        let text = RichText {
            text: "fn".to_owned(),
            marks: vec![Mark {
                start: 0,
                len: 2,
                style,
            }],
        };
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(
            json,
            r#"{"text":"fn","marks":[{"start":0,"len":2,"style":{"pre":"rust"}}]}"#
        );
        assert_eq!(serde_json::from_str::<RichText>(&json).unwrap(), text);
        assert_eq!(
            serde_json::to_string(&RichText::plain("x")).unwrap(),
            r#"{"text":"x"}"#
        );
    }
}

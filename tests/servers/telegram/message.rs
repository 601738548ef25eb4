//! Messages and what hangs on them: keyboards and files.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::state::User;

/// A message, as it stands after all edits.
#[derive(Debug, Clone)]
pub struct Message {
    /// Counted per chat, from 1.
    pub id: i64,
    pub chat_id: i64,
    /// The topic; `None` outside topics and in General.
    pub thread_id: Option<i64>,
    pub from: User,
    /// Seconds since 1970 on the fake's clock.
    pub date: i64,
    pub edit_date: Option<i64>,
    /// How often it was edited.
    pub edits: u32,
    /// The text, or the caption where `document` is set.
    pub text: String,
    /// As sent.
    pub entities: Vec<Value>,
    /// As sent; it is not carried out.
    pub parse_mode: Option<String>,
    pub document: Option<Document>,
    pub reply_to: Option<i64>,
    pub reply_markup: Option<Value>,
    /// Sent with `disable_notification`.
    pub silent: bool,
    pub pinned: bool,
    pub deleted: bool,
    /// A service message: its field in the Bot API, and that field's content.
    pub service: Option<(String, Value)>,
}

impl Message {
    pub(super) fn new(from: User, date: i64) -> Self {
        Self {
            id: 0,
            chat_id: 0,
            thread_id: None,
            from,
            date,
            edit_date: None,
            edits: 0,
            text: String::new(),
            entities: Vec::new(),
            parse_mode: None,
            document: None,
            reply_to: None,
            reply_markup: None,
            silent: false,
            pinned: false,
            deleted: false,
            service: None,
        }
    }

    /// Whether the bot sent it.
    pub fn is_bots(&self) -> bool {
        self.from.is_bot
    }

    /// The inline keyboard, row by row; empty where there is none.
    pub fn buttons(&self) -> Vec<Vec<Button>> {
        let rows = self
            .reply_markup
            .as_ref()
            .and_then(|markup| markup["inline_keyboard"].as_array());
        rows.into_iter()
            .flatten()
            .map(|row| {
                row.as_array()
                    .into_iter()
                    .flatten()
                    .map(Button::read)
                    .collect()
            })
            .collect()
    }

    /// The button with this label; else the only one whose label contains it.
    pub fn button(&self, label: &str) -> Option<Button> {
        let all: Vec<Button> = self.buttons().into_iter().flatten().collect();
        if let Some(exact) = all.iter().find(|button| button.label == label) {
            return Some(exact.clone());
        }
        let mut near = all
            .into_iter()
            .filter(|button| button.label.contains(label));
        let first = near.next();
        if near.next().is_some() { None } else { first }
    }
}

/// A button of an inline keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub label: String,
    /// `callback_data`; `None` for links and the like.
    pub data: Option<String>,
    pub url: Option<String>,
}

impl Button {
    fn read(value: &Value) -> Self {
        let field = |key: &str| value[key].as_str().map(str::to_owned);
        Self {
            label: field("text").unwrap_or_default(),
            data: field("callback_data"),
            url: field("url"),
        }
    }
}

/// A file hanging on a message.
#[derive(Debug, Clone)]
pub struct Document {
    pub file_id: String,
    pub name: String,
    pub mime: Option<String>,
    pub bytes: Bytes,
}

impl Document {
    pub(super) fn json(&self) -> Value {
        let mut value = json!({
            "file_id": self.file_id, "file_unique_id": format!("u{}", self.file_id),
            "file_name": self.name, "file_size": self.bytes.len(),
        });
        if let Some(mime) = &self.mime {
            value["mime_type"] = mime.clone().into();
        }
        value
    }
}

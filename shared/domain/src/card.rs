//! A card: what is shown with buttons, free of any surface.

use serde::{Deserialize, Serialize};

/// Longest data of one button, in bytes: the tightest surface's limit (Telegram's `callback_data`).
pub const DATA_LIMIT: usize = 64;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(default)]
pub struct Card {
    pub title: String,
    /// Shown as it is, in this order.
    pub blocks: Vec<Block>,
    /// Rows of buttons; none when nothing is left to do.
    pub actions: Vec<Vec<Action>>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "block", rename_all = "snake_case")]
pub enum Block {
    Text {
        text: String,
    },
    /// A label and its value on one line.
    Field {
        label: String,
        value: String,
    },
    /// Shown in a fixed font, not wrapped by us. `language` is a hint (`diff`, `sh`), may be empty.
    Code {
        language: String,
        text: String,
    },
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Action {
    pub label: String,
    /// What comes back with a tap: at most [`DATA_LIMIT`] bytes, `<verb>:<id>[:<digest's beginning>]`.
    pub data: String,
    #[serde(default)]
    pub style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    #[default]
    Plain,
    Good,
    Danger,
}

//! Payloads of our own, where teloxide's (Bot API 9.1) lack something: button styles, updates as raw JSON, plain ids.

use super::render::Keyboard;
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;
use teloxide::{
    requests::Payload,
    types::{AllowedUpdate, MessageEntity, True},
};

#[derive(Serialize, Default)]
pub(super) struct SendText {
    pub chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_thread_id: Option<i32>,
    pub text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<MessageEntity>,
    pub link_preview_options: NoPreview,
    pub disable_notification: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_parameters: Option<ReplyTo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_markup: Option<Keyboard>,
}

/// Telegram's servers fetch a link to preview it. A link made by a tricked model would carry out what it read, without anybody
/// tapping it.
#[derive(Serialize)]
pub(super) struct NoPreview {
    is_disabled: bool,
}

impl Default for NoPreview {
    fn default() -> Self {
        Self { is_disabled: true }
    }
}

/// A message that was deleted meanwhile does not stop the answer to it.
#[derive(Serialize)]
pub(super) struct ReplyTo {
    pub message_id: i64,
    pub allow_sending_without_reply: bool,
}

#[derive(Serialize)]
pub(super) struct EditText {
    pub chat_id: i64,
    pub message_id: i64,
    pub text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<MessageEntity>,
    pub link_preview_options: NoPreview,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_markup: Option<Keyboard>,
}

#[derive(Serialize)]
pub(super) struct DeleteMessage {
    pub chat_id: i64,
    pub message_id: i64,
}

#[derive(Serialize)]
pub(super) struct Typing {
    pub chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_thread_id: Option<i32>,
    pub action: &'static str,
}

/// Longest wait of one poll in seconds; the server caps it at 50.
pub(super) const POLL_SECONDS: u32 = 50;

#[derive(Serialize)]
pub(super) struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    pub timeout: u32,
    pub limit: u8,
    pub allowed_updates: [AllowedUpdate; 4],
}

/// What this bot looks at. Edits arrive so that a person can be told that they change nothing.
pub(super) fn allowed_updates() -> [AllowedUpdate; 4] {
    [
        AllowedUpdate::Message,
        AllowedUpdate::EditedMessage,
        AllowedUpdate::CallbackQuery,
        AllowedUpdate::MyChatMember,
    ]
}

impl Payload for SendText {
    type Output = True;
    const NAME: &'static str = "sendMessage";
}

impl Payload for EditText {
    type Output = True;
    const NAME: &'static str = "editMessageText";
}

impl Payload for DeleteMessage {
    type Output = True;
    const NAME: &'static str = "deleteMessage";
}

impl Payload for Typing {
    type Output = True;
    const NAME: &'static str = "sendChatAction";
}

impl Payload for GetUpdates {
    type Output = Vec<Box<RawValue>>;
    const NAME: &'static str = "getUpdates";
    fn timeout_hint(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.timeout.into()))
    }
}

//! Sends one message to Telegram and says what became of it. No retries here: the `send` handler decides by the error.

use super::{
    api::{Api, ApiError, Sent as SentMessage},
    error::{is_stale_tap, is_unmodified, send_error},
    form::Form,
    payload::{EditText, NoPreview, ReplyTo, SendText},
    place::Place,
    rates::{Rates, Turn},
    render::{Keyboard, entities, keyboard, sendable},
};
use crate::text::{self, en};
use domain::{card::Card, content::Content, rich_text::RichText};
use ports::{
    Blobs,
    message::{Body, Messenger, Outgoing, SendError, Sent},
};
use std::{sync::Arc, time::Duration};
use teloxide::{
    payloads::{AnswerCallbackQuery, AnswerCallbackQuerySetters, LeaveChat},
    types::{CallbackQueryId, ChatId, Recipient},
};

/// In UTF-16 units: a file's caption, a toast.
const CAPTION_LIMIT: usize = 1024;
const TOAST_LIMIT: usize = 200;

pub struct TelegramMessenger {
    api: Api,
    blobs: Arc<dyn Blobs>,
    rates: Arc<Rates>,
}

impl TelegramMessenger {
    #[must_use]
    pub fn new(api: Api, blobs: Arc<dyn Blobs>, rates: Arc<Rates>) -> Self {
        Self { api, blobs, rates }
    }

    /// Waits while the whole bot is at its limit, which is a moment. A chat that is at its own keeps nobody else waiting.
    async fn turn(&self, chat: i64) -> Result<(), SendError> {
        loop {
            match self.rates.take(chat) {
                Turn::Now => return Ok(()),
                Turn::Soon(wait) => tokio::time::sleep(wait).await,
                Turn::Later(wait) => return Err(SendError::RetryAfter(wait)),
            }
        }
    }

    async fn deliver(
        &self,
        place: Place,
        message: &Outgoing,
        edits: Option<&Sent>,
        again: bool,
    ) -> Result<Option<Sent>, SendError> {
        match &message.body {
            Body::Text { text, actions } => {
                let buttons = (!actions.is_empty()).then(|| keyboard(actions));
                self.send_text(place, message, sendable(text, again), buttons)
                    .await
            }
            Body::Card { card } => self.send_card(place, message, card, again).await,
            Body::EditCard { card, .. } => match edits {
                Some(sent) => {
                    let id = sent.message.parse().map_err(|_| SendError::Missing)?;
                    let shown = sendable(&text::card(card), false);
                    self.edit(place, id, shown, keyboard(&card.actions)).await?;
                    Ok(Some(sent.clone()))
                }
                None => self.send_card(place, message, card, again).await,
            },
            Body::File {
                name,
                content,
                caption,
            } => {
                let again = if again { en::SENT_AGAIN } else { "" };
                let caption = shortened(format!("{caption}\n{again}").trim(), CAPTION_LIMIT);
                let file = File {
                    name,
                    content,
                    caption,
                };
                self.send_file(place, message, file).await
            }
            Body::Toast { tap, text } => self.toast(tap, text).await.map(|()| None),
            Body::Leave => self.leave(place).await.map(|()| None),
        }
    }

    async fn send_text(
        &self,
        place: Place,
        message: &Outgoing,
        rich: RichText,
        buttons: Option<Keyboard>,
    ) -> Result<Option<Sent>, SendError> {
        let payload = SendText {
            chat_id: place.chat,
            message_thread_id: place.topic,
            entities: entities(&rich),
            text: rich.text,
            link_preview_options: NoPreview::default(),
            disable_notification: !message.rings,
            reply_parameters: reply_to(message).map(|message_id| ReplyTo {
                message_id,
                allow_sending_without_reply: true,
            }),
            reply_markup: buttons,
        };
        sent(self.api.call(&payload).await)
    }

    async fn send_card(
        &self,
        place: Place,
        message: &Outgoing,
        card: &Card,
        again: bool,
    ) -> Result<Option<Sent>, SendError> {
        let shown = sendable(&text::card(card), again);
        self.send_text(place, message, shown, Some(keyboard(&card.actions)))
            .await
    }

    async fn edit(
        &self,
        place: Place,
        message_id: i64,
        rich: RichText,
        buttons: Keyboard,
    ) -> Result<(), SendError> {
        let payload = EditText {
            chat_id: place.chat,
            message_id,
            entities: entities(&rich),
            text: rich.text,
            link_preview_options: NoPreview::default(),
            reply_markup: Some(buttons),
        };
        match self.api.call::<_, serde_json::Value>(&payload).await {
            Err(error) if !is_unmodified(&error) => Err(send_error(error)),
            _ => Ok(()),
        }
    }

    async fn send_file(
        &self,
        place: Place,
        message: &Outgoing,
        file: File<'_>,
    ) -> Result<Option<Sent>, SendError> {
        // Nothing has gone out yet, and the blob store may answer later.
        let bytes = match file.content {
            Content::Inline(text) => text.clone().into_bytes(),
            Content::Stored { blob, .. } => self
                .blobs
                .get(blob)
                .await
                .map_err(|error| SendError::NotDelivered(error.to_string()))?,
        };
        if bytes.is_empty() {
            // Telegram takes no empty file.
            let text = RichText::plain(format!("{}: {}", file.name, en::EMPTY));
            return self.send_text(place, message, text, None).await;
        }
        let mut form = Form::for_file(&bytes);
        form.field("chat_id", &place.chat.to_string());
        if let Some(topic) = place.topic {
            form.field("message_thread_id", &topic.to_string());
        }
        form.field(
            "disable_notification",
            if message.rings { "false" } else { "true" },
        );
        if !file.caption.is_empty() {
            form.field("caption", &file.caption);
        }
        if let Some(id) = reply_to(message) {
            form.field(
                "reply_parameters",
                &format!("{{\"message_id\":{id},\"allow_sending_without_reply\":true}}"),
            );
        }
        let (kind, body) = form.finish(file.name, &bytes);
        sent(
            self.api
                .post("sendDocument", &kind, body, Duration::from_secs(60))
                .await,
        )
    }

    async fn toast(&self, tap: &str, text: &str) -> Result<(), SendError> {
        let line = shortened(text, TOAST_LIMIT);
        let payload = AnswerCallbackQuery::new(CallbackQueryId(tap.to_owned())).text(line);
        match self.api.call::<_, bool>(&payload).await {
            // Too late to be seen; the card shows the outcome.
            Err(error) if !is_stale_tap(&error) => Err(send_error(error)),
            _ => Ok(()),
        }
    }

    async fn leave(&self, place: Place) -> Result<(), SendError> {
        let payload = LeaveChat::new(Recipient::Id(ChatId(place.chat)));
        match self.api.call::<_, bool>(&payload).await.map_err(send_error) {
            // Out already.
            Err(SendError::Gone(_)) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait::async_trait]
impl Messenger for TelegramMessenger {
    async fn send(
        &self,
        message: &Outgoing,
        edits: Option<&Sent>,
        again: bool,
    ) -> Result<Option<Sent>, SendError> {
        let place = Place::of(&message.to)
            .ok_or_else(|| SendError::Refused(format!("{} is no place in Telegram", message.to)))?;
        // An answer to a tap and a goodbye are no messages.
        let counts = !matches!(message.body, Body::Toast { .. } | Body::Leave);
        if counts {
            self.turn(place.chat).await?;
        }
        let result = self.deliver(place, message, edits, again).await;
        if let (true, Err(SendError::RetryAfter(wait))) = (counts, &result) {
            self.rates.hold(place.chat, *wait);
        }
        result
    }
}

struct File<'a> {
    name: &'a str,
    content: &'a Content,
    caption: String,
}

fn reply_to(message: &Outgoing) -> Option<i64> {
    message.reply_to.as_ref()?.parse().ok()
}

fn sent(answer: Result<SentMessage, ApiError>) -> Result<Option<Sent>, SendError> {
    answer
        .map(|sent| {
            Some(Sent {
                message: sent.message_id.to_string(),
            })
        })
        .map_err(send_error)
}

fn shortened(text: &str, units: usize) -> String {
    let mut used = 1;
    let kept: String = text
        .chars()
        .take_while(|c| {
            used += c.len_utf16();
            used <= units
        })
        .collect();
    if kept.len() < text.len() {
        format!("{kept}…")
    } else {
        kept
    }
}

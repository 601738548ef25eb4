//! Text with marks as Telegram's entities, actions as its keyboard. `parse_mode` is never used: nothing is parsed, nothing eaten.

use crate::text::{Builder, en};
use domain::{
    card::{Action, Style},
    rich_text::{Mark, MarkStyle, RichText},
};
use serde::Serialize;
use teloxide::types::{MessageEntity, MessageEntityKind};
use url::Url;

/// Telegram refuses an empty text.
pub(super) fn sendable(rich: &RichText, again: bool) -> RichText {
    let mut out = Builder::default();
    if again {
        out.marked(en::SENT_AGAIN, MarkStyle::Italic).push("\n\n");
    }
    match rich.text.trim().is_empty() {
        true => out.push(en::EMPTY),
        false => out.append(rich),
    };
    out.build()
}

pub(super) fn entities(rich: &RichText) -> Vec<MessageEntity> {
    rich.marks.iter().filter_map(entity).collect()
}

fn entity(mark: &Mark) -> Option<MessageEntity> {
    let kind = match &mark.style {
        MarkStyle::Bold => MessageEntityKind::Bold,
        MarkStyle::Italic => MessageEntityKind::Italic,
        MarkStyle::Strike => MessageEntityKind::Strikethrough,
        MarkStyle::Code => MessageEntityKind::Code,
        MarkStyle::Pre(language) => MessageEntityKind::Pre {
            language: Some(language.clone()).filter(|language| !language.is_empty()),
        },
        MarkStyle::Link(url) => MessageEntityKind::TextLink {
            url: Url::parse(url).ok()?,
        },
        MarkStyle::Quote => MessageEntityKind::Blockquote,
    };
    Some(MessageEntity::new(
        kind,
        mark.start as usize,
        mark.len as usize,
    ))
}

/// An inline keyboard. Not teloxide's, which has no `style` yet (Bot API 9.4).
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct Keyboard {
    inline_keyboard: Vec<Vec<Button>>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
struct Button {
    text: String,
    callback_data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<&'static str>,
}

/// A card without actions gets an empty keyboard, which takes the old one away in an edit.
pub(super) fn keyboard(actions: &[Vec<Action>]) -> Keyboard {
    let rows = actions.iter().map(|row| {
        let buttons = row.iter().map(|action| Button {
            text: action.label.clone(),
            callback_data: action.data.clone(),
            style: match action.style {
                Style::Plain => None,
                Style::Good => Some("success"),
                Style::Danger => Some("danger"),
            },
        });
        buttons.collect()
    });
    Keyboard {
        inline_keyboard: rows.collect(),
    }
}

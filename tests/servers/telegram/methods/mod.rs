//! The Bot API's methods: what each checks, changes and answers. Every one runs under the state's mutex and never waits.

mod callbacks;
mod chats;
mod checks;
mod documents;
mod edits;
mod messages;
mod profile;
pub(super) mod updates;

pub(super) use chats::member;

use super::answer::Answer;
use super::params::Params;
use super::state::State;

pub(super) type Handler = fn(&mut State, &Params) -> Answer;

/// `getUpdates` waits, so the server carries it out itself; it stands here for its name.
const METHODS: &[(&str, Handler)] = &[
    ("sendMessage", messages::send_message),
    ("getUpdates", profile::always_true),
    ("editMessageText", edits::edit_text),
    ("editMessageCaption", edits::edit_caption),
    ("editMessageReplyMarkup", edits::edit_reply_markup),
    ("answerCallbackQuery", callbacks::answer),
    ("sendChatAction", chats::send_action),
    ("sendDocument", documents::send_document),
    ("deleteMessage", edits::delete),
    ("getFile", documents::get_file),
    ("getMe", profile::get_me),
    ("setWebhook", updates::set_webhook),
    ("deleteWebhook", updates::delete_webhook),
    ("getWebhookInfo", updates::webhook_info),
    ("setMyCommands", profile::set_commands),
    ("getMyCommands", profile::get_commands),
    ("deleteMyCommands", profile::delete_commands),
    ("setMyDescription", profile::always_true),
    ("setMyShortDescription", profile::always_true),
    ("setMyName", profile::always_true),
    ("getChat", chats::get_chat),
    ("getChatMember", chats::get_member),
    ("getChatAdministrators", chats::get_administrators),
    ("leaveChat", chats::leave),
    ("pinChatMessage", chats::pin),
    ("unpinChatMessage", chats::unpin),
];

/// Telegram takes names in any case; the name returned is its own spelling.
pub(super) fn find(name: &str) -> Option<(&'static str, Handler)> {
    METHODS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .copied()
}

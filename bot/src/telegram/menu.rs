//! The command menu that Telegram shows beside the text field.

use super::api::{Api, ApiError};
use teloxide::{payloads::SetMyCommands, types::BotCommand};

/// Each with its name (without slash) and description.
///
/// # Errors
/// [`ApiError`].
pub async fn set_menu(api: &Api, commands: &[(&str, &str)]) -> Result<(), ApiError> {
    let commands = commands
        .iter()
        .map(|(name, description)| BotCommand::new(*name, *description));
    api.call::<_, bool>(&SetMyCommands::new(commands))
        .await
        .map(|_| ())
}

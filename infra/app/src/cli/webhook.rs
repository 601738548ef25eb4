//! `countersign webhook`: to which address Telegram pushes what happens. `countersign up` sets it by itself; for cloud functions it is set here, once.

use super::{Context, Failure, output::fields};
use crate::compose::{door::Door, surfaces};
use bot::telegram::{Api, ApiError, set_menu};
use url::Url;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Have updates pushed to the webhook below this address, such as a function's URL
    Set { url: Url },
    /// Show where updates are pushed, and what went wrong last
    Show,
    /// Have nothing pushed any more; what waits is kept
    Delete,
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let Context { config, output, .. } = context;
    let (Some(api), Some(door)) = (surfaces::telegram(&config), Door::of(&config)) else {
        return Err(Failure::new(
            "There is no bot: set TELEGRAM_BOT_TOKEN, which @BotFather gives.",
        ));
    };
    config.redaction.set("webhook", door.secrets());
    match arguments.command {
        Command::Set { url } => {
            let whole = door
                .url(&url)
                .map_err(|error| Failure::usage(format!("{url} cannot be used: {error}.")))?;
            api.set_webhook(whole, &door.secret)
                .await
                .map_err(|error| refused(&error))?;
            set_menu(&api, &bot::command::menu())
                .await
                .map_err(|error| refused(&error))?;
            let shown = config.redaction.text(url.as_str());
            output.show(&serde_json::json!({"url": shown}), || {
                format!("From now on Telegram pushes what happens to {shown}.")
            })?;
        }
        Command::Show => return show(&api, &config.redaction, &output).await,
        Command::Delete => {
            api.delete_webhook()
                .await
                .map_err(|error| refused(&error))?;
            output.show(&serde_json::json!({"url": null}), || {
                "Telegram pushes nothing any more; what waits is kept for the next webhook, or for `countersign up`."
                    .to_owned()
            })?;
        }
    }
    Ok(0)
}

async fn show(
    api: &Api,
    redaction: &crate::redacted::Redaction,
    output: &super::output::Output,
) -> Result<u8, Failure> {
    let info = api.webhook_info().await.map_err(|error| refused(&error))?;
    let url = redaction.text(&info.url);
    let (waiting, error) = (info.pending_update_count, info.last_error_message);
    let value = serde_json::json!({"url": url, "waiting": waiting, "last_error": error});
    output.show(&value, || match url.is_empty() {
        true => "Telegram pushes to nowhere: `countersign webhook set URL`.".to_owned(),
        false => fields(&[
            ("url", url.clone()),
            ("waiting", waiting.to_string()),
            ("last error", error.clone().unwrap_or_default()),
        ]),
    })?;
    Ok(0)
}

fn refused(error: &ApiError) -> Failure {
    Failure::new(match error {
        ApiError::Refused {
            code: 401 | 404, ..
        } => "Telegram does not know this bot token: copy it again from @BotFather into TELEGRAM_BOT_TOKEN.".to_owned(),
        error => format!("Telegram does not take it: {error}."),
    })
}

//! `countersign pair`: a one-time code that makes somebody a member.

use super::{Context, Failure};
use crate::compose::surfaces;
use domain::member::Role;
use handlers::{commit_with, members};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// What the person may do: viewer reads, operator runs and approves, owner everything
    #[arg(long, default_value = "owner", value_parser = role)]
    role: Role,
}

fn role(text: &str) -> Result<Role, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "choose viewer, operator or owner".to_owned())
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let home = &local.home;
    let code = commit_with(home, async || {
        members::invite(home, Some(&local.owner), arguments.role).await
    })
    .await?;
    let link = match surfaces::telegram(&local.config) {
        Some(api) => api.me().await.ok().map(|me| link(&me.username, &code)),
        None => None,
    };
    let value = serde_json::json!({"code": code, "link": link, "role": arguments.role});
    output.show(&value, || match &link {
        Some(link) => format!("Whoever opens this link first, within a week, is {}:\n{link}", arguments.role),
        None => format!(
            "Whoever sends this to the bot first, within a week, is {}:\n/start {code}\n(Set TELEGRAM_BOT_TOKEN to get a link.)",
            arguments.role
        ),
    })?;
    Ok(0)
}

/// Telegram's deep link: it opens the bot's chat and sends `/start CODE`.
pub fn link(bot: &str, code: &str) -> String {
    format!("https://t.me/{bot}?start={code}")
}

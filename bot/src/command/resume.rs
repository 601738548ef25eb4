//! `/resume`: back to an earlier conversation of this chat.

use super::{Command, Ctx, Reply};
use crate::text::en;
use handlers::{CommandError, sessions};

pub struct Resume;

#[async_trait::async_trait]
impl Command for Resume {
    fn name(&self) -> &'static str {
        "resume"
    }
    fn description(&self) -> &'static str {
        "Go back to an earlier conversation of this chat"
    }
    fn usage(&self) -> &'static str {
        "<number>"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        match ctx.args.trim_start_matches('#').parse() {
            Ok(number) => to(ctx, number).await,
            Err(_) => Ok(super::usage(ctx, self)),
        }
    }
}

pub(crate) async fn to(ctx: &Ctx<'_>, number: u32) -> Result<Reply, CommandError> {
    let draft = sessions::resume(ctx.home, ctx.member, &ctx.inbound.session, number).await?;
    Ok(ctx.say(&en::resumed(&draft.fact)).with(draft.ops))
}

//! `/new`: a conversation without history.

use super::{Command, Ctx, Reply};
use crate::text::en;
use handlers::{CommandError, sessions};

pub struct New;

#[async_trait::async_trait]
impl Command for New {
    fn name(&self) -> &'static str {
        "new"
    }
    fn description(&self) -> &'static str {
        "Begin another conversation, without the history of this one"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let draft = sessions::renew(ctx.home, ctx.member, &ctx.inbound.session).await?;
        Ok(ctx.say(en::FRESH).with(draft.ops))
    }
}

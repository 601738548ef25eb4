//! `/back`: here again, before the time that `/away` said.

use super::{Command, Ctx, Reply};
use crate::text::en;
use handlers::{CommandError, members};

pub struct Back;

#[async_trait::async_trait]
impl Command for Back {
    fn name(&self) -> &'static str {
        "back"
    }
    fn description(&self) -> &'static str {
        "Be back: cards come to you again, nobody decides for you"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let draft = members::back(ctx.home, &ctx.member.id).await?;
        Ok(ctx.say(en::BACK).with(draft.ops))
    }
}

//! `/start`: hello; with a code, an invitation is opened.

use super::{Command, Ctx, Reply};
use crate::text::en;
use handlers::{CommandError, members, sessions};
use ports::repo;

pub struct Start;

#[async_trait::async_trait]
impl Command for Start {
    fn name(&self) -> &'static str {
        "start"
    }
    fn description(&self) -> &'static str {
        "Say hello"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        if !ctx.args.is_empty() {
            return open(ctx).await;
        }
        let (session, _) = sessions::get_or_new(ctx.home, &ctx.inbound.session).await?;
        let agent = repo::get::<domain::agent::Agent>(
            &*ctx.home.store,
            &ctx.home.team,
            session.agent.as_str(),
        )
        .await?;
        let name = agent.map_or_else(|| session.agent.to_string(), |agent| agent.value.name);
        Ok(ctx.say(&en::hello(ctx.member, &name)))
    }
}

/// A member opens an invitation: their role may rise, and this chat becomes the one where the system reaches them.
async fn open(ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
    if !ctx.inbound.private {
        return Ok(ctx.say(en::JOIN_IN_PRIVATE));
    }
    let chat = ctx.inbound.session.as_str();
    let draft = members::join(ctx.home, &ctx.member.id, &ctx.member.name, chat, ctx.args).await?;
    Ok(ctx.say(&en::welcome(&draft.fact)).with(draft.ops))
}

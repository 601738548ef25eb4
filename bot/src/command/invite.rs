//! `/invite`: a one-time link that makes somebody a member.

use super::{Command, Ctx, Reply};
use crate::text::en;
use domain::member::Role;
use handlers::{CommandError, members};

pub struct Invite;

#[async_trait::async_trait]
impl Command for Invite {
    fn name(&self) -> &'static str {
        "invite"
    }
    fn description(&self) -> &'static str {
        "A one-time link for a new member"
    }
    fn usage(&self) -> &'static str {
        "operator|viewer|owner"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let role = match ctx.word().0 {
            "operator" => Role::Operator,
            "viewer" => Role::Viewer,
            "owner" => Role::Owner,
            _ => return Ok(super::usage(ctx, self)),
        };
        // The first who opens it is in: a group is no place for it.
        if !ctx.inbound.private {
            return Ok(ctx.say(en::INVITE_IN_PRIVATE));
        }
        let draft = members::invite(ctx.home, Some(ctx.member), role).await?;
        let how = match ctx.me {
            Some(me) => format!("https://t.me/{}?start={}", me.username, draft.fact),
            None => format!("/start {}", draft.fact),
        };
        Ok(ctx.say(&en::invited(role, &how)).with(draft.ops))
    }
}

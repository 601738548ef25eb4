//! `/approve`: a yes without a button.

use super::{Command, Ctx, Reply, several};
use crate::text::en;
use domain::approval::{Choice, Question, read_handle};
use handlers::{CommandError, decide, queries};

pub struct Approve;

#[async_trait::async_trait]
impl Command for Approve {
    fn name(&self) -> &'static str {
        "approve"
    }
    fn description(&self) -> &'static str {
        "Approve a call"
    }
    fn usage(&self) -> &'static str {
        "<id or capability> | all [except <id> …] | run <run> [except <id> …]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        if let Some(reply) = several::decided(ctx, &Choice::Approve).await? {
            return Ok(reply);
        }
        let (id, _) = ctx.word();
        if id.is_empty() {
            return Ok(super::usage(ctx, self));
        }
        let approval = queries::addressed(ctx.home, &ctx.inbound.session, id)
            .await?
            .value;
        if approval.question == Question::Unknown {
            // Yes could mean “again” or “it happened”: only the buttons say which.
            return Ok(ctx.say(en::USE_BUTTONS));
        }
        let choice = match approval.question {
            Question::Budget => Choice::Raise,
            _ => Choice::Approve,
        };
        let (_, shown) = read_handle(id);
        let draft = decide::decide(ctx.home, ctx.member, &approval.id, &choice, shown).await?;
        Ok(ctx
            .say(&en::decided(&draft.fact.approval, 0))
            .with(draft.ops))
    }
}

//! `/deny`: a no without a button, with a reason that the agent sees.

use super::{Command, Ctx, Reply, several};
use crate::text::en;
use domain::approval::{Choice, Question, read_handle};
use handlers::{CommandError, decide, queries};

pub struct Deny;

#[async_trait::async_trait]
impl Command for Deny {
    fn name(&self) -> &'static str {
        "deny"
    }
    fn description(&self) -> &'static str {
        "Deny a call, and say why"
    }
    fn usage(&self) -> &'static str {
        "<id or capability> [reason] | all [except <id> …] | run <run> [except <id> …]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let reason = String::new();
        if let Some(reply) = several::decided(ctx, &Choice::Deny { reason }).await? {
            return Ok(reply);
        }
        let (id, reason) = ctx.word();
        if id.is_empty() {
            return Ok(super::usage(ctx, self));
        }
        let approval = queries::addressed(ctx.home, &ctx.inbound.session, id)
            .await?
            .value;
        let choice = match approval.question {
            Question::Call => Choice::Deny {
                reason: reason.to_owned(),
            },
            Question::Unknown | Question::Budget => Choice::Stop,
        };
        let (_, shown) = read_handle(id);
        let draft = decide::decide(ctx.home, ctx.member, &approval.id, &choice, shown).await?;
        Ok(ctx
            .say(&en::decided(&draft.fact.approval, 0))
            .with(draft.ops))
    }
}

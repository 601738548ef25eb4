//! `/cancel`: stops the run that works or waits here, or the one that is named.

use super::{Command, Ctx, Reply};
use crate::text::en;
use domain::id::RunId;
use handlers::{CommandError, Problem, cancel, queries, sessions};

pub struct Cancel;

#[async_trait::async_trait]
impl Command for Cancel {
    fn name(&self) -> &'static str {
        "cancel"
    }
    fn description(&self) -> &'static str {
        "Stop the run that works here"
    }
    fn usage(&self) -> &'static str {
        "[run]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let run: RunId = match ctx.word().0 {
            "" => {
                let (session, _) = sessions::get_or_new(ctx.home, &ctx.inbound.session).await?;
                session.run.ok_or(Problem::NothingToCancel)?
            }
            id => queries::run(ctx.home, id).await?.id,
        };
        let draft = cancel::cancel(ctx.home, ctx.member, &run).await?;
        Ok(ctx.say(&en::cancelling(run.as_str())).with(draft.ops))
    }
}

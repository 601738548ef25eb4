//! `/budget`: what models may cost, and where that stands.

use super::{Command, Ctx, Reply};
use crate::text::en;
use handlers::{CommandError, budgets};

pub struct Budget;

#[async_trait::async_trait]
impl Command for Budget {
    fn name(&self) -> &'static str {
        "budget"
    }
    fn description(&self) -> &'static str {
        "What models may cost: team, day, agent, member, run"
    }
    fn usage(&self) -> &'static str {
        "[team | day | run | agent NAME | member NAME] [DOLLARS | off]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let now = ctx.home.now();
        if ctx.args.is_empty() {
            let list = budgets::list(ctx.home).await?;
            let mut lines: Vec<String> = list.iter().map(|it| en::standing(it, now)).collect();
            if lines.is_empty() {
                lines.push(en::NO_BUDGETS.to_owned());
            }
            lines.extend([String::new(), en::BUDGETS_HINT.to_owned()]);
            return Ok(ctx.say(&lines.join("\n")));
        }
        let (scope, amount) = budgets::order(ctx.home, ctx.args).await?;
        match amount {
            Some(amount) => {
                let draft = budgets::set(ctx.home, ctx.member, &scope, amount).await?;
                Ok(ctx.say(&en::standing(&draft.fact, now)).with(draft.ops))
            }
            None => {
                let draft = budgets::remove(ctx.home, ctx.member, &scope).await?;
                Ok(ctx
                    .say(&en::budget_removed(&draft.fact.scope))
                    .with(draft.ops))
            }
        }
    }
}

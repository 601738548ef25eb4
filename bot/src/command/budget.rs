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
            match lines.is_empty() {
                true => lines.push(en::NO_BUDGETS.to_owned()),
                false => lines.extend(unpriced(ctx).await?),
            }
            lines.extend([String::new(), en::BUDGETS_HINT.to_owned()]);
            return Ok(ctx.say(&lines.join("\n")));
        }
        let (scope, amount) = budgets::order(ctx.home, ctx.args).await?;
        match amount {
            Some(amount) => {
                let draft = budgets::set(ctx.home, ctx.member, &scope, amount).await?;
                let mut lines = vec![en::standing(&draft.fact, now)];
                lines.extend(unpriced(ctx).await?);
                Ok(ctx.say(&lines.join("\n")).with(draft.ops))
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

/// Which models no budget holds back.
async fn unpriced(ctx: &Ctx<'_>) -> Result<Option<String>, CommandError> {
    let (store, team) = (&*ctx.home.store, &ctx.home.team);
    let names = budgets::unpriced(store, team, ctx.models).await?;
    Ok((!names.is_empty()).then(|| en::unpriced(&names)))
}

//! `/away`: for a while no cards are sent to this person, and somebody may decide in their place.

use super::{Command, Ctx, Reply};
use crate::text::{en, time};
use domain::parse_span;
use handlers::{CommandError, Problem, members};

pub struct Away;

#[async_trait::async_trait]
impl Command for Away {
    fn name(&self) -> &'static str {
        "away"
    }
    fn description(&self) -> &'static str {
        "Be away for a while; somebody may decide for you"
    }
    fn usage(&self) -> &'static str {
        "<span> [to <member>]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let (span, rest) = ctx.word();
        let deputy = rest.strip_prefix("to ").map(str::trim);
        if span.is_empty() || (deputy.is_none() && !rest.is_empty()) {
            return Ok(super::usage(ctx, self));
        }
        let span = parse_span(span).ok_or_else(|| Problem::Invalid(en::no_such_span(span)))?;
        let draft = members::away(ctx.home, &ctx.member.id, span, deputy).await?;
        let now = ctx.home.now();
        let until = time::at(now.plus(span), now, &ctx.member.zone);
        let deputy = draft.fact.away.and_then(|away| away.deputy);
        let deputy = match deputy {
            Some(deputy) => members::find(ctx.home, &deputy).await?,
            None => None,
        };
        let deputy = deputy.as_ref().map(|deputy| &*deputy.name);
        Ok(ctx.say(&en::away(&until, deputy)).with(draft.ops))
    }
}

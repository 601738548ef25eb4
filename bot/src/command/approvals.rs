//! `/approvals`: what waits for a decision.

use super::{Command, Ctx, Reply, several};
use crate::text::{Builder, en, one_line, time, visible};
use domain::{content::prefix, rich_text::MarkStyle};
use handlers::{CommandError, queries};

pub struct Approvals;

/// Bytes of each call that are shown; the card has all of it.
const WHAT: usize = 300;

#[async_trait::async_trait]
impl Command for Approvals {
    fn name(&self) -> &'static str {
        "approvals"
    }
    fn description(&self) -> &'static str {
        "What waits for a decision"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let pending = queries::pending(ctx.home).await?;
        if pending.is_empty() {
            return Ok(ctx.say(en::NO_APPROVALS));
        }
        let now = ctx.home.now();
        let mut out = Builder::default();
        for approval in &pending {
            let left = time::span(approval.expires_at.since(now));
            out.marked(&approval.handle(), MarkStyle::Code)
                .push(" ")
                .marked(&en::card_title(approval), MarkStyle::Bold);
            out.push(&format!(" ({})\n", en::left(&left)));
            out.marked(
                prefix(&one_line(&visible(&approval.shown.what)), WHAT),
                MarkStyle::Code,
            )
            .push("\n\n");
        }
        out.push(en::APPROVALS_HINT);
        let mut reply = ctx.show(&out.build());
        reply
            .messages
            .extend(several::buttons(ctx, &pending).await?);
        Ok(reply)
    }
}

//! Agents from plain words: `/agent new`, and what should be different about a draft.

use super::{Ctx, Reply};
use crate::{conversation, text::en};
use domain::id::{ApprovalId, short};
use handlers::{CommandError, agents, ask, modify};

/// The name of a question for what should be different, under which a reply to it is recognised.
const TAG: &str = "redraft:";

/// One task for the agent that makes agents.
pub(crate) async fn new(ctx: &Ctx<'_>, words: &str) -> Result<Reply, CommandError> {
    let designer = agents::find(ctx.home, agents::DESIGNER).await?.value;
    let prompt = agents::wish(ctx.home, ctx.member, words).await?;
    let (member, session) = (ctx.member, &ctx.inbound.session);
    let draft = ask::ask(ctx.home, member, session, &prompt, Some(&designer.id)).await?;
    Ok(conversation::asked(ctx, draft.ops, &draft.fact))
}

/// Asks what should be different.
pub(crate) async fn question(
    ctx: &Ctx<'_>,
    id: &str,
    shown: Option<&str>,
) -> Result<Reply, CommandError> {
    let id = ApprovalId::new(id);
    let form = modify::form(ctx.home, ctx.tools, ctx.member, &id, shown).await?;
    let approval = form.approval;
    let mut reply = ctx.say(en::REDRAFT_HOW);
    if let Some(first) = reply.messages.first_mut() {
        let nonce = ctx.home.chance.id();
        let digest = shown.unwrap_or(approval.digest.short());
        first.tag = Some(format!("{TAG}{}:{digest}:{}", approval.id, short(&nonce)));
    }
    Ok(reply)
}

/// The approval and the digest's beginning that a question's tag names.
pub(crate) fn asked_by(tag: &str) -> Option<(ApprovalId, &str)> {
    let mut parts = tag.strip_prefix(TAG)?.split(':');
    Some((ApprovalId::new(parts.next()?), parts.next()?))
}

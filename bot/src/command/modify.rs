//! `/modify`: the call of a card, changed. The button of the same name asks for the change, and a reply to that question is one.

use super::{Command, Ctx, Reply};
use crate::text::{Builder, en, visible};
use domain::{
    approval::read_handle,
    content::prefix,
    id::{ApprovalId, short},
    rich_text::MarkStyle,
};
use handlers::{CommandError, modify, modify::Form, queries};

pub struct Modify;

/// Bytes of the call that the question quotes; the card has all of it.
const QUOTED: usize = 2500;

#[async_trait::async_trait]
impl Command for Modify {
    fn name(&self) -> &'static str {
        "modify"
    }
    fn description(&self) -> &'static str {
        "Change a call before you decide about it"
    }
    fn usage(&self) -> &'static str {
        "<id> [the new command, text, or arguments as JSON]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let (id, text) = ctx.word();
        if id.is_empty() {
            return Ok(super::usage(ctx, self));
        }
        let approval = queries::approval(ctx.home, id).await?.value;
        let (_, shown) = read_handle(id);
        match text {
            "" => question(ctx, &approval.id, shown).await,
            text => change(ctx, &approval.id, text, shown).await,
        }
    }
}

/// The name of a question for a change, under which a reply to it is recognised: each time another one, so that a reply to an
/// older one is still one.
const TAG: &str = "change:";

/// The approval and the digest's beginning that a question's tag names.
pub(crate) fn asked_by(tag: &str) -> Option<(ApprovalId, &str)> {
    let mut parts = tag.strip_prefix(TAG)?.split(':');
    Some((ApprovalId::new(parts.next()?), parts.next()?))
}

/// Asks for the change.
pub(crate) async fn question(
    ctx: &Ctx<'_>,
    id: &ApprovalId,
    shown: Option<&str>,
) -> Result<Reply, CommandError> {
    let form = modify::form(ctx.home, ctx.tools, ctx.member, id, shown).await?;
    let approval = &form.approval;
    let mut out = Builder::default();
    out.push(&en::change_how(&approval.handle(), form.field))
        .push("\n\n")
        .marked(&quoted(&form), MarkStyle::Pre(String::new()));
    let mut reply = ctx.show(&out.build());
    if let Some(first) = reply.messages.first_mut() {
        let nonce = ctx.home.chance.id();
        let digest = approval.digest.short();
        first.tag = Some(format!("{TAG}{id}:{digest}:{}", short(&nonce)));
    }
    Ok(reply)
}

fn quoted(form: &Form) -> String {
    let text = prefix(&form.now, QUOTED);
    let more = if text.len() < form.now.len() {
        " …"
    } else {
        ""
    };
    format!("{}{more}", visible(text))
}

/// Makes the change; the card follows when the run has judged it.
pub(crate) async fn change(
    ctx: &Ctx<'_>,
    id: &ApprovalId,
    text: &str,
    shown: Option<&str>,
) -> Result<Reply, CommandError> {
    let draft = modify::modify(ctx.home, ctx.tools, ctx.member, id, (text, shown)).await?;
    Ok(ctx.say(en::CHANGE_NOTED).with(draft.ops))
}

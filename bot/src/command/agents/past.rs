//! What an agent was, and it as a file.

use crate::{
    command::{Ctx, Reply},
    present,
    text::{Builder, en, time},
};
use domain::{content::Content, rich_text::MarkStyle};
use handlers::{CommandError, agents};
use ports::message::Body;

/// Versions that are shown, the latest ones.
const SHOWN: usize = 20;

pub async fn history(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let past = agents::history(ctx.home, name).await?;
    let mut out = Builder::default();
    if past.len() > SHOWN {
        out.push(&en::older_versions(past.len() - SHOWN)).push("\n");
    }
    for version in past.iter().skip(past.len().saturating_sub(SHOWN)) {
        let at = time::at(version.at, ctx.home.now(), &ctx.member.zone);
        out.marked(&en::version(version, &at), MarkStyle::Bold)
            .push("\n");
        if !version.diff.is_empty() {
            out.marked(version.diff.trim_end(), MarkStyle::Pre("diff".to_owned()))
                .push("\n");
        }
    }
    out.push(&en::undo_hint(name));
    Ok(ctx.show(&out.build()))
}

pub async fn undo(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let draft = agents::undo(ctx.home, ctx.member, name).await?;
    let (agent, number) = &draft.fact;
    Ok(ctx.say(&en::version_undone(agent, *number)).with(draft.ops))
}

pub async fn export(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let text = agents::export(ctx.home, name).await?;
    let file = Body::File {
        name: format!("{name}.md"),
        content: Content::inline(&text),
        caption: String::new(),
    };
    Ok(Reply {
        ops: Vec::new(),
        messages: vec![present::outgoing(&ctx.inbound.session, file)],
    })
}

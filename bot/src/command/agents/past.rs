//! What an agent was, and it as a file.

use crate::{
    command::{
        Ctx, Reply,
        history::{self, Of},
    },
    present,
    text::en,
};
use domain::content::Content;
use handlers::{CommandError, agents};
use ports::message::Body;

pub async fn history(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let past = agents::history(ctx.home, ctx.reader(), name).await?;
    let of = Of {
        words: "agents",
        hint: &en::undo_hint("agent", name),
    };
    Ok(history::reply(ctx, &of, &past))
}

pub async fn undo(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let draft = agents::undo(ctx.home, ctx.member, name).await?;
    let (agent, number) = &draft.fact;
    Ok(ctx.say(&en::version_undone(agent, *number)).with(draft.ops))
}

pub async fn export(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let text = agents::export(ctx.home, ctx.reader(), name).await?;
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

//! `/memory`: what is remembered of this conversation, by its agent, about who asks; shown, changed, taken back. A memory also
//! goes out as a file and comes back as one.

use super::{
    Command, Ctx, Reply,
    history::{self, Of},
};
use crate::{
    present,
    text::{Builder, en, time},
};
use domain::{
    memory::Layer,
    rich_text::{MarkStyle, RichText},
};
use handlers::{
    CommandError, Problem,
    memory::{self, Shown, Whose, Written},
    sessions,
};
use ports::message::Body;

pub struct Memory;

#[async_trait::async_trait]
impl Command for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
    fn description(&self) -> &'static str {
        "What is remembered here, by the agent, about you"
    }
    fn usage(&self) -> &'static str {
        "[session|agent|member [edit | add TEXT | set TEXT | clear | undo | history]]"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let whose = whose(ctx).await?;
        let (name, rest) = ctx.word();
        if name.is_empty() {
            return overview(ctx, &whose).await;
        }
        if !Layer::NAMES.contains(&name) {
            return Ok(super::usage(ctx, self));
        }
        let layer = whose.layer(name)?;
        let (verb, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (home, member) = (ctx.home, ctx.member);
        let draft = match (verb, text.trim()) {
            ("", _) => return show(ctx, &layer).await,
            ("edit", "") => return file(ctx, &layer).await,
            ("history", "") => return past(ctx, &layer).await,
            ("add", text) if !text.is_empty() => memory::add(home, member, &layer, text).await?,
            ("set", text) if !text.is_empty() => memory::set(home, member, &layer, text).await?,
            ("clear", "") => memory::set(home, member, &layer, "").await?,
            ("undo", "") => memory::undo(home, member, &layer).await?,
            _ => return Ok(super::usage(ctx, self)),
        };
        Ok(ctx.show(&written(&draft.fact)).with(draft.ops))
    }
}

async fn whose(ctx: &Ctx<'_>) -> Result<Whose, CommandError> {
    let (session, _) = sessions::get_or_new(ctx.home, &ctx.inbound.session).await?;
    Ok(Whose::at(&session, ctx.reader()))
}

async fn overview(ctx: &Ctx<'_>, whose: &Whose) -> Result<Reply, CommandError> {
    let mut out = Builder::default();
    for layer in whose.layers() {
        let shown = memory::show(ctx.home, &layer).await?;
        out.marked(&en::memory_of(&shown), MarkStyle::Bold)
            .push(&format!(": {}\n", state(ctx, &shown)));
    }
    out.push("\n").push(en::MEMORY_HINT);
    Ok(ctx.show(&out.build()))
}

fn state(ctx: &Ctx<'_>, shown: &Shown) -> String {
    let at = |at| time::at(at, ctx.home.now(), &ctx.member.zone);
    en::memory_state(shown, &shown.updated_at.map(at).unwrap_or_default())
}

async fn show(ctx: &Ctx<'_>, layer: &Layer) -> Result<Reply, CommandError> {
    let shown = memory::show(ctx.home, layer).await?;
    let mut out = Builder::default();
    out.marked(&en::memory_of(&shown), MarkStyle::Bold)
        .push(&format!(": {}\n", state(ctx, &shown)));
    if !shown.text.is_empty() {
        out.marked(shown.text.trim_end(), MarkStyle::Pre("markdown".to_owned()));
    }
    Ok(ctx.show(&out.build()))
}

/// The name under which a memory goes out, and by which it is known when it comes back.
fn file_name(layer: &str) -> String {
    format!("memory-{layer}.md")
}

async fn file(ctx: &Ctx<'_>, layer: &Layer) -> Result<Reply, CommandError> {
    let (_, stored) = memory::read(ctx.home, layer).await?;
    let text = stored.map(|stored| stored.value.text);
    let Some(content) = text.filter(|text| text.bytes() > 0) else {
        return Ok(ctx.say(&en::memory_empty(layer.name())));
    };
    let body = Body::File {
        name: file_name(layer.name()),
        content,
        caption: en::memory_file(layer.name()),
    };
    Ok(Reply {
        ops: Vec::new(),
        messages: vec![present::outgoing(&ctx.inbound.session, body)],
    })
}

async fn past(ctx: &Ctx<'_>, layer: &Layer) -> Result<Reply, CommandError> {
    let past = memory::history(ctx.home, ctx.member, layer).await?;
    if past.is_empty() {
        return Ok(ctx.say(en::NOTHING_REMEMBERED));
    }
    let of = Of {
        words: "memory",
        hint: &en::memory_undo_hint(layer.name()),
    };
    Ok(history::reply(ctx, &of, &past))
}

fn written(written: &Written) -> RichText {
    let mut out = Builder::default();
    out.push(&en::memory_written(written)).push("\n");
    if !written.diff.is_empty() {
        out.marked(&written.diff, MarkStyle::Pre("diff".to_owned()))
            .push("\n");
        out.push(&en::memory_undo_hint(&written.layer));
    }
    out.build()
}

/// The memory that a file is: by the caption `/memory agent`, else by the name under which it went out.
pub(crate) fn named<'a>(name: &str, caption: &'a str) -> Option<&'a str> {
    match caption.trim().strip_prefix("/memory") {
        Some(rest) => rest.split_whitespace().next(),
        None => Layer::NAMES
            .into_iter()
            .find(|layer| file_name(layer) == name),
    }
}

/// A file came to be a memory.
pub(crate) async fn came(ctx: &Ctx<'_>, layer: &str, bytes: &[u8]) -> Result<Reply, CommandError> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Problem::Invalid(en::MEMORY_NO_TEXT.to_owned()))?;
    let layer = whose(ctx).await?.layer(layer)?;
    let draft = memory::set(ctx.home, ctx.member, &layer, text).await?;
    Ok(ctx.show(&written(&draft.fact)).with(draft.ops))
}

//! Several cards at once, for `/approve` and `/deny`: `all`, `run <run>`, each with `except <id> …`; and the buttons below a list.

use super::{Ctx, Reply};
use crate::{present, text::en};
use domain::{
    Digest,
    approval::{Approval, Choice, Question},
    card::{Block, Card},
};
use handlers::{
    CommandError,
    batch::{self, Came, Item, Which},
    queries,
};
use ports::message::Body;

/// What `all …` or `run …` decides; `None` when the arguments say something else.
pub(crate) async fn decided(ctx: &Ctx<'_>, choice: &Choice) -> Result<Option<Reply>, CommandError> {
    let mut words = ctx
        .args
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty());
    let which = match words.next() {
        Some("all") => Which::Own,
        Some("run") => {
            let id = words.next().unwrap_or_default();
            Which::Run(queries::run(ctx.home, id).await?.id)
        }
        _ => return Ok(None),
    };
    let except: Vec<&str> = match words.next() {
        None => Vec::new(),
        Some("except") => words.collect(),
        Some(_) => return Ok(Some(ctx.say(en::SEVERAL_USAGE))),
    };
    let items = batch::choose(ctx.home, ctx.member, &which, &except).await?;
    if items.is_empty() {
        return Ok(Some(ctx.say(en::NO_OWN_APPROVALS)));
    }
    let came = batch::decide_all(ctx.home, ctx.member, &items, choice).await?;
    Ok(Some(ctx.say(&lines(&came))))
}

fn lines(came: &[Came]) -> String {
    let lines: Vec<String> = came.iter().map(en::came).collect();
    lines.join("\n")
}

/// The buttons below a list of cards, for what of it a person decides without looking at each.
pub(crate) async fn buttons(
    ctx: &Ctx<'_>,
    listed: &[Approval],
) -> Result<Option<ports::message::Outgoing>, CommandError> {
    let items: Vec<Item> = listed
        .iter()
        .filter(|approval| approval.question == Question::Call)
        .map(|approval| (approval.id.clone(), Some(approval.digest.clone())))
        .collect();
    if items.len() < 2 {
        return Ok(None);
    }
    let list = batch::remember(ctx.home, &items).await?;
    let session = &ctx.inbound.session;
    Ok(Some(present::several(session, items.len(), &list, None)))
}

/// A tap on such a button. `tag` is the name of the message that it is on.
pub(crate) async fn tapped(
    ctx: &Ctx<'_>,
    tag: &str,
    choice: &Choice,
) -> Result<Option<Reply>, CommandError> {
    let named = tag.strip_prefix(present::LIST);
    let list = named.and_then(|name| serde_json::from_value::<Digest>(name.into()).ok());
    let Some(list) = list else {
        return Ok(None);
    };
    let shown = batch::recall(ctx.home, &list).await?;
    let mut came = batch::decide_all(ctx.home, ctx.member, &shown, choice).await?;
    came.extend(batch::since(ctx.home, &shown).await?);
    // Whoever may not decide anything of it leaves the buttons to those who may.
    if came.iter().all(|came| came.refused.is_some()) {
        return Ok(Some(ctx.say(&lines(&came))));
    }
    let card = Card {
        title: en::DECIDED_TOGETHER.to_owned(),
        blocks: vec![Block::Text { text: lines(&came) }],
        actions: Vec::new(),
    };
    let tag = tag.to_owned();
    let edit = present::outgoing(&ctx.inbound.session, Body::EditCard { tag, card });
    Ok(Some(Reply {
        ops: Vec::new(),
        messages: vec![edit],
    }))
}

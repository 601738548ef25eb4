//! An agent's file that somebody sent: a card with what it would make of the team's agents, and the yes to exactly that.

use crate::{
    command::{Ctx, Reply, full_diff},
    present,
    text::en,
};
use domain::{
    card::{Action, Block, Card, Style},
    content::prefix,
};
use handlers::{
    CommandError, Problem,
    agents::{self, Import},
    offers,
};
use ports::message::Body;

/// The verbs of the buttons.
pub(crate) const YES: &str = "import";
pub(crate) const NO: &str = "noimport";
/// Bytes of a change on the card; a longer one hangs on it as a file.
const DIFF: usize = 1500;

/// The card.
pub(crate) async fn came(ctx: &Ctx<'_>, name: &str, bytes: &[u8]) -> Result<Reply, CommandError> {
    handlers::skills::configures(ctx.member)?;
    let import = look(ctx, bytes).await?;
    if import.diff.is_empty() {
        return Ok(ctx.say(&en::is_so_already(&import.agent)));
    }
    let mut message = present::outgoing(
        &ctx.inbound.session,
        Body::Card {
            card: card(&import),
        },
    );
    message.tag = Some(tag(&import.pin));
    let kept = offers::keep(ctx.home, &import.pin, (name, bytes)).await?;
    let mut messages = vec![message];
    messages.extend(full_diff(ctx, &import.diff, DIFF));
    Ok(Reply {
        ops: kept,
        messages,
    })
}

async fn look(ctx: &Ctx<'_>, bytes: &[u8]) -> Result<Import, CommandError> {
    let file = String::from_utf8_lossy(bytes);
    agents::look(ctx.home, ctx.reader(), &file, ctx.tools).await
}

fn tag(pin: &str) -> String {
    format!("import:{pin}")
}

fn card(import: &Import) -> Card {
    let agent = &import.agent;
    let model = match agent.model.is_empty() {
        true => en::DEFAULT_MODEL.to_owned(),
        false => format!("{}/{}", agent.provider, agent.model),
    };
    let fields = [
        (en::MODEL, model),
        (en::PRESET, agent.permissions.preset.clone()),
        (en::SKILLS, agent.skills.join(", ")),
        (en::ALLOWED, import.could.allowed.join(", ")),
        (en::ASKS, import.could.asked.join(", ")),
        (en::DENIED, import.could.denied.join(", ")),
    ];
    let mut blocks = vec![Block::Text {
        text: agent.description.clone(),
    }];
    let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
    blocks.extend(said.map(|(label, value)| Block::Field {
        label: label.to_owned(),
        value,
    }));
    blocks.push(Block::Code {
        language: "diff".to_owned(),
        text: prefix(&import.diff, DIFF).to_owned(),
    });
    let button = |label: &str, verb: &str, style: Style| Action {
        label: label.to_owned(),
        data: format!("{verb}:{}", import.pin),
        style,
    };
    Card {
        title: en::import(import),
        blocks,
        actions: vec![vec![
            button(en::IMPORT, YES, Style::Good),
            button(en::DO_NOT_IMPORT, NO, Style::Danger),
        ]],
    }
}

/// The yes to what the card showed: it is done if it would still do that.
pub(crate) async fn agree(ctx: &Ctx<'_>, pin: &str) -> Result<Reply, CommandError> {
    let offer = offers::find(ctx.home, pin).await?;
    let offer = offer.ok_or_else(|| Problem::Invalid(en::OFFER_OVER.to_owned()))?;
    let import = look(ctx, &offer.bytes).await?;
    if import.pin != pin {
        return Err(Problem::Invalid(en::another_agent(&import.agent.name)).into());
    }
    let done = en::imported(&import.agent, import.before.is_some());
    Ok(settled(ctx, pin, &done)
        .with(import.ops)
        .with(offer.settled))
}

/// Who may say yes may say no.
pub(crate) async fn decline(ctx: &Ctx<'_>, pin: &str) -> Result<Reply, CommandError> {
    handlers::skills::configures(ctx.member)?;
    let ops = offers::decline(ctx.home, pin).await?;
    Ok(settled(ctx, pin, en::NOT_IMPORTED).with(ops))
}

fn settled(ctx: &Ctx<'_>, pin: &str, title: &str) -> Reply {
    let card = Card {
        title: title.to_owned(),
        ..Card::default()
    };
    let body = Body::EditCard {
        tag: tag(pin),
        card,
    };
    Reply {
        ops: Vec::new(),
        messages: vec![present::outgoing(&ctx.inbound.session, body)],
    }
}

//! `/sessions`: the conversations of this chat, each with a button that goes back to it.

use super::{Command, Ctx, Reply};
use crate::{
    present,
    telegram::Place,
    text::{en, time},
};
use domain::{
    card::{Action, Block, Card, Style},
    content::prefix,
    id::SessionId,
};
use handlers::{
    CommandError,
    sessions::{self, Listed},
};
use ports::message::Body;

pub struct Sessions;

/// Conversations that are shown, and bytes of a button's label.
const SHOWN: usize = 10;
const LABEL: usize = 40;

#[async_trait::async_trait]
impl Command for Sessions {
    fn name(&self) -> &'static str {
        "sessions"
    }
    fn description(&self) -> &'static str {
        "Your conversations; go back to one of this chat"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let all = sessions::conversations(ctx.home, &ctx.inbound.session).await?;
        let shown = &all[..all.len().min(SHOWN)];
        let mut lines: Vec<String> = shown.iter().map(|one| line(ctx, one)).collect();
        lines.extend(elsewhere(ctx).await?);
        let buttons = shown.iter().filter(|one| !one.here).map(|one| {
            vec![Action {
                label: prefix(&format!("{} · {}", one.number, one.title), LABEL).to_owned(),
                data: format!("{RESUME}:{}", one.number),
                style: Style::Plain,
            }]
        });
        let card = Card {
            title: en::CONVERSATIONS.to_owned(),
            blocks: vec![Block::Text {
                text: lines.join("\n"),
            }],
            actions: buttons.collect(),
        };
        Ok(Reply {
            ops: Vec::new(),
            messages: vec![present::outgoing(&ctx.inbound.session, Body::Card { card })],
        })
    }
}

/// What others here need not see is listed where nobody else reads along. It goes on there, so there is nothing to tap.
async fn elsewhere(ctx: &Ctx<'_>) -> Result<Vec<String>, CommandError> {
    if !ctx.reader().alone {
        return Ok(Vec::new());
    }
    let found = sessions::elsewhere(ctx.home, ctx.member, &ctx.inbound.session).await?;
    let at = |one: &Listed| time::at(one.updated_at, ctx.home.now(), &ctx.member.zone);
    let line = |one: &Listed| en::conversation_elsewhere(&place(&one.session), one, &at(one));
    let mut lines: Vec<String> = found.iter().take(SHOWN).map(line).collect();
    if !lines.is_empty() {
        lines.insert(0, en::ELSEWHERE.to_owned());
    }
    Ok(lines)
}

fn place(session: &SessionId) -> String {
    match Place::of(session) {
        Some(place) if place.is_group() => en::in_a_group(place.topic),
        Some(_) => en::IN_PRIVATE.to_owned(),
        None => session.to_string(),
    }
}

/// The verb of the buttons.
const RESUME: &str = "resume";

fn line(ctx: &Ctx<'_>, one: &Listed) -> String {
    let at = time::at(one.updated_at, ctx.home.now(), &ctx.member.zone);
    en::conversation(one, &at)
}

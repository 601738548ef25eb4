//! `/sessions`: the conversations of this chat, each with a button that goes back to it.

use super::{Command, Ctx, Reply};
use crate::{
    present,
    text::{en, time},
};
use domain::{
    card::{Action, Block, Card, Style},
    content::prefix,
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
        "This chat’s conversations; go back to one"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let all = sessions::conversations(ctx.home, &ctx.inbound.session).await?;
        let shown = &all[..all.len().min(SHOWN)];
        let lines: Vec<String> = shown.iter().map(|one| line(ctx, one)).collect();
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

/// The verb of the buttons.
const RESUME: &str = "resume";

fn line(ctx: &Ctx<'_>, one: &Listed) -> String {
    let at = time::at(one.updated_at, ctx.home.now(), &ctx.member.zone);
    en::conversation(one, &at)
}

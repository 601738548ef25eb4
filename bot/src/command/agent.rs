//! `/agent`: who this chat talks to; with a prompt, one task for another agent.

use super::{Command, Ctx, Reply, agents::past, design};
use crate::{conversation, text::en};
use handlers::{CommandError, agents, ask, sessions};
use ports::repo;

pub struct Agent;

#[async_trait::async_trait]
impl Command for Agent {
    fn name(&self) -> &'static str {
        "agent"
    }
    fn description(&self) -> &'static str {
        "Choose this chat’s agent, or give one task to another"
    }
    fn usage(&self) -> &'static str {
        "<name> [prompt] | new WORDS | history NAME | undo NAME"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        match ctx.word() {
            ("", _) => {
                let (session, _) = sessions::get_or_new(ctx.home, &ctx.inbound.session).await?;
                let agent = repo::get::<domain::agent::Agent>(
                    &*ctx.home.store,
                    &ctx.home.team,
                    session.agent.as_str(),
                )
                .await?;
                let name =
                    agent.map_or_else(|| session.agent.to_string(), |agent| agent.value.name);
                Ok(ctx.say(&en::talks_to(&name)))
            }
            ("new", words) if !words.is_empty() => design::new(ctx, words).await,
            ("history", name) if !name.is_empty() => past::history(ctx, name).await,
            ("undo", name) if !name.is_empty() => past::undo(ctx, name).await,
            (name, "") => {
                let draft =
                    sessions::choose_agent(ctx.home, ctx.member, &ctx.inbound.session, name)
                        .await?;
                Ok(ctx.say(&en::chosen(&draft.fact)).with(draft.ops))
            }
            (name, prompt) => {
                let agent = agents::find(ctx.home, name).await?.value;
                let draft = ask::ask(
                    ctx.home,
                    ctx.member,
                    &ctx.inbound.session,
                    prompt,
                    Some(&agent.id),
                )
                .await?;
                Ok(conversation::asked(ctx, draft.ops, &draft.fact))
            }
        }
    }
}

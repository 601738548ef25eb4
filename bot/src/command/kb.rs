//! `/kb`: collections and their documents; made, renamed, removed, given to agents. Its buttons, and those below search results and
//! answers, open passages.

use super::{Command, Ctx, Reply};
use crate::{
    present::{self, Opens},
    text::en,
};
use handlers::{CommandError, knowledge};

pub struct Kb;

const USAGE: &str = "[NAME [PAGE] | create NAME [alone] | rename NAME NEW | remove NAME | attach NAME AGENT | detach NAME AGENT]";

#[async_trait::async_trait]
impl Command for Kb {
    fn name(&self) -> &'static str {
        "kb"
    }
    fn description(&self) -> &'static str {
        "Collections of documents, and who looks things up in them"
    }
    fn usage(&self) -> &'static str {
        USAGE
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let words: Vec<&str> = ctx.args.split_whitespace().collect();
        let (home, reader) = (ctx.home, ctx.reader());
        match words.as_slice() {
            [] => collections(ctx, 0).await,
            ["create", name] => {
                let draft = knowledge::create(home, reader, name, false).await?;
                Ok(ctx.say(&en::collection_made(&draft.fact)).with(draft.ops))
            }
            ["create", name, "alone"] => {
                let draft = knowledge::create(home, reader, name, true).await?;
                Ok(ctx.say(&en::collection_made(&draft.fact)).with(draft.ops))
            }
            ["rename", name, new] => {
                let draft = knowledge::rename(home, reader, name, new).await?;
                Ok(ctx.say(&en::collection_renamed(name, new)).with(draft.ops))
            }
            ["remove", name] => {
                let draft = knowledge::remove(home, reader, name).await?;
                Ok(ctx
                    .say(&en::deleted("collection", &draft.fact.name))
                    .with(draft.ops))
            }
            ["attach", name, agent] => attach(ctx, name, (agent, true)).await,
            ["detach", name, agent] => attach(ctx, name, (agent, false)).await,
            ["create" | "rename" | "remove" | "attach" | "detach", ..] => {
                Ok(super::usage(ctx, self))
            }
            [name] => documents(ctx, name, 0).await,
            [name, page] => match page.parse::<usize>() {
                Ok(page) => documents(ctx, name, page.saturating_sub(1)).await,
                Err(_) => Ok(super::usage(ctx, self)),
            },
            _ => Ok(super::usage(ctx, self)),
        }
    }
}

async fn attach(ctx: &Ctx<'_>, name: &str, to: (&str, bool)) -> Result<Reply, CommandError> {
    let draft = knowledge::attach(ctx.home, ctx.reader(), name, to).await?;
    let (collection, agent) = &draft.fact;
    let said = en::attached(collection, &agent.name, to.1);
    Ok(ctx.say(&said).with(draft.ops))
}

async fn collections(ctx: &Ctx<'_>, page: usize) -> Result<Reply, CommandError> {
    let all = knowledge::list(ctx.home, ctx.reader()).await?;
    if all.is_empty() {
        return Ok(ctx.say(en::NO_COLLECTIONS));
    }
    let mut users = Vec::new();
    for collection in &all {
        users.push(knowledge::users(ctx.home, &collection.id).await?);
    }
    let all: Vec<_> = all.into_iter().zip(users).collect();
    let messages = vec![present::collections(&ctx.inbound.session, &all, page)];
    let ops = Vec::new();
    Ok(Reply { ops, messages })
}

async fn documents(ctx: &Ctx<'_>, name: &str, page: usize) -> Result<Reply, CommandError> {
    let documents = knowledge::documents(ctx.home, ctx.reader(), name, page).await?;
    let messages = vec![present::documents(&ctx.inbound.session, &documents)];
    let ops = Vec::new();
    Ok(Reply { ops, messages })
}

/// A button that opens something of the knowledge, for whoever pressed it: looked up again, as they may read now. `None`: another
/// button.
pub(crate) async fn tapped(ctx: &Ctx<'_>, data: &str) -> Result<Option<Reply>, CommandError> {
    let Some(opens) = Opens::read(data) else {
        return Ok(None);
    };
    match opens {
        Opens::Collections { page } => collections(ctx, page).await,
        Opens::Documents { collection, page } => documents(ctx, collection.as_str(), page).await,
        Opens::Passage {
            document,
            revision,
            ordinal,
        } => {
            let at = (revision, ordinal);
            let place = knowledge::passage(ctx.home, ctx.reader(), &document, at).await?;
            Ok(Reply {
                ops: Vec::new(),
                messages: present::passage(&ctx.inbound.session, &place),
            })
        }
    }
    .map(Some)
}

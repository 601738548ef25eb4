//! `/search`: passages of the documents that this person may read, at once.

use super::{Command, Ctx, Reply};
use crate::{present, text::en};
use handlers::{
    CommandError,
    knowledge::{self, Wanted},
};

pub struct Search;

/// As many as a phone shows.
const SHOWN: usize = 5;

#[async_trait::async_trait]
impl Command for Search {
    fn name(&self) -> &'static str {
        "search"
    }
    fn description(&self) -> &'static str {
        "Find passages in the documents"
    }
    fn usage(&self) -> &'static str {
        "<words>"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        if ctx.args.is_empty() {
            return Ok(super::usage(ctx, self));
        }
        let wanted = Wanted {
            words: ctx.args,
            collections: &[],
            limit: SHOWN,
        };
        let found = knowledge::search(ctx.home, ctx.index, ctx.reader(), &wanted).await?;
        if found.is_empty() {
            return Ok(ctx.say(en::NOTHING_FOUND));
        }
        Ok(Reply {
            ops: Vec::new(),
            messages: present::found(&ctx.inbound.session, &found),
        })
    }
}
